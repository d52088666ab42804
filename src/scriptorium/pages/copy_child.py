"""Pages as PDFs of their own, made in the limited child process of scriptorium.pages.pdf.

Loaded by pdf_child.py by its path; it imports nothing of scriptorium.
"""

import io
from typing import Any


def flatten(page: Any) -> None:
    """Make the looks of a form's fields part of an open page."""
    import pypdfium2

    pypdfium2.raw.FPDFPage_Flatten(page, pypdfium2.raw.FLAT_NORMALDISPLAY)


def copied(document: Any, indices: list[int], degrees: int, failure: Any) -> bytes:
    """Some pages as a document of their own, each turned clockwise. Raises `failure`."""
    import pypdfium2

    single = pypdfium2.PdfDocument.new()
    try:
        single.import_pages(document, indices)
        for page in single if degrees else ():
            page.set_rotation((page.get_rotation() + degrees) % 360)
        file = io.BytesIO()
        single.save(file)
    except pypdfium2.PdfiumError as error:
        what = "the page" if len(indices) == 1 else "a page"
        raise failure("bad_page", f"{what} cannot be copied: {error}") from error
    finally:
        single.close()
    return file.getvalue()
