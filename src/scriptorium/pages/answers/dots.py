"""dots.ocr: a JSON list of layout cells, in reading order.

Shape: `[{"bbox": [x1, y1, x2, y2], "category": "Text", "text": "..."}]`, with the categories below. Formulas are
bare LaTeX, tables HTML, everything else Markdown; a picture has no text. Page headers and footers are dropped;
titles and section headers get their `#` where they have none; formulas get delimiters.
"""

import json
from typing import Any

from scriptorium.pages.answers.errors import DialectError
from scriptorium.pages.answers.pieces import field, formula, joined, read_json

NAME = "dots"
VERSION = 1
CATEGORIES = frozenset(
    {"Caption", "Footnote", "Formula", "List-item", "Page-footer", "Page-header", "Picture", "Section-header"}
    | {"Table", "Text", "Title"}
)
DROPPED = frozenset({"Page-header", "Page-footer", "Picture"})
MARKS = {"Title": "# ", "Section-header": "## "}


def adapt(text: str) -> str:
    """The Markdown of one page. Raises DialectError for anything but a list of such cells."""
    if not text.strip():
        return ""
    cells = read_json(text)
    if not isinstance(cells, list):
        raise DialectError(f"expected a list of layout cells, found {type(cells).__name__}")
    return joined([_cell(cell, f"cell {number}") for number, cell in enumerate(cells)])


def whole_cells(text: str) -> str:
    """The Markdown of the cells that stand whole at the start of an answer that was cut off."""
    decoder, blocks = json.JSONDecoder(), list[str]()
    at = text.find("[") + 1
    while at and (at := text.find("{", at)) >= 0:
        try:
            cell, at = decoder.raw_decode(text, at)
            blocks.append(_cell(cell, f"cell {len(blocks)}"))
        except (ValueError, RecursionError, DialectError):
            break
    return joined(blocks)


def _cell(cell: Any, where: str) -> str:
    category = field(cell, "category", str, where)
    if category not in CATEGORIES:
        raise DialectError(f"{where}.category: unknown category {category!r}")
    if category in DROPPED:
        return ""
    text = str(field(cell, "text", str, where)).strip()
    if category == "Formula":
        return formula(text, display=True)
    if category in MARKS and text and not text.startswith("#"):
        return MARKS[category] + " ".join(text.split())
    if category == "List-item" and text and text[0] not in "-*+•0123456789([":
        return f"- {text}"
    return text
