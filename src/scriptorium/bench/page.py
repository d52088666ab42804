"""A page's text, read once for all the tests that are asked of it."""

from functools import cached_property
from typing import Any

from scriptorium.bench import tables
from scriptorium.bench.normal import normal_form
from scriptorium.bench.view import View, view


class TextTable:
    """A table whose cells' texts are in the form that a rule set compares."""

    def __init__(self, table: tables.Table, texts: list[str]) -> None:
        self.table = table
        self.texts = texts


def plain(text: str) -> str:
    """The text view of a short text, trimmed; the text itself where the view sees nothing (dashes, say)."""
    return view(text).text.strip() or " ".join(text.split())


class Page:
    """The Markdown of one page, and its readings, each made when first asked for."""

    def __init__(self, markdown: str) -> None:
        self.markdown = markdown

    @cached_property
    def normal(self) -> str:
        """The normal form of olmOCR-bench."""
        return normal_form(self.markdown)

    @cached_property
    def view(self) -> View:
        """Our own text view."""
        return view(self.markdown)

    @cached_property
    def tree(self) -> Any | None:
        """The page read as HTML; None where it holds no HTML table."""
        return tables.html_tree(self.markdown)

    @cached_property
    def olmocr_markdown_tables(self) -> list[TextTable]:
        """Markdown tables as olmOCR-bench reads them, cells in its normal form."""
        return _normal(tables.olmocr_markdown_tables(self.markdown))

    @cached_property
    def olmocr_html_tables(self) -> list[TextTable]:
        """HTML tables as olmOCR-bench reads them, cells in its normal form."""
        return _normal(tables.olmocr_html_tables(self.tree)) if self.tree is not None else []

    @cached_property
    def strict_markdown_tables(self) -> list[TextTable]:
        """Markdown tables as our own rules read them, cells in the text view."""
        return _viewed(tables.strict_markdown_tables(self.markdown))

    @cached_property
    def strict_html_tables(self) -> list[TextTable]:
        """HTML tables as our own rules read them, cells in the text view."""
        return _viewed(tables.strict_html_tables(self.tree)) if self.tree is not None else []


def _normal(found: list[tables.Table]) -> list[TextTable]:
    return [TextTable(table, [normal_form(cell.text) for cell in table.cells]) for table in found]


def _viewed(found: list[tables.Table]) -> list[TextTable]:
    return [TextTable(table, [plain(cell.text) for cell in table.cells]) for table in found]
