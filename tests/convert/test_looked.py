"""What files were found to be is kept: a plan that is made again opens new and changed files only."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from scriptorium.convert import looked
from scriptorium.convert.looked import Looked, Stamp, Twins, stamp_of
from scriptorium.convert.plan import looked_path, plan_corpus, plan_rows, read_plan
from scriptorium.pages.document import DocumentWorker
from scriptorium.pages.pdf import PdfError
from scriptorium.pages.pool import DocumentPool

from ..faults.world import document

ENTRY = [{"row": {"document": "a" * 64, "pages": 3}, "reason": ""}]
OLD: Stamp = (10, 1_000, 2_000)


class Counting(DocumentPool):
    """A pool that remembers which files it was asked for."""

    def __init__(self) -> None:
        super().__init__(1)
        self.names: list[str] = []

    def count(self, files: Sequence[tuple[Path, str | None]]) -> list[tuple[str, int] | PdfError]:
        self.names += [path.name for path, _ in files]
        return super().count(files)


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six files that count as settled."""
    monkeypatch.setattr(looked, "SETTLED_NS", 0)
    for number in range(5):
        path = tmp_path / "corpus" / f"{number % 2}" / f"{number}.pdf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(document(str(number), number + 1))
    (tmp_path / "corpus" / "notes.txt").write_text("no PDF")
    return tmp_path / "corpus"


def opened(corpus: Path, out: Path) -> list[str]:
    """The files that a plan opens."""
    pool = Counting()
    try:
        list(plan_rows(corpus, 1, children=pool, looked=looked_path(out)))
    finally:
        pool.close()
    return sorted(pool.names)


def test_only_new_and_changed_files_are_opened(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out" / "plan.parquet"
    assert len(opened(corpus, out)) == 6
    assert opened(corpus, out) == []
    (corpus / "0" / "new.pdf").write_bytes(document("new", 2))
    (corpus / "1" / "1.pdf").write_bytes(document("1", 7))
    assert opened(corpus, out) == ["1.pdf", "new.pdf"]
    same = (corpus / "0" / "2.pdf").stat()
    (corpus / "0" / "2.pdf").write_bytes(b"%" * same.st_size)
    os.utime(corpus / "0" / "2.pdf", ns=(same.st_atime_ns, same.st_mtime_ns))
    assert opened(corpus, out) == ["2.pdf"]


def test_the_plan_is_the_same_from_memory_and_from_the_files(corpus: Path, tmp_path: Path) -> None:
    (corpus / "twin.pdf").write_bytes(document("3", 4))
    out, fresh = tmp_path / "out" / "plan.parquet", tmp_path / "fresh" / "plan.parquet"
    for _ in range(2):
        plan_corpus(corpus, 3, out)
    plan_corpus(corpus, 3, fresh)
    assert out.read_bytes() == fresh.read_bytes()
    assert {row["status"] for row in read_plan(out)} == {"pending", "duplicate", "unreadable"}


def test_a_killed_plan_goes_on_where_it_was(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out" / "plan.parquet"
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom scriptorium.convert import looked, plan\n"
        "looked.COMMIT_EVERY, looked.SETTLED_NS, plan.BATCH, plan.AHEAD = 1, 0, 1, 0\n"
        "rows = plan.plan_rows(Path(sys.argv[1]), 1, looked=Path(sys.argv[2]))\n"
        "[next(rows) for _ in range(9)]\nos._exit(9)\n"  # in the third document
    )
    words = [sys.executable, "-c", code, str(corpus), str(looked_path(out))]
    assert subprocess.run(words, check=False).returncode == 9
    assert len(opened(corpus, out)) == 3


def test_what_may_change_again_is_not_kept(corpus: Path, tmp_path: Path) -> None:
    looked.SETTLED_NS = 10**18
    out = tmp_path / "out" / "plan.parquet"
    assert len(opened(corpus, out)) == len(opened(corpus, out)) == 6


def test_a_stamp_that_differs_is_another_file(tmp_path: Path) -> None:
    with Looked(tmp_path / "x") as known:
        assert known.get("a", OLD) is None
        known.put("a", OLD, ENTRY)
        assert known.get("a", OLD) == ENTRY and known.get("b", OLD) is None
        assert all(known.get("a", (*OLD[:n], 7, *OLD[n + 1 :])) is None for n in range(3))
    with Looked(tmp_path / "x") as known:
        assert known.get("a", OLD) == ENTRY


def test_a_damaged_file_and_one_of_other_versions_are_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").write_bytes(b"no database" * 1000)
    for revision in (1, 2):
        monkeypatch.setattr(looked, "REVISION", revision)
        with Looked(tmp_path / "x") as known:
            assert known.get("a", OLD) is None
            known.put("a", OLD, ENTRY)
            assert known.get("a", OLD) == ENTRY


def test_without_a_place_nothing_is_kept_and_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with Looked(tmp_path / "x") as first:
        assert first.get("a", OLD) is None
        for path in (tmp_path / "x", tmp_path / "file" / "x", None):  # somebody else's, impossible, none
            with Looked(path) as known:
                assert known.get("a", OLD) is None
                known.put("a", OLD, ENTRY)
                assert known.get("a", OLD) is None


def test_twins_have_the_first_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looked, "CACHE_KIB", 64)  # most of it lies on the disk
    twins = Twins()
    assert [twins.first(str(n), f"name {n}") for n in range(5000)] == [None] * 5000
    assert [twins.first(str(n), "other") for n in (0, 4999, 17)] == ["name 0", "name 4999", "name 17"]
    twins.close()


def test_a_file_that_ends_the_child_costs_its_neighbours_nothing(tmp_path: Path) -> None:
    """A pipe keeps the child waiting until it is killed; then each file is asked for by itself."""
    (tmp_path / "a.pdf").write_bytes(document("a", 2))
    os.mkfifo(tmp_path / "b.pdf")
    (tmp_path / "c.pdf").write_bytes(b"nothing")
    files = [(tmp_path / name, None) for name in ("a.pdf", "b.pdf", "c.pdf", "a.pdf")]
    with DocumentWorker(wall_seconds=2) as worker:
        found = list(worker.count(files))
    assert found[0] == found[3] == ("pdf", 2)
    assert [each.reason for each in found if isinstance(each, PdfError)] == ["missing", "not_a_pdf"]


def test_a_stamp_is_size_and_times(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("four")
    status = (tmp_path / "x").stat()
    assert stamp_of(status) == (4, status.st_mtime_ns, status.st_ctime_ns)
