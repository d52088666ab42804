"""Scores as a person sees them on a terminal, or in a log: as wide as they are, whatever the window is."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from scriptorium.bench.scoring.formats import category_lines, comparison_lines, coverage, remarks, scored
from scriptorium.bench.scoring.scores import Scores

if TYPE_CHECKING:
    from scriptorium.bench.scoring.comparison import Comparison

WORDS = ("candidate", "category", "outputs")
"""Heads of the columns that begin at the left; the others hold numbers."""


def show(scores: Sequence[Scores], comparisons: "Sequence[Comparison]" = ()) -> None:
    """Print overall scores with the null candidates below, categories per rule set, and what else matters."""
    _print_overall(scores)
    for name in scores[0].rules:
        heads = ["category", "tests", *(each.candidate for each in scores)]
        _print_table(f"{name}, by category", [heads, *category_lines(scores, name)])
    lines = [line for each in scores for line in remarks(each)]
    for line in lines + [line for each in comparisons for line in comparison_lines(each)]:
        typer.echo(line)


def _print_overall(scores: Sequence[Scores]) -> None:
    names = list(scores[0].rules)
    first = scores[0]
    title = f"{first.tests} tests of {first.pages} pages, percent with 95 % intervals"
    kept = "" if first.profile == "drop-headers" else f", profile {first.profile}"
    rows = [
        [each.candidate, *(scored(each.rules[name]) for name in names), coverage(each)] for each in scores
    ]
    nulls = [
        [f"({null})", *(f"{found[name]['overall']:.1f}" for name in names), ""]
        for null, found in first.nulls.items()
    ]
    _print_table(title + kept, [["candidate", *names, "outputs"], *rows, *nulls])


def _print_table(title: str, rows: list[list[str]]) -> None:
    """Print rows, the heads first, with a line below the heads and a blank one at the end."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    heads, *others = rows
    typer.echo(title)
    for cells in (heads, ["-" * width for width in widths], *others):
        padded = [
            cell.ljust(width) if head in WORDS else cell.rjust(width)
            for head, cell, width in zip(heads, cells, widths, strict=True)
        ]
        typer.echo("  ".join(padded).rstrip())
    typer.echo()
