"""What other tools write, turned into the Markdown that the rules expect: one module a dialect.

Each has a NAME, a VERSION (raised with every change of what it gives), and `adapt(text) -> str`, a pure
function that raises DialectError for a text of another shape. Name and version are kept with every page.
"""

from typing import Protocol

from scriptorium.bench.dialects import (
    chandra,
    deepseek_ocr,
    docling,
    got_ocr,
    markdown,
    marker,
    mineru,
    mistral,
    nanonets,
    nougat,
    pandoc,
    plain_html,
    surya,
)
from scriptorium.errors import nearest
from scriptorium.pages.answers import dots
from scriptorium.pages.answers.errors import DialectError

__all__ = ["DIALECTS", "DialectError", "adapt_text", "unknown"]


class Dialect(Protocol):
    """A module of this package."""

    NAME: str
    VERSION: int

    def adapt(self, text: str) -> str:
        """The Markdown of one page."""


MODULES: tuple[Dialect, ...] = (markdown, marker, mineru, docling, dots, chandra, surya, nanonets, nougat)
MODULES += (got_ocr, deepseek_ocr, mistral, pandoc, plain_html)
DIALECTS: dict[str, Dialect] = {module.NAME: module for module in MODULES}


def adapt_text(text: str, dialect: str) -> str:
    """The Markdown of one page written in `dialect`; always encodable as UTF-8. Raises DialectError."""
    return DIALECTS[dialect].adapt(text).encode("utf-8", "replace").decode()


def unknown(name: str) -> str:
    """What to say of a dialect that is not there."""
    return f"no dialect {name!r}; {nearest(name, DIALECTS)}"
