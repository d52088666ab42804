"""Turning a page upright. One convention everywhere: degrees are counter-clockwise."""

import numpy as np

from scriptorium.errors import InputError


def rotate(array: np.ndarray, degrees: int) -> np.ndarray:
    """`array` (H, W[, 3]) turned counter-clockwise by 0, 90, 180 or 270 degrees, as Pillow's transposes do.

    `rotation_correction` of a page's front matter goes in here as it is. Raises InputError for other angles.
    """
    if degrees not in (0, 90, 180, 270):
        raise InputError(f"rotation {degrees!r}: must be 0, 90, 180 or 270 degrees counter-clockwise")
    return np.ascontiguousarray(np.rot90(array, degrees // 90))
