"""Judging a page's text by its tests, under a named rule set.

What reads a page and explains a verdict is imported when something is judged: see `judges.rule_sets`.
"""

from scriptorium.bench.judges.rule_sets import OLMOCR, RULES, STRICT, check_rules, judge_checked
from scriptorium.bench.tests import Test, check_test
from scriptorium.bench.verdict import Verdict

__all__ = [
    "CONTENTLESS",
    "OLMOCR",
    "RULES",
    "STRICT",
    "check_rules",
    "check_tests",
    "checked_share",
    "counted",
    "judge",
    "judge_checked",
    "judge_page",
    "page_share",
]

CONTENTLESS = ("absent", "baseline")
"""The types of test that a page without the right text may pass."""


def judge(test: Test, text: str, rules: str = STRICT) -> Verdict:
    """The verdict of one test on a page's Markdown, without regard to the page's other tests, explained.

    `test` may be a raw record: defaults are filled in, and pdf, page and id may be missing. Raises TestError
    for a test that cannot be used.
    """
    from scriptorium.bench.judges.explain import explain
    from scriptorium.bench.text.page import Page

    checked, page = check_test(test, placed=False), Page(text)
    return explain(checked, page, rules, judge_checked(checked, page, rules))


def judge_page(tests: list[Test], text: str, rules: str = STRICT, explain: bool = False) -> list[Verdict]:
    """The verdicts of all tests of one page, in their order, each for itself: `counted` says what scores.

    `tests` may be raw records, as for `judge`. `explain` has each explained, as `judge` does: that
    takes several times as long.
    """
    from scriptorium.bench.judges import explain as explaining
    from scriptorium.bench.text.page import Page

    page = Page(text)
    checked = check_tests(tests)
    verdicts = [judge_checked(test, page, rules) for test in checked]
    if not explain:
        return verdicts
    return [
        explaining.explain(test, page, rules, verdict)
        for test, verdict in zip(checked, verdicts, strict=True)
    ]


def check_tests(tests: list[Test]) -> list[Test]:
    """Raw records as tests: defaults are filled in, and pdf, page and id may be missing.

    Raises TestError for one that cannot be used.
    """
    return [check_test(test, placed=False) for test in tests]


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
    """The share of a page's tests that its text passes, in [0, 1]; 0 for a page without tests.

    `tests` may be raw records, as for `judge`. A page that is read many times has them checked once, by
    `check_tests`, and asks `checked_share`.
    """
    return checked_share(check_tests(tests), text, rules)


def checked_share(tests: list[Test], text: str, rules: str = STRICT) -> float:
    """As `page_share`, for tests that are known to be good."""
    from scriptorium.bench.text.page import Page

    page = Page(text)
    won = counted(tests, [judge_checked(test, page, rules) for test in tests], rules)
    return sum(won) / len(won) if won else 0.0
