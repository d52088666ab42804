"""The rule sets by name, and the verdict of one test on one page."""

from functools import lru_cache
from typing import TYPE_CHECKING

from scriptorium.bench.judges.steps import OutOfSteps
from scriptorium.bench.tests import Test, TestError
from scriptorium.bench.verdict import Judge, Verdict

if TYPE_CHECKING:
    from scriptorium.bench.text.page import Page

OLMOCR = "olmocr-2026.03"
STRICT = "scriptorium-1"
RULES = (OLMOCR, STRICT)
"""The rule sets: olmOCR-bench's verdicts to the letter, and ours."""


@lru_cache(maxsize=1)
def _judges() -> dict[str, dict[str, Judge]]:
    # Imported here: scoring whose verdicts are all kept need not load what judges and reads pages.
    from scriptorium.bench.judges import olmocr, strict

    return {OLMOCR: olmocr.TYPES, STRICT: strict.TYPES}


def check_rules(names: tuple[str, ...]) -> None:
    """Raises TestError for a name that is no rule set, or if there is none."""
    if not names:
        raise TestError(f"name a rule set: {', '.join(RULES)}", field="rules")
    for name in names:
        if name not in RULES:
            raise TestError(f"{name!r} is no rule set; there are {', '.join(RULES)}", field="rules")


def judge_checked(test: Test, page: "Page", rules: str) -> Verdict:
    """The verdict of a test that `check_test` made, on a page that may be asked many tests.

    A search that takes too many steps is undecided, with the code `step_limit`. Raises TestError for a name
    that is no rule set.
    """
    if rules not in RULES:
        check_rules((rules,))
    try:
        return _judges()[rules][test["type"]](test, page)
    except OutOfSteps:
        return Verdict(None, "step_limit")
