"""The fonts that a page uses and its PDF does not carry, found in the limited child process of scriptorium.pages.pdf.

Loaded by pdf_child.py by its path; it imports nothing of scriptorium.
"""

import ctypes
from typing import Any

MOST_OBJECTS = 20_000
"""Objects of a page that are looked at."""
DEEPEST = 5
"""Forms within forms."""


def missing(page: Any) -> list[str]:
    """The names of fonts that text of an open page is set in and that are not embedded, sorted."""
    from pypdfium2 import raw

    found: dict[int, str] = {}
    objects = page.get_objects(filter=(raw.FPDF_PAGEOBJ_TEXT,), max_depth=DEEPEST)
    for _, item in zip(range(MOST_OBJECTS), objects, strict=False):
        font = raw.FPDFTextObj_GetFont(item.raw)
        place = ctypes.cast(font, ctypes.c_void_p).value
        if place and place not in found:
            found[place] = "" if raw.FPDFFont_GetIsEmbedded(font) == 1 else name_of(font)
    return sorted({name for name in found.values() if name})


def name_of(font: Any) -> str:
    """The name of a font as the PDF gives it."""
    from pypdfium2 import raw

    length = raw.FPDFFont_GetBaseFontName(font, None, 0)
    buffer = ctypes.create_string_buffer(max(1, min(length, 1000)))
    raw.FPDFFont_GetBaseFontName(font, buffer, len(buffer))
    return buffer.value.decode("utf-8", "replace") or "without a name"
