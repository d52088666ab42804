"""The words of a text layer and their places, taken in the limited child process of scriptorium.pages.pdf.

Loaded by pdf_child.py by its path; it imports nothing of scriptorium.
"""

import ctypes
from typing import Any

GRID = 20_000
"""Steps along each side of a page in which the places of words are counted."""
MOST_WORDS = 20_000
"""Words of a page whose places are told."""
LINE_END_HYPHEN = "\u00ad"
"""What ends a word that goes on in the next line."""
SPACES = frozenset(" \t\r\n\f\v\u00a0\x00")


def words(page: Any) -> list[list[Any]]:
    """An open page's words: [text, left, top, right, bottom], in shares of the page as it is seen."""
    import pypdfium2

    found: list[list[Any]] = []
    layer = page.get_textpage()
    word, box = "", [GRID, GRID, 0, 0]
    for index in range(layer.count_chars() + 1):
        code = pypdfium2.raw.FPDFText_GetUnicode(layer, index) if index < layer.count_chars() else 32
        character = LINE_END_HYPHEN if code == 2 else chr(code)
        if character not in SPACES:
            word, box = word + character, _around(box, _place(page, layer, index))
        elif word:
            found.append([word, *(round(side / GRID, 5) for side in box)])
            word, box = "", [GRID, GRID, 0, 0]
            if len(found) >= MOST_WORDS:
                break
    return found


def _place(page: Any, layer: Any, index: int) -> list[int]:
    """A character's box on the grid: left, top, right, bottom; the page's rotation and crop applied."""
    import pypdfium2

    left, bottom, right, top = layer.get_charbox(index, loose=True)
    corners = []
    for x, y in ((left, bottom), (right, top)):
        across, down = ctypes.c_int(), ctypes.c_int()
        pypdfium2.raw.FPDF_PageToDevice(page, 0, 0, GRID, GRID, 0, x, y, across, down)
        corners.append((across.value, down.value))
    (x0, y0), (x1, y1) = corners
    return [min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)]


def _around(one: list[int], other: list[int]) -> list[int]:
    return [min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])]
