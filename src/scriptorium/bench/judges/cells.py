"""The table test: a cell with given neighbours and headings, in whichever table of the page."""

from collections.abc import Callable

from scriptorium.bench.judges.steps import Steps
from scriptorium.bench.tests import Test
from scriptorium.bench.text.page import TextTable
from scriptorium.bench.text.tables import Spend
from scriptorium.bench.verdict import Verdict

RELATIONS = ("up", "down", "left", "right", "top_heading", "left_heading")

Same = Callable[[str, str], bool]
"""Whether a cell's text (second) is what the test asks for (first)."""


def judge_table(test: Test, tables: list[TextTable], form: Callable[[str], str], same: Same) -> Verdict:
    """Passes if a cell of a table reads as `cell` and each relation given holds for that very cell.

    `form` is the form in which the rule set compares texts: the tables' texts are in it already.
    """
    if test["cell"] is None:
        return Verdict(False, "no_cell_asked")
    wanted = form(test["cell"])
    return judge_cells(test, tables, lambda text: same(wanted, text), form, same)


def judge_cells(
    test: Test,
    tables: list[TextTable],
    is_asked: Callable[[str], bool],
    form: Callable[[str], str],
    same: Same,
) -> Verdict:
    """As `judge_table`, for cells of which `is_asked` holds. The evidence is the cell, or one that came near.

    The margin is below 0 by the number of relations that do not hold for the best of the cells.
    """
    spend = Steps()
    given = ((relation, form(test[relation])) for relation in RELATIONS if test[relation])
    # A relation of which the form leaves nothing is not asked.
    asked = [(relation, value) for relation, value in given if value]
    near: tuple[int, TextTable, int] | None = None
    for table in tables:
        for cell, text in enumerate(table.texts):
            if not is_asked(text):
                continue
            lacks = sum(not _holds(table, cell, *each, same, spend) for each in asked)
            if not lacks:
                return Verdict(True, "found", table.span(cell), 0)
            if near is None or lacks < near[0]:
                near = lacks, table, cell
    if near:
        return Verdict(False, "no_relation", near[1].span(near[2]), -near[0])
    return Verdict(False, "no_cell" if tables else "no_table")


def _holds(table: TextTable, cell: int, relation: str, value: str, same: Same, spend: Spend) -> bool:
    return any(same(value, table.texts[other]) for other in table.table.related(cell, relation, spend))
