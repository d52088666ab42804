"""Scans as PDFs: a sheet's image on a page of the sheet's own size, and sheets that lie on their side."""

import dataclasses
import io
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pypdfium2

from scriptorium.errors import InputError
from scriptorium.pages.front_matter import ROTATIONS, decode, encode
from scriptorium.synth.degrade import Box, degrade
from scriptorium.synth.saved import saved

SIDE = 1288
"""Pixels of the longest side: what models of olmOCR's kind are shown."""


@dataclasses.dataclass(frozen=True)
class Scan:
    """A page as it was scanned: its PDF without a text layer, the boxes on it, and how it came about."""

    pdf: bytes
    boxes: tuple[Box, ...]
    look: str
    severity: float
    operations: tuple[str, ...]


def scanned(
    pdf: bytes,
    seed: int,
    severity: float,
    look: str | None = None,
    behind: bytes | None = None,
    boxes: Sequence[Box] = (),
    turned: int = 0,
) -> Scan:
    """The first page of a PDF of our own as a scan of the same size, the words of its text layer legible.

    `behind`: the PDF of the leaf's other side. `boxes`: of blocks, in shares of the sides; they move along.
    `turned`: as in `turned_label`. Other arguments and errors as in `degrade`. Same arguments, same bytes.
    """
    with pypdfium2.PdfDocument(pdf) as document:
        page = document[0]
        width, height = page.get_size()
        image, words = _image(page), _words(page)
    other = None
    if behind is not None:
        with pypdfium2.PdfDocument(behind) as document:
            other = _image(document[0])
    made = degrade(image, words, seed, severity, look, other, boxes)
    return Scan(
        scan_pdf(made.jpeg, width, height, turned),
        turned_boxes(made.others, turned),
        made.look,
        made.severity,
        made.operations,
    )


def _image(page: Any) -> np.ndarray:
    scale = SIDE / max(page.get_size())
    return np.ascontiguousarray(page.render(scale=scale, rev_byteorder=True).to_numpy()[..., :3])


def _words(page: Any) -> list[Box]:
    """Boxes of the words of the text layer: runs of characters without a blank, on one line."""
    layer, (width, height) = page.get_textpage(), page.get_size()
    found: list[Box] = []
    for word in re.finditer(r"\S+", layer.get_text_range()):
        for number in range(layer.count_rects(word.start(), len(word[0]))):
            left, bottom, right, top = layer.get_rect(number)
            found.append((left / width, 1 - top / height, right / width, 1 - bottom / height))
    return found


def scan_pdf(jpeg: bytes, width: float, height: float, turned: int = 0) -> bytes:
    """A PDF of one page of `width` x `height` points that shows nothing but the JPEG. Same bytes, same PDF.

    `turned`: as in `turned_label`, written as the page's /Rotate, so that a reader shows the page turned.
    """
    with pypdfium2.PdfDocument.new() as document:
        page = document.new_page(width, height)
        image = pypdfium2.PdfImage.new(document)
        image.load_jpeg(io.BytesIO(jpeg), inline=True)
        image.set_matrix(pypdfium2.PdfMatrix().scale(width, height))
        page.insert_obj(image)
        page.gen_content()
        page.set_rotation(_clockwise(turned))
        return saved(document)


def turned_pdf(pdf: bytes, turned: int) -> bytes:
    """A PDF of our own with every page turned, beyond any turn that it has; see `turned_label`."""
    # A document that was read keeps an identifier of its own; a new one has PDFium's, which we can set.
    with pypdfium2.PdfDocument(pdf) as given, pypdfium2.PdfDocument.new() as document:
        document.import_pages(given)
        for page in document:
            page.set_rotation((page.get_rotation() + _clockwise(turned)) % 360)
        return saved(document)


def turned_label(truth: str, turned: int) -> str:
    """The truth of a page that was turned counter-clockwise by 0, 90, 180 or 270 degrees.

    Its rotation_correction is what turns the page upright again, counter-clockwise too; the text stays.
    Raises InputError for another angle, FrontMatterError for a truth without front matter.
    """
    _clockwise(turned)
    front, text = decode(truth)
    correction = (front.rotation_correction - turned) % 360
    turned_front = dataclasses.replace(
        front, is_rotation_valid=correction == 0, rotation_correction=correction
    )
    return encode(turned_front, text)


def turned_boxes(boxes: Sequence[Box], turned: int) -> tuple[Box, ...]:
    """Boxes on the page as it is seen once it is turned counter-clockwise by `turned` degrees."""
    _clockwise(turned)
    found = tuple(boxes)
    for _ in range(turned // 90):
        found = tuple((top, 1 - right, bottom, 1 - left) for left, top, right, bottom in found)
    return found


def _clockwise(turned: int) -> int:
    """/Rotate of PDF counts clockwise."""
    if turned not in ROTATIONS:
        raise InputError(f"turned by {turned!r}: must be 0, 90, 180 or 270 degrees counter-clockwise")
    return -turned % 360
