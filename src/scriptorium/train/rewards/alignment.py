"""Two sequences aligned in order so that the likeness of their pairs is greatest; tables by it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from rapidfuzz.distance import Indel

if TYPE_CHECKING:
    from scriptorium.bench.text.page import Page, TextTable

Item = TypeVar("Item")
Row = tuple[str, ...]


def likeness(some: Sequence[Item], others: Sequence[Item], like: Callable[[Item, Item], float]) -> float:
    """Twice the summed likeness (in [0, 1]) of the best pairs in order, over both lengths; 1 for two empty ones.

    The measure of Dice for sequences: what is missing and what is too much cost the same.
    """
    if not some and not others:
        return 1.0
    best = [0.0] * (len(others) + 1)
    for one in some:
        before = best[:]
        for at, other in enumerate(others, 1):
            best[at] = max(before[at], best[at - 1], before[at - 1] + like(one, other))
    return 2 * best[-1] / (len(some) + len(others))


def tables_of(page: "Page") -> list[list[Row]]:
    """The tables of a page, HTML then Markdown: rows of cell texts; a cell that spans several places fills them."""
    return [_grid(table) for table in (*page.strict_html_tables, *page.strict_markdown_tables)]


def table_likeness(some: list[list[Row]], others: list[list[Row]]) -> float:
    """How like two lists of tables are, in [0, 1]: tables by their rows, rows by their cells, cells by equality."""
    return likeness(some, others, lambda one, other: likeness(one, other, Indel.normalized_similarity))


def _grid(table: "TextTable") -> list[Row]:
    return [tuple(table.texts[row[place]] for place in sorted(row)) for row in table.table.places]
