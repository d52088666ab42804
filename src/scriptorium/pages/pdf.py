"""PDFs, opened where they can do no harm: in a child process with limits, killed as a group.

The parent never parses a PDF. A file may crash the child, exhaust its memory or keep it busy: the caller
gets a PdfError with a reason, and the next request a fresh child.
"""

import json
import re
import threading
from collections.abc import Iterator, Sequence
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from scriptorium.errors import HostError, InputError
from scriptorium.pages.child import Child, Crash

if TYPE_CHECKING:
    import numpy as np

CHILD = Path(__file__).with_name("pdf_child.py")

MEMORY = 2 << 30
"""Address space of the child, bytes: twice what the largest scan met so far needs."""

CPU_SECONDS = 30
"""CPU time of one request; the slowest page of 552 took half a second."""

WALL_SECONDS = 120.0
"""Time until an answer, on a machine that is busy with other things."""

REASONS = ("missing", "not_a_pdf", "encrypted", "damaged", "no_pages", "bad_page", "timeout", "memory")

HOST = "host"
"""The child's reason where no file is to blame but the machine."""

LINE_END_HYPHEN = "\x02"
"""What PDFium puts for a hyphen at the end of a line and the line break after it."""

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]")

FILE_ID = re.compile(rb"/ID\[<([0-9A-F]{32})><([0-9A-F]{32})>\](?=>>\s*startxref\s+\d+\s+%%EOF\s*\Z)")


class PdfError(InputError):
    """A PDF or a page of it that cannot be used. `reason` is one of REASONS."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


class Word(NamedTuple):
    """A word of a text layer and its place, in shares of the sides of the page as it is seen."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


class PageSize(NamedTuple):
    """Width and height in points, as the page is seen; zeros if the page is damaged."""

    width: float
    height: float


class Drawn(NamedTuple):
    """A page image, uint8 (H, W, 3); what drew it: `pypdfium2`, `poppler` or `pillow`; if nothing is on the page."""

    pixels: "np.ndarray"
    engine: str
    bare: bool


