"""Judging whole pages: gating, hostile texts, evidence."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scriptorium.bench.rules import OLMOCR, RULES, STRICT, counted, judge, judge_page, page_share

from .test_view import MARKDOWN

PRESENT = {"type": "present", "text": "alpha beta"}
ABSENT = {"type": "absent", "text": "Page 3"}
BASELINE = {"type": "baseline"}
PAGE = [PRESENT, ABSENT, BASELINE]


def codes(tests: list[dict], text: str, rules: str) -> list[tuple[bool | None, str]]:
    return [(verdict.passed, verdict.code) for verdict in judge_page(tests, text, rules)]


def wins(tests: list[dict], text: str, rules: str) -> list[bool]:
    return counted(tests, judge_page(tests, text, rules), rules)


def test_a_page_must_show_content_first() -> None:
    verdicts = [(False, "missing"), (True, "missing"), (True, "ok")]
    assert codes(PAGE, "other words", STRICT) == codes(PAGE, "other words", OLMOCR) == verdicts
    assert wins(PAGE, "other words", STRICT) == [False, False, False]
    assert wins(PAGE, "other words", OLMOCR) == [False, True, True]
    assert wins(PAGE, "alpha beta", STRICT) == [True, True, True]


def test_a_failure_keeps_its_own_code() -> None:
    assert codes(PAGE, "Page 3", STRICT)[1] == (False, "found")
    assert codes(PAGE, "", STRICT)[2] == (False, "empty")


def test_a_page_without_content_tests_needs_only_words() -> None:
    assert wins([ABSENT, BASELINE], "words", STRICT) == [True, True]
    assert wins([ABSENT], "", STRICT) == [True]
    assert wins([ABSENT, BASELINE], "", STRICT) == [False, False]
    assert wins([ABSENT, BASELINE], "", OLMOCR) == [True, False]
    blank = {"type": "baseline", "max_length": 5}
    assert wins([ABSENT, blank], "", STRICT) == [True, True]


def test_page_share() -> None:
    assert page_share(PAGE, "alpha beta, Page 3") == pytest.approx(2 / 3)
    assert page_share(PAGE, "") == 0.0
    assert page_share([], "words") == 0.0


def test_evidence_is_in_the_markdown() -> None:
    markdown = "# **Alpha** beta\n\nGamma *delta*."
    verdict = judge({"type": "present", "text": "beta Gamma delta"}, markdown, STRICT)
    assert verdict.evidence is not None
    assert markdown[slice(*verdict.evidence)] == "beta\n\nGamma *delta"


@pytest.mark.parametrize("text", ["", "\n", " ", "a", "ab", "alph", "- -", "***", "<p></p>"])
def test_too_little_text_never_stands_for_more(text: str) -> None:
    asked = [
        {"type": "present", "text": "alpha beta", "max_diffs": 3},
        {"type": "present", "text": "alpha beta", "max_diffs": 99},
        {"type": "format", "text": "alpha beta", "format": "heading", "max_diffs": 2},
        {"type": "order", "before": "alpha", "after": "beta", "max_diffs": 2},
    ]
    for test in asked:
        assert judge(test, text, STRICT).passed is False


def test_order_tells_near_twins_apart() -> None:
    test = {"type": "order", "before": "see item 12", "after": "see item 13", "max_diffs": 2}
    assert judge(test, "see item 12, then see item 13", STRICT).code == "in_order"
    assert judge(test, "see item 13, then see item 12", STRICT).code == "reversed"
    assert judge(test, "see itom 13, then see itom 12", STRICT).code == "reversed"
    assert judge(test, "see item 12 only", STRICT).code == "after_missing"


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("word " + "la la la " * 11, False),
        ("word " + "all work and no play " * 31, False),
        ("word " + "all work and no play " * 30, True),
        ("Contents ........................................", True),
        ("| a | b |\n|----------------------------------------|---|", True),
        ("word " + "." * 2000, False),
        ("<table>" + "<tr><td>0</td></tr>" * 40 + "</table>", False),
        ("word " + "a" * 40 + "\n\n", False),
        ("<div><p></p></div>", False),
        ("漢字", False),
    ],
)
def test_baseline(text: str, passed: bool) -> None:
    assert judge(BASELINE, text, STRICT).passed is passed


TABLES = [
    ("| a | b |\n|---|---|\n| 1 | 2 |", True),
    ("> | a | b |\n> |---|---|\n> | 1 | 2 |", True),
    ("a | b\n--|--\n1 | 2", True),
    (" | b\n--|--\n1 | 2", True),
    ("```\n| a | b |\n| 1 | 2 |\n```", False),
    ("<table><tr><th>a<th>b<tr><td>1<td>**2**</table>", True),
    ("<table><th>a</th><th>b</th><tr><td>1</td><td>$2$</td></tr></table>", True),
    (
        "<table><tr><td>x</td><td><table><tr><th>b</th></tr><tr><td>2</td></tr></table></td></tr></table>",
        True,
    ),
    ("<table><tr><th>b</th></tr><tr><td>1<table><tr><td>2</td></tr></table></td></tr></table>", False),
    ("| b | a |\n|---|---|\n| 1 | 2 |", False),
    ("b 2", False),
]


@pytest.mark.parametrize(("text", "passed"), TABLES)
def test_tables(text: str, passed: bool) -> None:
    assert judge({"type": "table", "cell": "2", "top_heading": "b"}, text, STRICT).passed is passed


HOSTILE = {
    "column": "| 1 |\n" * 6000,
    "spans": "<table>" + "<tr><td rowspan=900000 colspan=900000>1" * 500,
    "nested": "<table><tr><td>" * 2000,
    "ragged": "<table><tr>" + "<td>1" * 3000 + "<tr><td>1" * 2000,
    "stars": "*_" * 16000,
    "brackets": "[" * 32000,
    "dashes": "-" * 32000 + "x",
    "comments": "<!--" * 8000,
    "letters": "a" * 32000,
    "control": "\x00\ud800" * 5000 + "<table><tr><td>1",
}
ASKED = [
    {"type": "present", "text": "lorem ipsum dolor sit amet", "max_diffs": 4},
    {"type": "order", "before": "a" * 20, "after": "ab" * 10, "max_diffs": 8},
    {"type": "table", "cell": "1", "top_heading": "x", "left_heading": "y"},
    {"type": "format", "text": "Results", "format": "heading", "max_diffs": 1},
    BASELINE,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_pass_nothing_and_raise_nothing(name: str) -> None:
    assert not any(wins(ASKED, HOSTILE[name], STRICT))
    assert len(judge_page(ASKED[2:], HOSTILE[name], OLMOCR)) == 3


def test_a_search_that_takes_too_long_is_undecided() -> None:
    assert judge(ASKED[2], HOSTILE["column"], STRICT).passed is None


@settings(max_examples=60)
@given(MARKDOWN, st.sampled_from(RULES))
def test_any_text_gets_verdicts(text: str, rules: str) -> None:
    shares = [page_share([*ASKED, *PAGE], text, rules) for _ in range(2)]
    assert shares[0] == shares[1]
    assert 0.0 <= shares[0] <= 1.0


@pytest.mark.parametrize(
    ("cell", "asked", "passed"),
    [
        ("m<sup>2</sup>", "m2", True),
        ("H<sub>2</sub>O", "H2O", True),
        ("m<sup>2</sup>", "m^2", True),
        ("m<sup>2</sup>", "m<sup>2</sup>", True),
        ("m2", "m<sup>2</sup>", False),
        ("a_b", "ab", False),
    ],
)
def test_a_cell_may_say_a_script_better_than_its_test(cell: str, asked: str, passed: bool) -> None:
    page = f"<table><tr><td>{cell}</td><td>area</td></tr></table>"
    assert judge({"type": "table", "cell": asked}, page, STRICT).passed is passed
