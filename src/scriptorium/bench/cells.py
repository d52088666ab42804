"""The table test: a cell with given neighbours and headings, in whichever table of the page."""

from collections.abc import Callable

from scriptorium.bench.page import TextTable
from scriptorium.bench.tests import Test
from scriptorium.bench.verdict import Verdict

RELATIONS = ("up", "down", "left", "right", "top_heading", "left_heading")

STEPS = 200_000
"""Places of a page's tables that one test may look at: far more than a real page needs."""

Same = Callable[[str, str], bool]
"""Whether a cell's text (second) is what the test asks for (first)."""


class _OutOfSteps(Exception):
    pass


def judge_table(test: Test, tables: list[TextTable], form: Callable[[str], str], same: Same) -> Verdict:
    """Passes if a cell of a table reads as `cell` and each relation given holds for that very cell.

    `form` is the form in which the rule set compares texts: the tables' texts are in it already.
    """
    if test["cell"] is None:
        return Verdict(False, "no_cell_asked")
    left = STEPS

    def spend(steps: int) -> None:
        nonlocal left
        left -= steps
        if left < 0:
            raise _OutOfSteps

    wanted = form(test["cell"])
    asked = [(relation, form(test[relation])) for relation in RELATIONS if test[relation]]
    met = False
    try:
        for table in tables:
            for cell, text in enumerate(table.texts):
                if not same(wanted, text):
                    continue
                met = True
                if all(_holds(table, cell, relation, value, same, spend) for relation, value in asked):
                    return Verdict(True, "found")
    except _OutOfSteps:
        return Verdict(None, "step_limit")
    return Verdict(False, "no_relation" if met else "no_cell" if tables else "no_table")


def _holds(
    table: TextTable, cell: int, relation: str, value: str, same: Same, spend: Callable[[int], None]
) -> bool:
    return any(same(value, table.texts[other]) for other in table.table.related(cell, relation, spend))
