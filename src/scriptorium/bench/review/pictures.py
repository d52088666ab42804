"""What a person sees of a PDF's page: its picture, drawn once, and its words with their places."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from scriptorium.pages.image import encode_png
from scriptorium.pages.pdf import PdfError, PdfWorker, Word

SIDE = 2000
"""Pixels of a picture's longest side: small print can be read at three times the size of a window."""

KEPT = 48
"""Pictures kept in memory, about half a megabyte each."""

Kept = TypeVar("Kept")


class Pictures:
    """Pictures, words and text layers of pages, made when first asked for; shared by threads."""

    def __init__(self) -> None:
        self._worker = PdfWorker()
        self._kept: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self._turn = threading.Lock()

    def png(self, path: Path, page: int) -> bytes:
        """The page as PNG. Raises PdfError."""
        return self._once("png", path, page, lambda: encode_png(self._worker.render(path, page, SIDE)))

    def words(self, path: Path, page: int) -> list[Word]:
        """The words of the page's text layer with their places. Raises PdfError."""
        return self._once("words", path, page, lambda: self._worker.words(path, page))

    def layer(self, path: Path, page: int) -> str:
        """The page's text layer. Raises PdfError."""
        return self._once("layer", path, page, lambda: self._worker.text(path, page))

    def pages(self, path: Path) -> int:
        """How many pages the document has; 0 for one that cannot be opened."""
        try:
            return self._once("pages", path, 0, lambda: len(self._worker.pages(path)))
        except PdfError:
            return 0

    def close(self) -> None:
        """End the process that opens the PDFs."""
        self._worker.close()

    def _once(self, what: str, path: Path, page: int, make: Callable[[], Kept]) -> Kept:
        status = path.stat() if path.is_file() else None
        key = (what, path, page, status and (status.st_mtime_ns, status.st_size))
        with self._turn:
            if key in self._kept:
                self._kept.move_to_end(key)
                found: Kept = self._kept[key]
                return found
        made = make()
        with self._turn:
            self._kept[key] = made
            while len(self._kept) > 4 * KEPT or sum(each[0] == "png" for each in self._kept) > KEPT:
                self._kept.popitem(last=False)
        return made
