"""Scores as a person sees them on a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from scriptorium.bench.scoring.formats import category_lines, comparison_lines, coverage, remarks, scored
from scriptorium.bench.scoring.scores import Scores

if TYPE_CHECKING:
    from scriptorium.bench.scoring.comparison import Comparison


def show(scores: Sequence[Scores], comparisons: "Sequence[Comparison]" = ()) -> None:
    """Print overall scores with the null candidates below, categories per rule set, and what else matters."""
    console = Console()
    console.print(_overall(scores))
    for name in scores[0].rules:
        table = _table(f"{name}, by category", "category", "tests", *(each.candidate for each in scores))
        for cells in category_lines(scores, name):
            table.add_row(*map(escape, cells))
        console.print(table)
    lines = [line for each in scores for line in remarks(each)]
    for line in lines + [line for each in comparisons for line in comparison_lines(each)]:
        console.print(escape(line), soft_wrap=True, highlight=False)


def _overall(scores: Sequence[Scores]) -> Table:
    names = list(scores[0].rules)
    first = scores[0]
    title = f"{first.tests} tests of {first.pages} pages, percent with 95 % intervals"
    kept = "" if first.profile == "drop-headers" else f", profile {first.profile}"
    table = _table(title + kept, "candidate", *names, "outputs")
    for each in scores:
        cells = [scored(each.rules[name]) for name in names]
        table.add_row(escape(each.candidate), *map(escape, cells), coverage(each))
    if first.nulls:
        table.add_section()
    for null, found in first.nulls.items():
        table.add_row(f"({null})", *(f"{found[name]['overall']:.1f}" for name in names), "", style="dim")
    return table


def _table(title: str, *heads: str) -> Table:
    table = Table(title=title, title_justify="left")
    for index, head in enumerate(heads):
        table.add_column(escape(head), justify="left" if index == 0 or head == "outputs" else "right")
    return table
