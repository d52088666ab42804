"""A page image on its way to a model: drawn, encoded, sent and let go, drawn anew if it is wanted again.

With a thousand requests in flight the images that have been sent would fill the memory; those that wait
to be sent are kept within a budget, which holds back whoever draws.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from scriptorium.pages.image import encode_png, is_blank, smaller
from scriptorium.pages.ink import Ink, measure
from scriptorium.pages.rotation import rotate

if TYPE_CHECKING:
    import numpy as np

RESERVE = 4 << 20
"""Bytes set aside while a page is drawn: its pixels at the usual size. Its PNG has a tenth of them."""
IMAGE_BYTES = 32 << 20
"""Images, in bytes, that are drawn or wait to be sent: back-pressure on rendering. More where many draw at a time."""


class Budget:
    """Bytes of images that may be at hand at once; what does not fit waits. At least one always fits."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.used = 0
        self.most = 0
        self._freed = threading.Condition()

    def take(self, size: int) -> None:
        """Set `size` bytes aside, as soon as there is room."""
        with self._freed:
            self._freed.wait_for(lambda: not self.used or self.used + size <= self.size)
            self._add(size)
            self._freed.notify()  # there may be room for one more; waking all would be slow with a thousand

    def change(self, size: int) -> None:
        """Add `size` bytes, or give some back (negative), at once."""
        with self._freed:
            self._add(size)

    def _add(self, size: int) -> None:
        self.used += size
        self.most = max(self.most, self.used)
        if size < 0:
            self._freed.notify()


def budget_for(children: int) -> Budget:
    """The budget of a run in which so many children draw pages."""
    return Budget(max(IMAGE_BYTES, RESERVE * children))


class Sheet:
    """A page image and its PNG. Used by one thread at a time.

    `draw` gives the page upright as it lies in its document, uint8 (H, W, 3), the same every time. Without a
    `budget` the PNG is kept until the page is turned; with one until it has been sent.
    """

    def __init__(self, draw: "Callable[[], np.ndarray]", budget: Budget | None = None) -> None:
        self._draw, self._budget = draw, budget
        self._rotation, self._share = 0, 1.0
        self._png: bytes | None = None
        self.ink: Ink | None = None
        """What is on the page, once it has been drawn."""

    def is_blank(self) -> bool:
        """Whether nothing is on the page. It is at hand then if it is not."""
        return self._make(skip_blank=True)

    def png(self) -> bytes:
        """The image as it is to be sent."""
        if self._png is None:
            self._make(skip_blank=False)
        assert self._png is not None
        return self._png

    def turn(self, rotation: int) -> None:
        """Have the page `rotation` degrees counter-clockwise from how it lies in its document."""
        self.drop()
        self._rotation, self._png = rotation, None

    def shrink(self, share: float) -> None:
        """Have the sides of the image `share` of what they are."""
        self.drop()
        self._share *= share

    def sent(self) -> None:
        """The image has been sent: it need not be at hand for that any more."""
        if self._budget:
            self.drop()

    def drop(self) -> None:
        """Let the image go."""
        if self._png is not None and self._budget:
            self._budget.change(-len(self._png))
        self._png = None

    def _make(self, skip_blank: bool) -> bool:
        """Draw and encode; True, and nothing is kept, if the page is blank and those are to be skipped."""
        if self._budget:
            self._budget.take(RESERVE)
        kept = 0
        try:
            array = self._draw()
            self.ink = self.ink or measure(array)
            if skip_blank and is_blank(array):
                return True
            array = rotate(array, self._rotation) if self._rotation else array
            self._png = encode_png(smaller(array, self._share) if self._share < 1 else array)
            kept = len(self._png)
            return False
        finally:
            if self._budget:
                self._budget.change(kept - RESERVE)


def as_sheet(image: "np.ndarray | Sheet") -> Sheet:
    """An array as a sheet that is drawn already."""
    return image if isinstance(image, Sheet) else Sheet(lambda: image)
