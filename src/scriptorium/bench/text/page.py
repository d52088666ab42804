"""A page's text, read once for all the tests that are asked of it."""

import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

from scriptorium.bench.judges.asked import plain
from scriptorium.bench.judges.steps import OutOfSteps
from scriptorium.bench.text import tables
from scriptorium.bench.text.blocks import Blocks, blocks
from scriptorium.bench.text.html_places import places_of
from scriptorium.bench.text.links import Link, links
from scriptorium.bench.text.normal import normal_form
from scriptorium.bench.text.seen import View
from scriptorium.bench.text.view import view

_LINKED = re.compile(r"[\[<]|://|www\.")


class TextTable:
    """A table whose cells' texts are in the form that a rule set compares; `page` is where it stands."""

    def __init__(self, table: tables.Table, texts: list[str], page: "Page") -> None:
        self.table = table
        self.texts = texts
        self.page = page

    def span(self, first: int | None = None, last: int | None = None) -> tuple[int, int] | None:
        """The span in the Markdown of cells `first` to `last`, of a cell, or of all; None if not known."""
        final = len(self.texts) - 1 if first is None else first if last is None else last
        low, high = self._place(first or 0), self._place(final)
        return (low[0], high[1]) if low and high else None

    def _place(self, number: int) -> tuple[int, int] | None:
        cell = self.table.cells[number]
        place = self.page.origin(cell)
        if place is None or cell.line is None:
            return place
        at, end = place
        while number and self.table.cells[number - 1].line is cell.line:
            number -= 1
        while self.table.cells[number] is not cell:
            at = self.page.markdown.find(self.table.cells[number].text, at, end)
            at = self.page.markdown.find("|", at + len(self.table.cells[number].text), end) + 1
            number += 1
        at = self.page.markdown.find(cell.text, at, end)
        return at, at + len(cell.text)


class Page:
    """The Markdown of one page, and its readings, each made when first asked for."""

    def __init__(self, markdown: str) -> None:
        self.markdown = markdown

    @cached_property
    def normal(self) -> str:
        """The normal form of olmOCR-bench."""
        return normal_form(self.markdown)

    @property
    def view(self) -> View:
        """Our own text view. Raises OutOfSteps, each time, for a page of too many tokens."""
        if self._view is None:
            raise OutOfSteps
        return self._view

    @cached_property
    def _view(self) -> View | None:
        try:
            return view(self.markdown)
        except OutOfSteps:
            return None

    @cached_property
    def tree(self) -> Any | None:
        """The page read as HTML; None where it holds no HTML table."""
        return tables.html_tree(self.markdown)

    @cached_property
    def olmocr_markdown_tables(self) -> list[TextTable]:
        """Markdown tables as olmOCR-bench reads them, cells in its normal form."""
        return self._normal(tables.olmocr_markdown_tables(self.markdown))

    @cached_property
    def olmocr_html_tables(self) -> list[TextTable]:
        """HTML tables as olmOCR-bench reads them, cells in its normal form."""
        return self._normal(tables.olmocr_html_tables(self.markdown))

    @cached_property
    def strict_markdown_tables(self) -> list[TextTable]:
        """Markdown tables as our own rules read them, cells in the text view."""
        return self._viewed(tables.strict_markdown_tables(self.markdown))

    @cached_property
    def strict_html_tables(self) -> list[TextTable]:
        """HTML tables as our own rules read them, cells in the text view."""
        return self._viewed(tables.strict_html_tables(self.tree)) if self.tree is not None else []

    @cached_property
    def blocks(self) -> Blocks:
        """The lists and the blocks of code. Raises OutOfSteps for a page that is too long."""
        return blocks(self.markdown)

    @cached_property
    def links(self) -> list[Link]:
        """The links. Raises OutOfSteps for a page of too many tokens."""
        return links(self.markdown) if self.view.text and _LINKED.search(self.markdown) else []

    def _normal(self, found: list[tables.Table]) -> list[TextTable]:
        return self._with_texts(found, normal_form)

    def _viewed(self, found: list[tables.Table]) -> list[TextTable]:
        return self._with_texts(found, plain)

    def _with_texts(self, found: list[tables.Table], form: Callable[[str], str]) -> list[TextTable]:
        # The cells of a table repeat each other, in loops a thousand times.
        forms = {text: form(text) for text in dict.fromkeys(c.text for table in found for c in table.cells)}
        return [TextTable(table, [forms[cell.text] for cell in table.cells], self) for table in found]

    def origin(self, cell: tables.Cell) -> tuple[int, int] | None:
        """The span in the Markdown of a table's cell; None where the page's HTML is too broken to tell."""
        return cell.origin or cell.line or self._cell_places.get(cell.element)

    @cached_property
    def _cell_places(self) -> dict[Any, tuple[int, int]]:
        return places_of(self.markdown, self.tree, ("td", "th")) if self.tree is not None else {}
