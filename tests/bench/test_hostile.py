"""Pages made to be slow: every judge ends, with a verdict, and passes none of them for what they lack."""

import pytest

from scriptorium.bench.judges.facts import FACTS
from scriptorium.bench.judges.rule_sets import judge_checked
from scriptorium.bench.rules import RULES, STRICT, judge
from scriptorium.bench.tests import check_test
from scriptorium.bench.text import view as viewing
from scriptorium.bench.text.page import Page

PAGES = {
    "letters": "a" * 1_000_000,
    "cells": "<table>" + ("<tr>" + "<td>1</td>" * 10 + "</tr>") * 500 + "</table>",
    "a row": "<table><tr>" + "<td>1" * 5_000,
    "rows": "| 1 " * 10 + "|\n" + ("| 1 " * 10 + "|\n") * 2_000,
    "nested tables": "<table><tr><td>" * 3_000,
    "marks of lists": "- " * 10_000,
    "list": "- milk\n" * 5_000,
    "nested list": "".join("  " * depth + "- milk\n" for depth in range(200)),
    "html list": "<ul><li>milk" * 5_000,
    "quotes": "> " * 10_000,
    "back-quotes": "".join("`" * size + " " for size in range(1, 300)),
    "fences": "```\n" * 3_000,
    "pre": "<pre><code>" * 10_000,
    "paragraphs of back-quotes": "a ` b\n\n" * 5_000,
    "blanks of headings": ("# a" + " " * 200 + "# b\n") * 200 + "# " + " #" * 20_000,
    "references": "[1]: /\n\n" + "[a" * 5_000 + "][1]" * 5_000,
    "dashes": "a\n-\n" * 5_000 + "- " * 10_000,
    "soft hyphens": "\u00ad" * 20_000 + "\n" + "a\u00ad\n" * 5_000,
    "signs": "< " * 20_000 + "> <" * 10_000,
    "brackets": "[" * 10_000,
    "links": "[a](u)" * 5_000,
    "anchors": "<a href=x>" * 5_000,
    "headings": "# milk\n" * 3_000,
    "superscripts": "<sup>" * 3_000 + "^a" * 3_000,
    "comments": "<ul>" + "<!-- " * 20_000,
}
ASKED = [
    {"type": "count", "text": "lorem ipsum dolor", "max_diffs": 3},
    {"type": "chain", "items": ["a"] * 99 + ["lorem"]},
    {"type": "table_shape", "rows": 3, "cell": "x"},
    {"type": "table_row", "cells": ["1"] * 99 + ["2"]},
    {"type": "numeric_cell", "value": 1, "top_heading": "x", "left_heading": "z"},
    {"type": "list", "items": ["milk", "bread"]},
    {"type": "code", "text": "lorem ipsum", "max_diffs": 2},
    {"type": "link", "text": "lorem"},
    {
        "type": "heading_outline",
        "headings": [{"level": 1, "text": "milk"}] * 99 + [{"level": 2, "text": "x"}],
    },
    {"type": "footnote", "marker": "3", "appears_before_marker": "lorem"},
]


@pytest.mark.parametrize("name", PAGES)
def test_every_judge_ends(name: str) -> None:
    page = Page(PAGES[name])
    for test in ASKED:
        for rules in RULES if test["type"] not in FACTS else (STRICT,):
            assert not judge_checked(check_test(test, placed=False), page, rules).passed


def test_all_new_types_are_asked() -> None:
    assert {test["type"] for test in ASKED} == {*FACTS, "footnote"}


def test_a_page_of_too_many_tokens_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewing, "MAX_TOKENS", 1000)
    for test in ASKED[:2]:
        verdict = judge(test, "*_" * 2000, STRICT)
        assert (verdict.passed, verdict.code) == (None, "step_limit")


def test_a_page_of_too_many_blocks_is_undecided() -> None:
    verdict = judge(ASKED[5], "- milk\n" * 40_000, STRICT)
    assert (verdict.passed, verdict.code) == (None, "step_limit")


def test_a_wide_row_is_undecided() -> None:
    row = "| x" * 100_000 + "|\n" + "|-" * 100_000 + "|"
    asked = {"type": "table_row", "cells": ["x", "y"]}
    verdict = judge_checked(check_test(asked, placed=False), Page(row), STRICT)
    assert (verdict.passed, verdict.code) == (None, "step_limit")


def test_a_page_of_closing_tags_ends() -> None:
    baseline = check_test({"type": "baseline"}, placed=False)
    assert judge_checked(baseline, Page("</b>" * 25_000 + "x"), STRICT).passed
    assert judge_checked(baseline, Page("a cat " * 60 + "</td> </tr>\n</table>\n"), STRICT).code == "repeats"


@pytest.mark.parametrize("rules", RULES)
def test_long_texts_that_nearly_stand_everywhere_are_undecided(rules: str) -> None:
    wanted = {"type": "present", "text": "xyz" * 2_000, "max_diffs": 2_500}
    verdict = judge_checked(check_test(wanted, placed=False), Page("xwyvz" * 20_000), rules)
    assert (verdict.passed, verdict.code) == (None, "step_limit")
