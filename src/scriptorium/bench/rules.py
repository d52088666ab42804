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

_CONTENTLESS = ("absent", "baseline")
"""The types of test that a page without the right text may pass."""


def _judges(rules: str) -> dict[str, Judge]:
    if rules not in _JUDGES:
        raise TestError(f"{rules!r} is no rule set; there are {', '.join(RULES)}", field="rules")
    return _JUDGES[rules]


def judge(test: Test, text: str, rules: str = STRICT) -> Verdict:
    """The verdict of one test on a page's Markdown, without regard to the page's other tests.

    `test` may be a raw record: defaults are filled in, and pdf, page and id may be missing. Raises TestError
    for a test that cannot be used.
    """
    judges = _judges(rules)
    checked = check_test(test, placed=False)
    return judges[checked["type"]](checked, Page(text))


def judge_page(tests: list[Test], text: str, rules: str = STRICT) -> list[Verdict]:
    """The verdicts of all tests of one page, in their order.

    Under scriptorium-1 a page must show content first: `absent` and `baseline` tests that pass count as
    failed, with the code `no_content`, where the page has other tests and passes none of them.
    """
    judges = _judges(rules)
    page = Page(text)
    checked = [check_test(test, placed=False) for test in tests]
    verdicts = [judges[test["type"]](test, page) for test in checked]
    if rules == OLMOCR:
        return verdicts
    content = [
        verdict for test, verdict in zip(checked, verdicts, strict=True) if test["type"] not in _CONTENTLESS
    ]
    if not content or any(verdict.passed for verdict in content):
        return verdicts
    return [Verdict(False, "no_content") if verdict.passed else verdict for verdict in verdicts]


def page_share(tests: list[Test], text: str, rules: str = STRICT) -> float:
    """The share of a page's tests that its text passes, in [0, 1]; 0 for a page without tests."""
    verdicts = judge_page(tests, text, rules)
    return sum(verdict.passed is True for verdict in verdicts) / len(verdicts) if verdicts else 0.0
