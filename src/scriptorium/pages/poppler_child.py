"""Poppler as an engine: its programs, run by the limited child process of scriptorium.pages.pdf.

Loaded by pdf_child.py by its path; it imports nothing of scriptorium. The programs have the child's bounds of
memory, files and group, a bound of processor time of their own, and give no more bytes than are asked for.
A password is never handed on: poppler takes it on its command line, where every process can read it.
"""

import re
import subprocess
from typing import Any

try:
    import resource
except ImportError:  # Windows: whoever started this process watches its children too
    resource = None  # type: ignore[assignment]

MOST_INFO = 32 << 20
"""Bytes that pdfinfo may say: 100,000 pages with their boxes."""
LINE = re.compile(rb"(?m)^Page\s+(\d+) (rot|CropBox|MediaBox):\s*(.*)$")
COUNT = re.compile(rb"(?m)^Pages:\s+(\d+)\r?$")
HEAD = re.compile(rb"P6\n(\d+) (\d+)\n255\n")
SIGXCPU = 24
"""Its number on Linux, macOS and the BSDs."""


class Poppler:
    """Poppler's programs; each call of one may take `seconds` of processor time where the kernel counts it."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds

    def sizes(self, path: str, first: int, last: int, box: str) -> tuple[int, list[tuple[float, float, str]]]:
        """How many pages there are, and of some width and height in points and the box, as they are drawn."""
        said, _ = self._run(["pdfinfo", "-f", str(first), "-l", str(last), "-box", path], MOST_INFO)
        if not (count := COUNT.search(said)):
            return 0, []
        pages: dict[int, dict[bytes, list[float]]] = {}
        for number, what, values in LINE.findall(said):
            pages.setdefault(int(number), {})[what] = [float(value) for value in values.split()]
        return int(count[1]), [seen(pages[number], box) for number in sorted(pages)]

    def draw(self, path: str, page: int, side: int, box: str) -> tuple[tuple[int, int], bytes, str]:
        """The page's width, height and pixels, RGB, longest side `side`; no pixels, and why, if it draws none."""
        words = ["pdftoppm", "-f", str(page), "-l", str(page), "-scale-to", str(side)]
        words += ["-cropbox", path] if box == "crop" else [path]
        said, code = self._run(words, side * side * 3 + 64)
        if head := HEAD.match(said):
            width, height = int(head[1]), int(head[2])
            whole = len(said) - head.end() == width * height * 3
            if whole and 1 <= min(width, height) <= max(width, height) <= side:
                return (width, height), said[head.end() :], ""
        return (0, 0), b"", "timeout" if code == -SIGXCPU else f"exit code {code}"

    def answer(self, request: dict[str, Any], pixels: Any, failure: Any) -> tuple[dict[str, Any], bytes]:
        """The page that is asked for; `pixels` gives its size, `failure` is raised where there is none."""
        if request["password"]:
            raise failure("encrypted", "poppler is not asked: other processes would see the password")
        path, number = request["path"], request["page"]
        count, sizes = self.sizes(path, number, number, request["box"])
        if not 1 <= number <= count or not sizes:
            raise failure("bad_page" if count else "damaged", "poppler finds no such page")
        width, height, box = sizes[0]
        side = max(pixels(width, height, request["side"], request["max_scale"]))
        size, raw, why = self.draw(path, number, side, box)
        if not raw:
            raise failure("timeout" if why == "timeout" else "bad_page", f"poppler draws nothing ({why})")
        return {"width": size[0], "height": size[1], "engine": "poppler", "bare": False}, raw

    def _run(self, command: list[str], most: int) -> tuple[bytes, int]:
        """What a program writes, `most` bytes of it, and its exit code; it is killed if it has more to say."""
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            preexec_fn=self._limit if resource else None,
        )
        with process:
            assert process.stdout
            said = process.stdout.read(most + 1)
            if len(said) > most:
                process.kill()
        return said[:most], process.returncode

    def _limit(self) -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (self.seconds, self.seconds + 1))


def seen(found: dict[bytes, list[float]], box: str) -> tuple[float, float, str]:
    """Width, height and box of a page from what pdfinfo says of it; a crop box without an area is none."""
    width = height = 0.0
    for name in ("crop", "media") if box == "crop" else ("media",):
        corners = found.get(f"{name.title()}Box".encode(), [])
        if len(corners) == 4:
            box, width, height = name, abs(corners[2] - corners[0]), abs(corners[3] - corners[1])
            if width > 0 and height > 0:
                break
    return (height, width, box) if found.get(b"rot") in ([90.0], [270.0]) else (width, height, box)
