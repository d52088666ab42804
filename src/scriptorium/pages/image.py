"""Page images: lossless PNG at a tenth of the usual cost, and how much ink a page bears."""

import base64
import binascii
import io
import struct

import numpy as np
from isal import isal_zlib

from scriptorium.errors import InputError

DARK = 128
"""Gray levels below this count as ink."""

BLANK_RANGE = 16
"""Gray levels within which a page without anything on it stays; the faintest print differs by more."""

LEVEL = 1
"""ISA-L's deflate level: 3 ms for a page of 1288 px, where Pillow takes 55 ms for the same size."""

MAGIC = b"\x89PNG\r\n\x1a\n"
UP = 2
"""PNG filter: each row as the difference from the one above; print is mostly vertical strokes and white."""


def encode_png(array: np.ndarray) -> bytes:
    """A lossless PNG of `array`, uint8 (H, W, 3) RGB or (H, W) gray. A gray page is stored as gray.

    Same array, same bytes. Raises ValueError for another shape or type.
    """
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):
        raise ValueError(f"image {array.dtype} {array.shape}; expected uint8 (H, W, 3) or (H, W)")
    if not array.size:
        raise ValueError(f"image {array.shape} has no pixels")
    if array.ndim == 3 and _is_gray(array):
        array = array[..., 0]
    height, width = array.shape[:2]
    rows = np.ascontiguousarray(array).reshape(height, -1)
    filtered = np.empty((height, rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = UP
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    color = 0 if array.ndim == 2 else 2
    head = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    data = isal_zlib.compress(filtered, LEVEL)
    return MAGIC + _chunk(b"IHDR", head) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def decode_png(png: bytes) -> np.ndarray:
    """The image as uint8 (H, W, 3) RGB. Raises InputError if it is not a whole PNG."""
    from PIL import Image  # most pages are drawn by PDFium and never need it

    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
            return np.array(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"not a whole PNG of a sane size: {error}") from error


def smaller(array: np.ndarray, share: float) -> np.ndarray:
    """The image with sides `share` (below 1) of what they are, each pixel from all that it covers."""
    from PIL import Image  # as above

    height, width = (max(1, round(side * share)) for side in array.shape[:2])
    return np.asarray(Image.fromarray(array).resize((width, height), Image.Resampling.LANCZOS))


def data_url(png: bytes) -> str:
    """The PNG as a `data:` URL, as OpenAI's protocol takes images."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def ink(array: np.ndarray) -> float:
    """The share of dark pixels, in [0, 1]."""
    gray = array if array.ndim == 2 else array[..., 1]  # green stands for brightness: close, and free
    return float(np.count_nonzero(gray < DARK) / gray.size)


def is_blank(array: np.ndarray) -> bool:
    """Whether nothing is on the page: every pixel has nearly the same colour, whatever that is.

    On the safe side: a scan of an empty sheet with its stains is not called blank.
    """
    pixels = array.reshape(array.shape[0], array.shape[1], -1)
    return _range(pixels[::8, ::8]) <= BLANK_RANGE and _range(pixels) <= BLANK_RANGE


def _range(pixels: np.ndarray) -> int:
    """The widest span of any colour channel."""
    return max(int(np.ptp(pixels[..., channel])) for channel in range(pixels.shape[2]))


def _is_gray(array: np.ndarray) -> bool:
    red, green, blue = array[..., 0], array[..., 1], array[..., 2]
    if not np.array_equal(red[::16], green[::16]):  # a few rows tell most colour pages apart
        return False
    return np.array_equal(red, green) and np.array_equal(green, blue)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", binascii.crc32(kind + data))
