"""What a verdict rests on, and what would have let a failed test pass."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scriptorium.bench.judges.rule_sets import judge_checked
from scriptorium.bench.rules import OLMOCR, RULES, STRICT, judge, judge_page
from scriptorium.bench.tests import check_test
from scriptorium.bench.text.page import Page

from .test_view import MARKDOWN

PAGE = """# The Long Title

Alpha beta gamma, 1,136 delta &amp; more <b>bold</b>.

| City | Rain |
|---|---|
| Oslo | 1136 |

The sum $a^2+b^2=c^2$ and the end alpha."""

WOULD_PASS = [
    ({"type": "present", "text": "alpha beta"}, "letter case is ignored"),
    ({"type": "present", "text": "Alpha bita"}, "max_diffs were 1 (now 0)"),
    ({"type": "present", "text": "end alpha", "first_n": 20}, "searched outside the first 20 characters"),
    ({"type": "present", "text": "nothing of it at all"}, None),
    ({"type": "absent", "text": "gamma"}, "the text were not there"),
    ({"type": "absent", "text": "GAMMA", "case_sensitive": False}, "letter case counted"),
    ({"type": "absent", "text": "gamna", "max_diffs": 1}, "max_diffs were 0 (now 1)"),
    ({"type": "order", "before": "end alpha", "after": "gamma"}, "before and after were swapped"),
    ({"type": "table", "cell": "1,136", "left": "Oslo"}, "the cell read '1,136' (reads '1136')"),
    ({"type": "table", "cell": "1136", "left": "Olso"}, "max_diffs were 1 (now 0)"),
    ({"type": "table", "cell": "1136", "left": "Paris"}, "left were not asked for"),
    ({"type": "table_shape", "rows": 3, "columns": 2}, "rows were 2 (now 3)"),
    ({"type": "count", "text": "gamma", "times": 3}, "times were 1 (now 3)"),
    ({"type": "chain", "items": ["end", "Alpha", "gamma"]}, "item 1 ('end') were not asked for"),
    ({"type": "format", "text": "the long title", "format": "heading"}, "letter case is ignored"),
    ({"type": "footnote", "marker": "2"}, None),
]


@pytest.mark.parametrize(("test", "words"), WOULD_PASS)
def test_would_pass_if(test: dict, words: str | None) -> None:
    for rules in RULES:
        verdict = judge(test, PAGE, rules)
        assert verdict.passed is False
        assert verdict.would_pass_if == words


def test_a_dialect_is_named() -> None:
    test = {"type": "present", "text": "delta & more bold"}
    assert judge(test, PAGE, OLMOCR).would_pass_if == "read by scriptorium-1"
    assert judge(test, PAGE, STRICT).would_pass_if is None


def test_the_nearest_formula_is_named() -> None:
    verdict = judge({"type": "math", "math": "a^2+b^2=d^2"}, PAGE, STRICT)
    assert verdict.would_pass_if == "the formula read 'a^2+b^2=d^2' (reads 'a^2+b^2=c^2')"


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize(
    ("test", "evidence", "margin"),
    [
        ({"type": "present", "text": "gamma"}, "gamma", 0),
        ({"type": "present", "text": "more bald", "max_diffs": 2}, None, 1),
        ({"type": "absent", "text": "gamma"}, "gamma", -1),
        ({"type": "order", "before": "Alpha", "after": "gamma"}, "Alpha beta gamma", None),
        ({"type": "table", "cell": "1136"}, "1136", 0),
    ],
)
def test_evidence_and_margin(rules: str, test: dict, evidence: str | None, margin: int | None) -> None:
    verdict = judge(test, PAGE.replace("&amp;", "and").replace("<b>", "").replace("</b>", ""), rules)
    assert verdict.margin == margin
    if evidence is not None:
        assert verdict.evidence is not None
        page = PAGE.replace("&amp;", "and").replace("<b>", "").replace("</b>", "")
        assert page[slice(*verdict.evidence)] == evidence


def test_pages_are_explained_on_request_only() -> None:
    tests = [{"type": "present", "text": "alpha beta"}]
    assert judge_page(tests, PAGE)[0].would_pass_if is None
    assert judge_page(tests, PAGE, explain=True)[0].would_pass_if == "letter case is ignored"


ASKED = [test for test, _ in WOULD_PASS if test["type"] != "math"]


@settings(max_examples=80, deadline=None)
@given(MARKDOWN, st.sampled_from(ASKED), st.sampled_from(RULES))
def test_explaining_never_changes_the_outcome(text: str, test: dict, rules: str) -> None:
    plain = judge_checked(check_test(test, placed=False), Page(text), rules)
    told = judge(test, text, rules)
    assert (plain.passed, plain.code) == (told.passed, told.code)
    assert told.passed is False or told.would_pass_if is None
    if told.evidence:
        assert 0 <= told.evidence[0] <= told.evidence[1] <= len(text)


@pytest.mark.parametrize(
    ("test", "text", "evidence"),
    [
        ({"type": "present", "text": "end"}, "İİİİİİİ the END. more", "END"),
        ({"type": "present", "text": "istanbul"}, "İİİ İSTANBUL.", "İSTANBUL"),
        ({"type": "present", "text": "ΟΔΟΣ"}, "Η ΟΔΟΣΑΒ", "ΟΔΟΣ"),
        ({"type": "format", "text": "end", "format": "bold"}, "İİİİ **İİ END** x", "END"),
    ],
)
def test_evidence_stays_in_place_where_case_is_ignored(test: dict, text: str, evidence: str) -> None:
    verdict = judge(test | {"case_sensitive": False}, text)
    assert verdict.passed
    assert verdict.evidence
    assert text[slice(*verdict.evidence)] == evidence
