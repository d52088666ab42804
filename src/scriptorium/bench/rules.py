"""Judging a page's text by its tests, under a named rule set."""

from scriptorium.bench import olmocr, strict
from scriptorium.bench.page import Page
from scriptorium.bench.tests import Test, TestError, check_test
from scriptorium.bench.verdict import Judge, Verdict

OLMOCR = "olmocr-2026.03"
STRICT = "scriptorium-1"
RULES = (OLMOCR, STRICT)
"""The rule sets: olmOCR-bench's verdicts to the letter, and ours."""

_JUDGES: dict[str, dict[str, Judge]] = {OLMOCR: olmocr.TYPES, STRICT: strict.TYPES}

CONTENTLESS = ("absent", "baseline")
"""The types of test that a page without the right text may pass."""


def _judges(rules: str) -> dict[str, Judge]:
    if rules not in _JUDGES:
        raise TestError(f"{rules!r} is no rule set; there are {', '.join(RULES)}", field="rules")
    return _JUDGES[rules]


def check_rules(names: tuple[str, ...]) -> None:
    """Raises TestError for a name that is no rule set, or if there is none."""
    if not names:
        raise TestError(f"name a rule set: {', '.join(RULES)}", field="rules")
    for name in names:
        _judges(name)


def judge(test: Test, text: str, rules: str = STRICT) -> Verdict:
    """The verdict of one test on a page's Markdown, without regard to the page's other tests.

    `test` may be a raw record: defaults are filled in, and pdf, page and id may be missing. Raises TestError
    for a test that cannot be used.
    """
    judges = _judges(rules)
    checked = check_test(test, placed=False)
    return judges[checked["type"]](checked, Page(text))


def judge_checked(test: Test, page: Page, rules: str) -> Verdict:
    """The verdict of a test that `check_test` made, on a page that may be asked many tests."""
    return _judges(rules)[test["type"]](test, page)


def judge_page(tests: list[Test], text: str, rules: str = STRICT) -> list[Verdict]:
    """The verdicts of all tests of one page, in their order, each for itself: `counted` says what scores.

    `tests` may be raw records, as for `judge`.
    """
    page = Page(text)
    return [judge_checked(check_test(test, placed=False), page, rules) for test in tests]


def counted(tests: list[Test], verdicts: list[Verdict], rules: str = STRICT) -> list[bool]:
    """Which of a page's tests count as passed in a score.

    Under olmocr-2026.03 every verdict that is passed counts. Under scriptorium-1 a page must show content
    first: `absent` and `baseline` tests count only where a test of another type passes, or, on a page that
    has no such test, where its baseline test did not find the page empty.
    """
    passed = [verdict.passed is True for verdict in verdicts]
    if rules == OLMOCR or all(passed):
        return passed
    content = [won for test, won in zip(tests, passed, strict=True) if test["type"] not in CONTENTLESS]
    shown = any(content) if content else not any(verdict.code == "empty" for verdict in verdicts)
    return [
        won and (shown or test["type"] not in CONTENTLESS) for test, won in zip(tests, passed, strict=True)
    ]


def page_share(tests: list[Test], text: str, rules: str = STRICT) -> float:
    """The share of a page's tests that its text passes, in [0, 1]; 0 for a page without tests."""
    won = counted(tests, judge_page(tests, text, rules), rules)
    return sum(won) / len(won) if won else 0.0
