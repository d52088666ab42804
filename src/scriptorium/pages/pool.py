"""Several limited child processes that open documents, for as many threads."""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from scriptorium.pages.document import DocumentWorker
from scriptorium.pages.drawing import Drawing, draw
from scriptorium.pages.pdf import Drawn, PageSize, PdfError, Word

if TYPE_CHECKING:
    import numpy as np

MOST = 16
"""More than this many children are drawn faster than one process can send."""


def cores() -> int:
    """The CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class DocumentPool:
    """A DocumentWorker for each of several threads; children start when they are first needed.

    Its methods are those of DocumentWorker, with the same errors; a thread waits while all are busy.
    """

    def __init__(self, size: int = 0) -> None:
        """`size`: number of children, by default one a core, MOST at most."""
        self.size = size or min(cores(), MOST)
        self._free: list[tuple[DocumentWorker, Path | None]] = [
            (DocumentWorker(), None) for _ in range(self.size)
        ]
        self._workers = [worker for worker, _ in self._free]
        self._changed = threading.Condition()

    @contextmanager
    def borrow(self, path: Path) -> Iterator[DocumentWorker]:
        """A worker for one request; the one that has `path` open already if it is free."""
        with self._changed:
            self._changed.wait_for(lambda: self._free)
            # The last one given back otherwise: a child that nobody needs is never started.
            place = next((i for i, (_, last) in enumerate(self._free) if last == path), len(self._free) - 1)
            worker, _ = self._free.pop(place)
        try:
            yield worker
        finally:
            with self._changed:
                self._free.append((worker, path))
                self._changed.notify()

    def start(self) -> None:
        """Start one child now, since that takes a while; the others start when they are needed."""
        self._workers[-1].start()

    def look(self, path: Path, *, password: str | None = None) -> tuple[str, list[PageSize]]:
        """As DocumentWorker.look."""
        with self.borrow(path) as worker:
            return worker.look(path, password=password)

    def count(self, files: Sequence[tuple[Path, str | None]]) -> list[tuple[str, int] | PdfError]:
        """As DocumentWorker.count."""
        with self.borrow(files[0][0]) as worker:
            return list(worker.count(files))

    def render(
        self, path: Path, page: int, side: int, *, max_scale: float | None = None, password: str | None = None
    ) -> "np.ndarray":
        """As DocumentWorker.render."""
        with self.borrow(path) as worker:
            return worker.render(path, page, side, max_scale=max_scale, password=password)

    def draw(
        self,
        path: Path,
        page: int,
        side: int,
        drawing: Drawing,
        *,
        second: bool = True,
        max_scale: float | None = None,
        password: str | None = None,
    ) -> Drawn:
        """As `drawing.draw`."""
        with self.borrow(path) as worker:
            return draw(worker, path, page, side, drawing, second, max_scale=max_scale, password=password)

    def text(self, path: Path, page: int, *, password: str | None = None) -> str:
        """As DocumentWorker.text."""
        with self.borrow(path) as worker:
            return worker.text(path, page, password=password)

    def words(self, path: Path, page: int, *, password: str | None = None) -> list[Word]:
        """As DocumentWorker.words."""
        with self.borrow(path) as worker:
            return worker.words(path, page, password=password)

    def picture(self, path: Path, page: int, *, password: str | None = None) -> float:
        """As DocumentWorker.picture."""
        with self.borrow(path) as worker:
            return worker.picture(path, page, password=password)

    def text_fields(self, path: Path, *, password: str | None = None) -> int:
        """As DocumentWorker.text_fields."""
        with self.borrow(path) as worker:
            return worker.text_fields(path, password=password)

    def close(self) -> None:
        """End all children."""
        for worker in self._workers:
            worker.close()
