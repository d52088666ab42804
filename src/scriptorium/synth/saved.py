"""PDFs of our own making, written the same way each time: PDFium puts the date and a random name in them."""

import io
import re
from typing import Any

from scriptorium.pages.pdf import with_stable_id

DATES = re.compile(rb"/(?:CreationDate|ModDate)\s*\(D:[^)]*\)")


def saved(document: Any) -> bytes:
    """The bytes of a document made with `pypdfium2.PdfDocument.new`: same pages, same bytes."""
    out = io.BytesIO()
    document.save(out)
    return with_stable_id(DATES.sub(_same_date, out.getvalue()))


def _same_date(match: re.Match[bytes]) -> bytes:
    """The same date everywhere, in as many bytes: nothing in the file moves."""
    digits = iter(b"20000101000000")
    return re.sub(rb"\d", lambda _: b"%c" % next(digits, ord("0")), match[0])
