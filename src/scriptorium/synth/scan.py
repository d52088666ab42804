"""Scans as PDFs: a sheet's image on a page of the sheet's own size, and sheets that lie on their side."""

import dataclasses
import io
from collections.abc import Sequence

import pypdfium2

from scriptorium.errors import InputError
from scriptorium.pages.front_matter import ROTATIONS, decode, encode
from scriptorium.pages.pdf import with_stable_id
from scriptorium.synth.degrade import Box


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
        return _saved(document)


def turned_pdf(pdf: bytes, turned: int) -> bytes:
    """A PDF of our own with every page turned, beyond any turn that it has; see `turned_label`."""
    # A document that was read keeps an identifier of its own; a new one has PDFium's, which we can set.
    with pypdfium2.PdfDocument(pdf) as given, pypdfium2.PdfDocument.new() as document:
        document.import_pages(given)
        for page in document:
            page.set_rotation((page.get_rotation() + _clockwise(turned)) % 360)
        return _saved(document)


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


def _saved(document: pypdfium2.PdfDocument) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return with_stable_id(out.getvalue())
