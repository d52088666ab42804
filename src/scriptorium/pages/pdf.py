"""PDFs, opened where they can do no harm: in a child process with limits, killed as a group.

The parent never parses a PDF. A file may crash the child, exhaust its memory or keep it busy: the caller
gets a PdfError with a reason, and the next request a fresh child.
"""

import contextlib
import json
import os
import re
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from hashlib import md5
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from scriptorium.errors import InputError

if TYPE_CHECKING:
    import numpy as np

CHILD = Path(__file__).with_name("pdf_child.py")

MEMORY = 2 << 30
"""Address space of the child, bytes: twice what the largest scan met so far needs."""

CPU_SECONDS = 30
"""CPU time of one request; the slowest page of 552 took half a second."""

WALL_SECONDS = 120.0
"""Time until an answer, on a machine that is busy with other things."""

LARGEST_ANSWER = 1 << 30
"""Bytes; more than any page. An answer that says it is longer comes from a child gone wild."""

REASONS = ("missing", "not_a_pdf", "encrypted", "damaged", "no_pages", "bad_page", "timeout", "memory")

OUT_OF_MEMORY = frozenset({signal.SIGABRT, signal.SIGTRAP, signal.SIGILL, signal.SIGKILL})
"""How a process ends that cannot get memory: allocators trap or abort, the kernel kills."""

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


class Crash(Exception):
    """The child went away in the middle of a request: `reason` and what is known of it."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


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
        self.memory, self.cpu_seconds, self.wall_seconds = memory, cpu_seconds, wall_seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._answered = 0
        self._turn = threading.Lock()

    def __enter__(self) -> "PdfWorker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def pages(self, path: Path, *, password: str | None = None) -> list[PageSize]:
        """The size of every page."""
        header, _ = self._ask("pages", path, None, password)
        return [PageSize(*size) for size in header["sizes"]]

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
        header, raw = self._ask("render", path, page, password, side=side, max_scale=max_scale)
        width, height = header["width"], header["height"]
        if not 1 <= min(width, height) <= max(width, height) <= side or len(raw) != width * height * 3:
            self._kill()
            raise PdfError("damaged", f"{path}, page {page}: {len(raw)} bytes for {width} x {height} pixels")
        import numpy as np  # the child starts meanwhile, and a plan needs no pixels

        return np.frombuffer(raw, np.uint8).reshape(height, width, 3)

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

    def start(self) -> None:
        """Start the child process now: it is ready when the first file comes."""
        with self._turn:
            if self._child is None:
                self._start()

    def close(self) -> None:
        """End the child process."""
        with self._turn:
            self._kill()

    def _ask(
        self, operation: str, path: Path, page: int | None, password: str | None, **more: float | None
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
        if "reason" in header:
            raise PdfError(header["reason"], f"{where}: {header['message']}")
        return header, raw

    def _exchange(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytearray]:
        """One request and its answer; a second try if an old child crashes: earlier files may be why."""
        fresh = self._answered == 0
        try:
            answer = self._once(request)
        except Crash as crash:
            if fresh or crash.reason == "timeout":
                raise
            answer = self._once(request)
        self._answered += 1
        return answer

    def _once(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytearray]:
        child = self._child or self._start()
        deadline = time.monotonic() + self.wall_seconds
        try:
            body = json.dumps(request).encode()
            assert child.stdin and child.stdout
            child.stdin.write(struct.pack(">I", len(body)) + body)
            child.stdin.flush()
            (length,) = struct.unpack(">I", receive(child.stdout, 4, deadline))
            header = json.loads(receive(child.stdout, length, deadline))
            return header, receive(child.stdout, header["bytes"], deadline)
        except TimeoutError as error:
            raise Crash("timeout", f"no answer within {self.wall_seconds:g} s") from error
        except (EOFError, BrokenPipeError, ValueError) as error:
            raise self._post_mortem(child) from error
        finally:
            if sys.exc_info()[0]:
                self._kill()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", str(CHILD), str(self.memory), str(self.cpu_seconds)]
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._answered = 0
        return self._child

    def _post_mortem(self, child: subprocess.Popen[bytes]) -> Crash:
        """Why a child that closed its end went away."""
        try:
            code = child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return Crash("damaged", "the process that opened it answered nonsense")
        if code == -signal.SIGXCPU:
            return Crash("timeout", f"more than {self.cpu_seconds} s of CPU time")
        if -code in OUT_OF_MEMORY:
            return Crash(
                "memory", f"more than {self.memory >> 20} MiB of memory, or a fault of the PDF library"
            )
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return Crash("damaged", f"it crashes the PDF library ({name})")

    def _kill(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        with contextlib.suppress(ProcessLookupError):  # it has gone by itself
            os.killpg(child.pid, signal.SIGKILL)
        for pipe in (child.stdin, child.stdout):
            if pipe:
                close(pipe)
        child.wait()


def check(path: Path) -> None:
    """Refuse what should not even be tried: a pipe or a device hangs whoever opens it."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise PdfError("missing", f"{str(path)!r}: its name is not UTF-8; rename it") from None
    if not path.is_file():
        raise PdfError("missing", f"{path}: no such file")


def receive(pipe: IO[bytes], length: int, deadline: float) -> bytearray:
    """Exactly `length` bytes. Raises EOFError, TimeoutError, or ValueError for a length beyond reason."""
    if not 0 <= length <= LARGEST_ANSWER:
        raise ValueError(f"{length} bytes announced")
    buffer = bytearray(length)
    view, filled = memoryview(buffer), 0
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    while filled < length:
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise TimeoutError
        count = os.readv(pipe.fileno(), [view[filled:]])
        if not count:
            raise EOFError
        filled += count
    return buffer


def close(pipe: IO[bytes]) -> None:
    """Close a pipe to a process that may be gone."""
    with contextlib.suppress(BrokenPipeError):  # what was left in the buffer has no reader any more
        pipe.close()


def with_stable_id(pdf: bytes) -> bytes:
    """The PDF with the random identifier in its trailer replaced by a hash of the rest; same length."""
    match = FILE_ID.search(pdf)
    if not match:
        raise PdfError("damaged", "the split page has no identifier where the PDF library writes it")
    head, tail = pdf[: match.start()], pdf[match.end() :]
    name = md5(head + tail, usedforsecurity=False).hexdigest().upper().encode()
    return b"%b/ID[<%b><%b>]%b" % (head, name, name, tail)
