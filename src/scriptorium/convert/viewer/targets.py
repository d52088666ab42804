"""Marks that a person made in the viewer, and which pages they make fit to train on."""

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scriptorium.errors import InputError
from scriptorium.pages.front_matter import FrontMatter, FrontMatterError, decode, encode
from scriptorium.pages.targets import target_of, why_not_right


class Front(BaseModel):
    """Front matter as a mark holds it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    primary_language: str | None = None
    is_rotation_valid: bool = True
    rotation_correction: int = 0
    is_table: bool = False
    is_diagram: bool = False


class Mark(BaseModel):
    """A line of the file that the viewer exports: one page, and what a person said of it.

    `settings` is the id of the run whose text was shown, `text_sha256` the hash of that text. A fix brings a
    text and front matter of its own.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    mark: Literal["right", "wrong", "fixed"]
    document: str = Field(pattern=r"^[0-9a-f]{64}$")
    page: int = Field(ge=1)
    settings: str = ""
    text_sha256: str = ""
    text: str = ""
    front: Front | None = None


def read_marks(path: Path) -> list[Mark]:
    """The marks of a file; of several on one page the last one counts. Raises InputError for other lines."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    marks: dict[tuple[str, int], Mark] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            mark = Mark.model_validate(json.loads(line))
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}:{number}: not a mark of the viewer: {_said(error)}") from error
        marks.pop((mark.document, mark.page), None)
        marks[mark.document, mark.page] = mark
    return list(marks.values())


def _said(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    return str(error)


def target(mark: Mark, row: dict[str, Any], text_sha256: str) -> str:
    """The text to learn for a page marked right or fixed. Raises FrontMatterError with the reason if it has none.

    `text_sha256` is the hash of the text that the row has now.
    """
    if mark.mark == "fixed":
        if mark.front is None:
            raise FrontMatterError("the correction has no front matter")
        made = encode(FrontMatter(**mark.front.model_dump()), mark.text)
    else:
        if not why_not_right(row) and mark.text_sha256 != text_sha256:
            raise FrontMatterError("the text has changed since the page was marked")
        return target_of(row)
    decode(made)  # nothing is learnt that the codec cannot read
    return made
