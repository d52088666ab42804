"""The truth that a row of a label table stands for: its columns, whatever their types, as front matter and text."""

import json
import re
from typing import Any

from scriptorium.pages import front_matter
from scriptorium.pages.front_matter import FrontMatter, FrontMatterError

FIELDS = ("primary_language", "is_rotation_valid", "rotation_correction", "is_table", "is_diagram")

CLOCKWISE = {90: 270, 270: 90}
"""The labels count degrees clockwise (the labelling prompt says so), front matter counter-clockwise."""

TRUE, FALSE = ("true", "1", "yes", "y"), ("false", "0", "no", "n")

Row = dict[str, Any]


def truth(row: Row) -> str:
    """The truth that a row stands for, front matter and text. Raises FrontMatterError.

    Null text, or blank, is a blank page; null labels take their defaults; `extras` (JSON) goes over both, and
    `response` (JSON, as in olmOCR-mix-0225) stands for all columns.
    """
    row = opened(row)
    text = row["natural_text"]
    if text is not None and not isinstance(text, str):
        raise FrontMatterError(f"natural_text {text!r}; expected a text or null")
    return front_matter.encode(front(row), text)


def opened(row: Row) -> Row:
    """The row with what its `response` and `extras` say laid over its columns. Raises FrontMatterError."""
    blank: Row = dict.fromkeys((*FIELDS, "natural_text"))
    return blank | row | _object(row.get("response"), "response") | _object(row.get("extras"), "extras")


def front(row: Row) -> FrontMatter:
    """The front matter of an opened row. Raises FrontMatterError."""
    return FrontMatter(
        _language(row["primary_language"]),
        _flag(row, "is_rotation_valid", True),
        _rotation(row["rotation_correction"]),
        _flag(row, "is_table", False),
        _flag(row, "is_diagram", False),
    )


def _object(value: Any, key: str) -> Row:
    try:
        found = json.loads(value) if isinstance(value, str) and value else value or {}
    except (ValueError, RecursionError) as error:
        raise FrontMatterError(f"{key} {value!r} is not JSON") from error
    if not isinstance(found, dict):
        raise FrontMatterError(f"{key} {value!r} is not a JSON object")
    return found


def _language(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if value is False:  # YAML 1.1 reads the code of Norwegian, no, as false
        return "no"
    match = re.match(r"[a-z]{2}(?![a-z])", str(value).lower())
    if not match:
        raise FrontMatterError(f"primary_language {value!r}; expected two letters")
    return match[0]


def _flag(row: Row, key: str, default: bool) -> bool:
    value = row[key]
    if value is None:
        return default
    if (word := str(value).lower()) not in TRUE + FALSE:
        raise FrontMatterError(f"{key} {value!r}; expected true or false")
    return word in TRUE


def _rotation(value: Any) -> int:
    if value is None:
        return 0
    if str(value) not in map(str, front_matter.ROTATIONS):
        raise FrontMatterError(f"rotation_correction {value!r}; expected one of {front_matter.ROTATIONS}")
    return CLOCKWISE.get(int(value), int(value))
