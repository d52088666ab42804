"""Open files for many connections, and too few of them; images that do not stay in memory."""

import contextlib
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scriptorium.convert.cache import Cache
from scriptorium.convert.documents import local
from scriptorium.convert.host import OWN_FILES
from scriptorium.convert.inputs import Document
from scriptorium.convert.look import look, look_all
from scriptorium.errors import HostError
from scriptorium.pages.pool import DocumentPool

from ..faults.world import document

FILES = """
import resource, sys
from scriptorium.convert.host import allow_connections
soft, hard, most = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
allow_connections(most)
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""
IMAGES = """
import threading
import numpy, psutil
from scriptorium.convert.host import give_back_images
give_back_images()

def work():
    kept = [numpy.ones(3 << 20, numpy.uint8) for _ in range(4)]
    small = [bytes(1000) for _ in range(10)]
    del kept
    finished.append(small)
    done.wait()

for _ in range(2):
    finished, done = [], threading.Event()
    threads = [threading.Thread(target=work) for _ in range(40)]
    for thread in threads: thread.start()
    while len(finished) < 40: pass
    memory = psutil.Process().memory_info().rss
    done.set()
    for thread in threads: thread.join()
print(memory >> 20)
"""


def printed(program: str, *words: int) -> list[int]:
    command = [sys.executable, "-c", program, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [int(word) for word in done.stdout.split()]


@pytest.mark.parametrize(
    ("soft", "hard", "most", "after"),
    [(100, 900, 300, 300 + OWN_FILES), (100, 200, 300, 200), (800, 900, 300, 800)],
)
def test_open_files_are_allowed_as_far_as_the_host_lets_it(
    soft: int, hard: int, most: int, after: int
) -> None:
    assert printed(FILES, soft, hard, most) == [after, hard]


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_images_that_threads_have_freed_are_out_of_memory() -> None:
    """480 MB went through 40 threads that still live."""
    assert printed(IMAGES)[0] < 150


@contextlib.contextmanager
def no_more_files() -> Iterator[None]:
    """This process may open no file any more."""
    resource = pytest.importorskip("resource", reason="no such limits")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("name", ["a.pdf", "a.zip", "a.tar"])
def test_a_host_without_open_files_is_no_fault_of_a_document(tmp_path: Path, name: str) -> None:
    """Neither a reason of a file, nor a page that is pending: nothing of it may be kept."""
    pdf, path = tmp_path / "a.pdf", tmp_path / name
    pdf.write_bytes(document("x", 1))
    if name == "a.zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(pdf, "x.pdf")
    if name == "a.tar":
        with tarfile.open(path, "w") as archive:
            archive.add(pdf, "x.pdf")
    (tmp_path / "spool").mkdir()
    cache = Cache(tmp_path)
    with contextlib.closing(DocumentPool(1)) as pool:
        ((found,),) = look_all([Document(path.as_posix())], pool, cache)
        assert found.row["pages"] == 1
        cache.clear()
        for attempt in (
            lambda: look_all([Document(path.as_posix())], pool, cache),
            lambda: look(Document(path.as_posix()), pool, cache),
            lambda: local(found.row, cache),
        ):
            with no_more_files(), pytest.raises((HostError, OSError), match="open files"):
                attempt()
