"""A large corpus: what is in memory does not grow with it."""

import gzip
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from scriptorium.convert.outputs import records
from scriptorium.convert.outputs.documents import pages_of
from scriptorium.convert.outputs.index import Index
from scriptorium.pages.store import Store, content_key

from .corpus import SETTINGS, Page, files, make, sha256, write

PAGES = 40_000
LONG = 50
"""Pages of a document."""


def library(pages: int) -> Iterator[tuple[str, list[Page]]]:
    for number in range(pages // LONG):
        yield f"corpus/{number // 100}/{number}.pdf", [("ok", f"{number} {page}") for page in range(LONG)]


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("big"), library(PAGES))


def peak_of_index(folder: Path) -> int:
    tracemalloc.start()
    index = Index(Store(folder / "store"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(index) > 0
    return peak


def test_the_index_takes_few_bytes_a_page(big: Path) -> None:
    assert peak_of_index(big) < 250 * PAGES  # while it is made; 46 a page are kept


def test_memory_does_not_grow_with_the_corpus(big: Path, tmp_path: Path) -> None:
    """In processes of their own, by what the system counts: pyarrow's memory is in it too."""
    small = make(tmp_path / "small", library(PAGES // 20))
    used = {}
    for name, folder in (("small", small), ("big", big)):
        code = (
            "import resource, sys; from pathlib import Path; from tests.convert.outputs.corpus import write\n"
            "write(Path(sys.argv[1]), Path(sys.argv[2]), formats=['dolma', 'parquet'])\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
        )
        words = [sys.executable, "-c", code, str(folder), str(tmp_path / "out" / name)]
        done = subprocess.run(words, capture_output=True, text=True, cwd=Path(__file__).parents[3])
        assert done.returncode == 0, done.stderr
        used[name] = int(done.stdout)
    assert used["big"] - used["small"] < 40, used  # MiB; all pages at once take more than 80
    lines = 0
    for path in sorted((tmp_path / "out/big/dolma").iterdir()):
        lines += gzip.decompress(path.read_bytes()).count(b"\n")
    assert lines == PAGES // LONG


def test_full_files_are_followed_by_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "PART_PAGES", 120)
    corpus = make(tmp_path / "c", library(500))
    write(corpus, tmp_path / "o", formats=["dolma"])
    found = files(tmp_path / "o" / "dolma")
    assert list(found) == ["00000.jsonl.gz", "00001.jsonl.gz", "00002.jsonl.gz", "00003.jsonl.gz"]
    sources = [
        json.loads(line)["metadata"]["Source-File"]
        for data in found.values()
        for line in gzip.decompress(data).splitlines()
    ]
    assert sources == [f"corpus/0/{number}.pdf" for number in range(10)]


def test_the_index_finds_what_the_store_finds(tmp_path: Path) -> None:
    corpus = make(tmp_path / "c", library(200))
    store = Store(corpus / "store")
    keys = [
        content_key(sha256(f"corpus/0/{number}.pdf"), page, SETTINGS)
        for number in range(6)
        for page in range(1, 52)
    ]
    with store.writer("00001") as writer:
        for status, key in (
            ("ok", keys[0]),
            ("gave_up", keys[1]),
            ("gave_up", keys[50]),
            ("blank", keys[50]),
        ):
            writer.append(key, status, {"text": "late"})
    with (corpus / "store/segments/00001-0000.jsonl").open("ab") as file:
        file.write(b'{"key": "' + keys[60].encode() + b'", "status": "ok", "te')
    found = store.find(keys)
    assert len(found) == 201
    assert list(Index(store).find(keys)) == [found.get(key) for key in keys]


def test_a_store_without_a_record_leaves_all_pages_pending(tmp_path: Path) -> None:
    corpus = make(tmp_path / "c", [("corpus/a.pdf", [("pending", "")])])
    assert [row["status"] for row in pages_of(corpus / "plan.parquet", corpus / "store", SETTINGS)] == [
        "pending"
    ]
