"""Open files for many connections; images that do not stay in memory."""

import subprocess
import sys

import pytest

from scriptorium.convert.host import OWN_FILES

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
