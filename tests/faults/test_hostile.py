"""Files that break parsers: each gets its row and its reason, nothing crashes or hangs, memory has a bound."""

import os
import resource
import shutil
import threading
from pathlib import Path

import psutil
import pytest

from scriptorium.pages.pdf import MEMORY, WALL_SECONDS

from . import world
from .bombs import BOMBS
from .world import FaultyServer

MALFORMED = world.ROOT.parent / "shared" / "data" / "malformed"
PARENT_MEMORY = 1 << 30
"""Bytes of RSS that the command itself may take."""


BOMB_SECONDS = 16 * WALL_SECONDS
"""Four files here take all that is allowed, by two engines, twice by a child that had other files before: slow is
told from hung by what the product promises, for the machine may be busy."""


class Watch(threading.Thread):
    """Notes the limits and the peak memory of every process below the command while it runs."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.parent_peak = self.child_peak = 0
        self.limits: set[int] = set()

    def run(self) -> None:
        """Look 50 times a second until the command has gone."""
        try:
            command = psutil.Process(self.pid)
            while command.status() != psutil.STATUS_ZOMBIE:
                self.parent_peak = max(self.parent_peak, command.memory_info().rss)
                for child in command.children(recursive=True):
                    self.look(child)
                threading.Event().wait(0.02)
        except psutil.NoSuchProcess:
            return

    def look(self, child: psutil.Process) -> None:
        """Note one child, unless it has gone or has not started its program yet."""
        try:
            self.child_peak = max(self.child_peak, child.memory_info().rss)
            if any("child" in word for word in child.cmdline()):
                self.limits.add(resource.prlimit(child.pid, resource.RLIMIT_AS)[0])
        except (psutil.NoSuchProcess, ProcessLookupError, PermissionError):
            return


def watched(corpus: Path, out: Path, server: FaultyServer) -> tuple[world.Run, Watch]:
    """Run the command to its end under watch."""
    process = world.start(corpus, out, server.url)
    watch = Watch(process.pid)
    watch.start()
    run = world.finish(process, BOMB_SECONDS)
    watch.join()
    assert watch.parent_peak < PARENT_MEMORY
    assert watch.child_peak <= MEMORY
    assert MEMORY in watch.limits
    return run, watch


def check_rows(corpus: Path, out: Path) -> dict[str, list[dict]]:
    """Every file has its rows: its pages one by one, or one row that says why there are none."""
    rows: dict[str, list[dict]] = {}
    for row in world.report(out)["rows"]:
        rows.setdefault(row["source"], []).append(row)
    assert rows.keys() == {path.as_posix() for path in corpus.iterdir()}
    for mine in rows.values():
        pages = [row["page"] for row in mine]
        assert pages == [0] or pages == list(range(1, len(mine) + 1))
        assert all(row["status"] != "pending" for row in mine)
        assert all(row["reason"] for row in mine if row["status"] in ("unreadable", "gave_up", "duplicate"))
    return rows


@pytest.mark.faults
def test_malformed_files(tmp_path: Path, server: FaultyServer) -> None:
    """Real broken files of other projects' tests; once more with the same outputs."""
    if not MALFORMED.is_dir():
        pytest.skip("the malformed PDFs are not there")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for path in MALFORMED.iterdir():
        if path.suffix != ".jsonl":
            shutil.copy(path, corpus)
    run, _ = watched(corpus, tmp_path / "out", server)
    assert run.code == 3
    rows = check_rows(corpus, tmp_path / "out")
    assert len(rows) >= 100
    first, asked = world.outputs(tmp_path / "out"), server.told()["requests"]
    assert world.convert(corpus, tmp_path / "out", server.url).code == 3
    assert world.outputs(tmp_path / "out") == first and server.told()["requests"] == asked


SHORT = ["count-ten-digits.pdf", "wide-200-m.pdf", "ring.pdf", "large.png", "empty.pdf"]


@pytest.mark.parametrize(
    "names", [SHORT, pytest.param(list(BOMBS), marks=pytest.mark.faults)], ids=["some", "all"]
)
def test_bombs(tmp_path: Path, server: FaultyServer, names: list[str]) -> None:
    """Beside two good documents, first and last in the plan, which come out whole."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for name in names:
        (corpus / name).write_bytes(BOMBS[name]())
    good = [corpus / "0.pdf", corpus / "z.pdf"]
    for number, path in enumerate(good):
        path.write_bytes(world.document(f"good{number}", 2))
    run, _ = watched(corpus, tmp_path / "out", server)
    assert run.code == 3, run.err
    rows = check_rows(corpus, tmp_path / "out")
    assert all([row["status"] for row in rows[path.as_posix()]] == ["ok", "ok"] for path in good)
    for name in ("empty.pdf", "large.png", "cut.png", "text.pdf", "no-pages.pdf", "deflate.pdf", "busy.pdf"):
        if name in names:
            assert {row["status"] for row in rows[(corpus / name).as_posix()]} <= {"unreadable", "blank"}, (
                name
            )


@pytest.mark.faults
def test_ten_thousand_pages(tmp_path: Path, server: FaultyServer) -> None:
    """All of them come out, and the command's memory stays bounded."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "long.pdf").write_bytes(world.document("p", 10_000))
    run, watch = watched(corpus, tmp_path / "out", server)
    assert run.code == 0, run.err
    (record,) = world.records(tmp_path / "out")
    texts = world.page_texts(record)
    assert len(texts) == len(set(texts)) == 10_000
    assert watch.parent_peak < 500 << 20


@pytest.mark.faults
@pytest.mark.skipif(os.cpu_count() == 1, reason="what hangs is told from what is slow by a second core")
def test_a_pipe_a_socket_a_ring_of_links(tmp_path: Path, server: FaultyServer) -> None:
    """What would hang whoever opens it is named and left alone."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "good.pdf").write_bytes(world.document("good", 1))
    os.mkfifo(corpus / "pipe.pdf")
    (corpus / "ring.pdf").symlink_to("ring.pdf")
    (corpus / "nothing.pdf").symlink_to("away.pdf")
    (corpus / "endless.pdf").symlink_to("/dev/zero")
    run = world.convert(corpus, tmp_path / "out", server.url)
    assert run.code == 3
    rows = {row["source"].rpartition("/")[2]: row["status"] for row in world.report(tmp_path / "out")["rows"]}
    assert rows == {
        "good.pdf": "ok",
        "pipe.pdf": "unreadable",
        "ring.pdf": "unreadable",
        "nothing.pdf": "unreadable",
        "endless.pdf": "unreadable",
    }
