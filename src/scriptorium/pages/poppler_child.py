"""Poppler as an engine: its programs, run by the limited child process of scriptorium.pages.pdf.

Loaded by pdf_child.py by its path; it imports nothing of scriptorium. The programs have the child's bounds of
memory, files and group, a bound of processor time of their own, and give no more bytes than are asked for.
A password is never handed on: poppler takes it on its command line, where every process can read it.
"""

import re
import subprocess
from collections.abc import Callable
from typing import Any

MOST_INFO = 32 << 20
"""Bytes that pdfinfo may say: 100,000 pages with their boxes."""
NUMBER = rb"\s+(-?[0-9.]+|-?inf|-?nan)"
LINE = re.compile(rb"(?m)^Page\s+(\d+) (rot|CropBox|MediaBox):\s*(.*)$")
COUNT = re.compile(rb"(?m)^Pages:\s+(\d+)$")
HEAD = re.compile(rb"P6\n(\d+) (\d+)\n255\n")


def run(command: list[str], most: int, prepare: Callable[[], None] | None) -> tuple[bytes, int]:
    """What a program writes, `most` bytes of it, and its exit code; it is killed if it has more to say."""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=prepare,
    ) as process:
        assert process.stdout
        try:
            said = process.stdout.read(most + 1)
        finally:
            process.kill()
    return said[:most], 0 if len(said) > most else process.returncode


def sizes(
    programs: dict[str, str], path: str, first: int, last: int, box: str, prepare: Any
) -> tuple[int, list[tuple[float, float]]]:
    """How many pages there are, and the sizes of some as they are seen: box, rotation applied. Points."""
    words = [programs["pdfinfo"], "-f", str(first), "-l", str(last), "-box", path]
    said, _ = run(words, MOST_INFO, prepare)
    if not (count := COUNT.search(said)):
        return 0, []
    pages: dict[int, dict[bytes, list[float]]] = {}
    for number, what, values in LINE.findall(said):
        pages.setdefault(int(number), {})[what] = [float(value) for value in values.split()]
    return int(count[1]), [_seen(pages[number], box) for number in sorted(pages)]


def _seen(found: dict[bytes, list[float]], box: str) -> tuple[float, float]:
    width = height = 0.0
    names = (b"CropBox", b"MediaBox") if box == "crop" else (b"MediaBox",)
    for name in names:
        if len(found.get(name, ())) == 4:
            left, bottom, right, top = found[name]
            width, height = abs(right - left), abs(top - bottom)
            if width > 0 and height > 0:
                break
    return (height, width) if found.get(b"rot", [0.0])[:1] in ([90.0], [270.0]) else (width, height)


def draw(
    programs: dict[str, str], path: str, page: int, size: tuple[int, int], box: str, prepare: Any
) -> tuple[bytes, int]:
    """The page's pixels, RGB, exactly `size` (width, height), and the exit code; no pixels if it draws none."""
    width, height = size
    words = [programs["pdftoppm"], "-f", str(page), "-l", str(page), *(["-cropbox"] if box == "crop" else [])]
    words += ["-scale-to-x", str(width), "-scale-to-y", str(height), path]
    said, code = run(words, width * height * 3 + 64, prepare)
    head = HEAD.match(said)
    if not head or (int(head[1]), int(head[2])) != size or len(said) - head.end() != width * height * 3:
        return b"", code
    return said[head.end() :], code
