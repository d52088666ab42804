"""Facts about tables: their shape, a row of cells, a cell that states a number."""

from decimal import Decimal

from scriptorium.bench.judges.asked import alike, asked_whole
from scriptorium.bench.judges.cells import judge_cells
from scriptorium.bench.judges.steps import Steps
from scriptorium.bench.tests import Test
from scriptorium.bench.text.numerals import number_in, number_of
from scriptorium.bench.text.page import Page, TextTable
from scriptorium.bench.verdict import Verdict


def _same(test: Test, wanted: str, text: str) -> bool:
    return alike(wanted, text, test["max_diffs"])


def table_shape(test: Test, page: Page) -> Verdict:
    """Some table has so many rows and columns; with `cell`, a table that holds a cell reading so.

    Rows of headings count, delimiter rows and rows without cells do not. A cell that spans counts in each row
    and column it covers. The margin is 0, or below 0 by the rows and columns that the nearest table is off.
    """
    wanted = None if test["cell"] is None else asked_whole(test["cell"])
    spend = Steps()
    tables = page.strict_markdown_tables + page.strict_html_tables
    best: tuple[int, TextTable] | None = None
    for table in tables:
        spend(len(table.texts))
        if wanted is not None and not any(_same(test, wanted, text) for text in table.texts):
            continue
        rows = sum(bool(row) for row in table.table.places)
        off = _off(test["rows"], rows) + _off(test["columns"], table.table.width)
        if best is None or off < best[0]:
            best = off, table
    if best is None:
        return Verdict(False, "no_cell" if tables else "no_table")
    off, table = best
    return Verdict(not off, "other_shape" if off else "found", table.span(), -off)


def _off(wanted: int | None, found: int) -> int:
    return 0 if wanted is None else abs(wanted - found)


def table_row(test: Test, page: Page) -> Verdict:
    """The cells stand side by side, in order, in one row of a table; holes between them do not count.

    The margin is 0, or below 0 by as many cells as the nearest row lacks.
    """
    wanted = [asked_whole(cell) for cell in test["cells"]]
    spend = Steps()
    tables = page.strict_markdown_tables + page.strict_html_tables
    most: tuple[int, TextTable | None, int] = (0, None, 0)
    for table in tables:
        for places in table.table.places:
            row = list(dict.fromkeys(places[column] for column in sorted(places)))
            spend(len(row))
            for at in range(len(row)):
                found = 0
                for cell, text in zip(row[at : at + len(wanted)], wanted, strict=False):
                    spend()
                    if not _same(test, text, table.texts[cell]):
                        break
                    found += 1
                if found == len(wanted):
                    return Verdict(True, "found", table.span(row[at], row[at + found - 1]), 0)
                if found > most[0]:
                    most = found, table, row[at]
    found, near, cell = most
    code = "no_row" if found else "no_cell" if tables else "no_table"
    return Verdict(False, code, near.span(cell) if near else None, found - len(wanted))


def numeric_cell(test: Test, page: Page) -> Verdict:
    """A cell states the number `value`, within `tolerance`; each relation given holds for that very cell."""
    value = number_of(test["value"])
    tolerance = Decimal(str(test["tolerance"]))

    def states(text: str) -> bool:
        number = number_in(text)
        return number is not None and value is not None and abs(number - value) <= tolerance

    def same(wanted: str, text: str) -> bool:
        return _same(test, wanted, text)

    tables = page.strict_markdown_tables + page.strict_html_tables
    return judge_cells(test, tables, states, asked_whole, same)
