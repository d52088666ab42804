"""One page of a corpus as a PDF of its own, upright, whatever its document is."""

import io
import time
from pathlib import Path
from typing import Any

from scriptorium.convert.documents import Pages
from scriptorium.pages.rotation import rotate

IMAGE_SIDE = 3000
"""Pixels of the longest side of an image that becomes a PDF; larger ones are made smaller."""

QUALITY = 95
"""Of the JPEG in such a PDF: its traces cannot be seen on print."""


def write_single(row: dict[str, Any], pages: Pages, path: Path) -> None:
    """Write the page of a row to `path`, turned as its reading was. Same page, same bytes.

    Raises PdfError or SourceError if it cannot be had.
    """
    rotation = int(row.get("rotation") or 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    if (row.get("kind") or "pdf") != "pdf":
        path.write_bytes(_image(row, pages, rotation))
        return
    path.write_bytes(pages.split(row))
    if rotation:
        with pages.worker.borrow(path) as worker:
            path.write_bytes(worker.turned(path, 360 - rotation))


def _image(row: dict[str, Any], pages: Pages, rotation: int) -> bytes:
    from PIL import Image

    file, day = io.BytesIO(), time.gmtime(0)
    picture = Image.fromarray(rotate(pages.render(row, IMAGE_SIDE), rotation))
    picture.save(file, "PDF", quality=QUALITY, subsampling=0, creationDate=day, modDate=day)
    return file.getvalue()
