"""One page of a document as a PDF of its own, upright, whatever the document is."""

import io
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from scriptorium.pages.document import DocumentWorker

if TYPE_CHECKING:
    import numpy as np

IMAGE_SIDE = 3000
"""Pixels of the longest side of an image that becomes a PDF; larger ones are made smaller."""

QUALITY = 95
"""Of the JPEG in such a PDF: its traces cannot be seen on print."""


def single_page(worker: DocumentWorker, path: Path, page: int, rotation: int = 0) -> bytes:
    """The page turned counter-clockwise by `rotation` degrees. Same page, same bytes. Raises PdfError."""
    kind, sizes = worker.look(path)
    if kind != "pdf":
        return image_pdf(worker.render(path, page, IMAGE_SIDE), rotation)
    pdf = path.read_bytes() if len(sizes) == page == 1 else worker.split(path, page)
    if not rotation:
        return pdf
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "page.pdf"
        copy.write_bytes(pdf)
        return worker.turned(copy, 360 - rotation)


def image_pdf(pixels: "np.ndarray", rotation: int) -> bytes:
    """A page image, uint8 (H, W, 3), as a PDF, turned counter-clockwise. Same image, same bytes."""
    from PIL import Image

    from scriptorium.pages.rotation import rotate

    file, day = io.BytesIO(), time.gmtime(0)
    picture = Image.fromarray(rotate(pixels, rotation))
    picture.save(file, "PDF", quality=QUALITY, subsampling=0, creationDate=day, modDate=day)
    return file.getvalue()