class PdfWorker:
    """One limited child process that opens PDFs; a context manager. It may be shared by threads.

    Pages count from 1. `password` opens a locked document. Every method raises PdfError, and only that,
    for whatever is wrong with a file.
    """

    images = False
    """Whether images are opened too: see scriptorium.pages.document."""

    def __init__(
        self, memory: int = MEMORY, cpu_seconds: int = CPU_SECONDS, wall_seconds: float = WALL_SECONDS
    ) -> None:
        self._child = Child(CHILD, memory, cpu_seconds, wall_seconds)
        self._answered = 0
        self._turn = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def pages(self, path: Path, *, password: str | None = None) -> list[PageSize]:
        """The size of every page."""
        header, _ = self._ask("pages", path, None, password)
        return [PageSize(*size) for size in header["sizes"]]

    def sizes(self, files: Sequence[Path]) -> Iterator[list[PageSize] | PdfError]:
        """The size of every page of each of `files`, or what is wrong with it.

        One request for all: see DocumentWorker.count.
        """
        try:
            asked = [{"path": str(path), "password": None} for path in files]
            header, _ = self._request({"operation": "count", "files": asked, "sizes": True}, "several files")
        except PdfError:
            yield from (self._sizes_of(path) for path in files)
            return
        for path, found in zip(files, header["found"], strict=True):
            if "reason" in found:
                yield PdfError(found["reason"], f"{path}: {found['message']}")
            else:
                yield [PageSize(*size) for size in found["sizes"]]

    def _sizes_of(self, path: Path) -> list[PageSize] | PdfError:
        try:
            return self.pages(path)
        except PdfError as error:
            return error

    def render(
        self,
        path: Path,
        page: int,
        side: int,
        *,
        max_scale: float | None = None,
        password: str | None = None,
    ) -> "np.ndarray":
        """The page as uint8 (H, W, 3) RGB on white, its crop box, longest side `side` pixels.

        A small page is not drawn larger than `max_scale` pixels a point; None sets no such bound.
        """
        return self.draw(path, page, side, max_scale=max_scale, password=password).pixels

    def draw(
        self,
        path: Path,
        page: int,
        side: int,
        *,
        max_scale: float | None = None,
        password: str | None = None,
        engine: str = "pypdfium2",
        box: str = "crop",
    ) -> Drawn:
        """As render, by an `engine` (pypdfium2, poppler) and of a `box` (crop, media)."""
        more = {"side": side, "max_scale": max_scale, "engine": engine, "box": box}
        header, raw = self._ask("render", path, page, password, **more)
        width, height = header["width"], header["height"]
        if not 1 <= min(width, height) <= max(width, height) <= side or len(raw) != width * height * 3:
            self.close()
            raise PdfError("damaged", f"{path}, page {page}: {len(raw)} bytes for {width} x {height} pixels")
        import numpy as np  # the child starts meanwhile, and a plan needs no pixels

        pixels = np.frombuffer(raw, np.uint8).reshape(height, width, 3)
        return Drawn(pixels, header["engine"], header["bare"])

    def split(self, path: Path, page: int, *, password: str | None = None) -> bytes:
        """The page as a PDF of its own, boxes and rotation kept. Same file, same bytes."""
        _, raw = self._ask("split", path, page, password)
        return with_stable_id(bytes(raw))

    def turned(self, path: Path, degrees: int, *, password: str | None = None) -> bytes:
        """The document with every page turned clockwise by 90, 180 or 270 degrees. Same file, same bytes."""
        _, raw = self._ask("turned", path, None, password, degrees=degrees)
        return with_stable_id(bytes(raw))

    def text(self, path: Path, page: int, *, password: str | None = None) -> str:
        """The page's text layer, lines ended by a newline; empty if it has none."""
        _, raw = self._ask("text", path, page, password)
        return CONTROL.sub("", raw.decode("utf-8").replace(LINE_END_HYPHEN, "-\n"))

    def words(self, path: Path, page: int, *, password: str | None = None) -> list[Word]:
        """The words of the text layer in reading order, with their places; none if there is no layer."""
        _, raw = self._ask("words", path, page, password)
        return [Word(*each) for each in json.loads(raw)]

    def picture(self, path: Path, page: int, *, password: str | None = None) -> float:
        """The share of the page, in [0, 1], that its largest picture covers: nearly all of it on a scan."""
        header, _ = self._ask("picture", path, page, password)
        return float(header["share"])

    def text_fields(self, path: Path, *, password: str | None = None) -> int:
        """How many text fields the document's form has, a thousand at most; 0 without a form."""
        header, _ = self._ask("text_fields", path, None, password)
        return int(header["fields"])

    def missing_fonts(self, path: Path, page: int, *, password: str | None = None) -> list[str]:
        """The fonts that the page's text is set in and that the PDF does not carry: others are drawn for them."""
        _, raw = self._ask("fonts", path, page, password)
        return json.loads(raw)

    def start(self) -> None:
        """Start the child process, which takes a moment, before there is anything to ask it."""
        with self._turn:
            self._child.start()

    def close(self) -> None:
        """End the child process."""
        with self._turn:
            self._child.kill()

    def _ask(
        self, operation: str, path: Path, page: int | None, password: str | None, **more: Any
    ) -> tuple[dict[str, Any], bytearray]:
        where = str(path) if page is None else f"{path}, page {page}"
        check(path)
        request = {"operation": operation, "path": str(path), "page": page, "password": password, **more}
        return self._request(request, where)

    def _request(self, request: dict[str, Any], where: str) -> tuple[dict[str, Any], bytearray]:
        request["images"] = self.images
        with self._turn:
            try:
                header, raw = self._exchange(request)
            except Crash as crash:
                raise PdfError(crash.reason, f"{where}: {crash}") from crash
        if header.get("reason") == HOST:
            raise HostError(f"{where}: {header['message']} on this host; raise its limit and run again")
        if "reason" in header:
            raise PdfError(header["reason"], f"{where}: {header['message']}")
        return header, raw

    def _exchange(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytearray]:
        """One request and its answer; a second try if an old child crashes: earlier files may be why."""
        fresh = self._child.process is None or self._answered == 0
        try:
            answer = self._child.ask(request)
        except Crash as crash:
            if fresh or crash.reason == "timeout":
                raise
            self._answered = 0
            answer = self._child.ask(request)
        self._answered += 1
        return answer


def check(path: Path) -> None:
    """Refuse what should not even be tried: a pipe or a device hangs whoever opens it."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise PdfError("missing", f"{str(path)!r}: its name is not UTF-8; rename it") from None
    if not path.is_file():
        raise PdfError("missing", f"{path}: no such file")


def with_stable_id(pdf: bytes) -> bytes:
    """The PDF with the random identifier in its trailer replaced by a hash of the rest; same length."""
    match = FILE_ID.search(pdf)
    if not match:
        raise PdfError("damaged", "the split page has no identifier where the PDF library writes it")
    head, tail = pdf[: match.start()], pdf[match.end() :]
    name = md5(head + tail, usedforsecurity=False).hexdigest().upper().encode()
    return b"%b/ID[<%b><%b>]%b" % (head, name, name, tail)
