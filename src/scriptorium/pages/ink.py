"""How much is on a page: the pixels that differ from its ground."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

CONTRAST = 64
"""Gray levels by which a mark differs from the page's ground."""
SIDE = 1288
"""Pixels of the longest side that counts of pixels are for: the same page has the same count at any size."""
EVERY = 4
"""Of so many rows and columns one is looked at."""


class Ink(NamedTuple):
    """The share of a page image that bears marks, in [0, 1], and how many pixels that is of one SIDE long."""

    share: float
    pixels: int


def measure(array: "np.ndarray") -> Ink:
    """The ink of a page image, uint8 (H, W, 3) or (H, W).

    The ground is the most frequent gray, so white print on black is ink as well.
    """
    import numpy as np

    gray = (array if array.ndim == 2 else array[..., 1])[::EVERY, ::EVERY]
    counts = np.bincount(gray.reshape(-1), minlength=256)
    ground = int(counts.argmax())
    near = int(counts[max(0, ground - CONTRAST) : ground + CONTRAST + 1].sum())
    share = 1 - near / gray.size
    height, width = array.shape[:2]
    return Ink(round(share, 5), round(share * height * width * (SIDE / max(height, width)) ** 2))
