"""The types of test that olmOCR-bench has not."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.bench.rules import RULES, STRICT, judge
from scriptorium.bench.tests import TestError, check_test
from scriptorium.bench.text.numerals import number_in

TABLE = "| City | May | June |\n|---|---|---|\n| Oslo | 1,136 | (68) |\n| Rome | 33% | − 5.0 |"
HTML = (
    "<table><tr><th rowspan=2>City</th><th colspan=2>Rain</th></tr><tr><th>May</th><th>June</th></tr>"
    "<tr><td>Oslo</td><td>53</td><td>68</td></tr></table>"
)
BLOCKS = (
    "<table><tr><td><p>3.2</p><p>(0.1)</p></td><td><ul><li>a</li><li>b</li></ul></td><td>c<br>-<br>d</td></tr>"
    "</table>"
)
LISTS = "Buy:\n\n1. milk\n2. *brown* bread\n   - rye\n   - [x] oat\n3. eggs\n\n* eggs\n"
HTML_LISTS = "<ol><li>milk<li>brown bread<ul><li>rye</li></ul></li><li>eggs</li></ol>"
CODE = "```Python\nif x:  \n    y = 1\n```\n\nuse `a  b` or <pre><code class='language-c'>\nint i;\n</code></pre>"
LINKS = (
    "see [the *manual*](http://X.org/a) or [notes][1], <https://z.org> ![pic](p.png)\n\n[1]: http://n.org/"
)
HEADINGS = "# Title\n\n## One\ntext\n\nTwo\n---\n\n<h4>Deep &amp; dark</h4>\n\n## Three"

CASES = [
    ({"type": "count", "text": "la"}, "la di", "counted"),
    ({"type": "count", "text": "la", "times": 3}, "la la **la**", "counted"),
    ({"type": "count", "text": "la", "times": 2}, "la la la", "too_many"),
    ({"type": "count", "text": "la", "times": 2}, "La la", "too_few"),
    ({"type": "count", "text": "la", "times": 2, "case_sensitive": False}, "La la", "counted"),
    ({"type": "count", "text": "aa", "times": 2}, "aaaa", "counted"),
    ({"type": "count", "text": "cat", "whole_words": True}, "cat concat cats", "counted"),
    ({"type": "count", "text": "C.", "whole_words": True}, "C. Cx", "counted"),
    ({"type": "count", "text": "Jonathan", "times": 2, "max_diffs": 1}, "Jonathan or Jonethan", "counted"),
    ({"type": "count", "text": "draft", "times": 0}, "final", "counted"),
    ({"type": "chain", "items": ["a1", "b2", "c3"]}, "x a1 y b2 z c3", "in_order"),
    ({"type": "chain", "items": ["a1", "b2", "c3"]}, "a1 c3 b2", "out_of_order"),
    ({"type": "chain", "items": ["a1", "b2", "c3"]}, "a1 c3", "item_missing"),
    ({"type": "chain", "items": ["a1", "b2", "a1"]}, "a1 b2 a1", "in_order"),
    ({"type": "chain", "items": ["a1", "b2", "a1"]}, "a1 b2", "out_of_order"),
    ({"type": "chain", "items": ["aa", "aa"]}, "aaa", "out_of_order"),
    ({"type": "chain", "items": ["alpha", "omega"], "max_diffs": 1}, "alpa then omega", "in_order"),
    ({"type": "table_shape", "rows": 3, "columns": 3}, TABLE, "found"),
    ({"type": "table_shape", "rows": 3, "columns": 3}, HTML, "found"),
    ({"type": "table_shape", "rows": 4}, TABLE, "other_shape"),
    ({"type": "table_shape", "columns": 3, "cell": "Oslo"}, TABLE, "found"),
    ({"type": "table_shape", "columns": 3, "cell": "Paris"}, TABLE, "no_cell"),
    ({"type": "table_shape", "rows": 3}, "words", "no_table"),
    ({"type": "table_row", "cells": ["Oslo", "1,136"]}, TABLE, "found"),
    ({"type": "table_row", "cells": ["1,136", "(68)"]}, TABLE, "found"),
    ({"type": "table_row", "cells": ["Oslo", "(68)"]}, TABLE, "no_row"),
    ({"type": "table_row", "cells": ["Paris"]}, TABLE, "no_cell"),
    ({"type": "table_row", "cells": ["3.2 (0.1)", "a b", "c - d"]}, BLOCKS, "found"),
    (
        {"type": "table_row", "cells": ["p<0.05", "p < 0.05"]},
        "| $p<0.05$ | p &lt; 0.05 |\n|-|-|\n| a | b |",
        "found",
    ),
    ({"type": "table_row", "cells": ["City", "Rain"]}, HTML, "found"),
    ({"type": "table_row", "cells": ["City", "May", "June"]}, HTML, "found"),
    ({"type": "numeric_cell", "value": 1136, "left_heading": "Oslo"}, TABLE, "found"),
    ({"type": "numeric_cell", "value": "1 136", "top_heading": "May"}, TABLE, "found"),
    ({"type": "numeric_cell", "value": -68}, TABLE, "found"),
    ({"type": "numeric_cell", "value": 68}, TABLE, "no_cell"),
    ({"type": "numeric_cell", "value": -5, "up": "(68)"}, TABLE, "found"),
    ({"type": "numeric_cell", "value": "33 %"}, TABLE, "found"),
    ({"type": "numeric_cell", "value": 33.4, "tolerance": 0.5}, TABLE, "found"),
    ({"type": "numeric_cell", "value": 53, "top_heading": "June"}, HTML, "no_relation"),
    ({"type": "list", "items": ["milk", "brown bread", "eggs"]}, LISTS, "found"),
    ({"type": "list", "items": ["milk", "rye", "oat"]}, LISTS, "found"),
    ({"type": "list", "items": ["rye", "oat"], "ordered": False}, LISTS, "found"),
    ({"type": "list", "items": ["milk"], "ordered": False}, LISTS, "no_item"),
    ({"type": "list", "items": ["eggs", "milk"]}, LISTS, "other_items"),
    ({"type": "list", "items": ["eggs"], "ordered": False, "complete": True}, LISTS, "found"),
    ({"type": "list", "items": ["milk", "eggs"], "complete": True}, LISTS, "other_items"),
    ({"type": "list", "items": ["milk", "brown bread", "rye"], "ordered": None}, HTML_LISTS, "found"),
    ({"type": "list", "items": ["milk", "rye"], "ordered": True}, HTML_LISTS, "other_items"),
    ({"type": "list", "items": ["milk"]}, "```\n- milk\n<ul><li>milk</ul>\n```", "no_list"),
    ({"type": "list", "items": ["milk", "brown bread"], "max_diffs": 1}, HTML_LISTS, "found"),
    ({"type": "code", "text": "if x:\n    y = 1"}, CODE, "found"),
    ({"type": "code", "text": "if x:\n  y = 1"}, CODE, "missing"),
    ({"type": "code", "text": "y = 1", "language": "python"}, CODE, "found"),
    ({"type": "code", "text": "y = 1", "language": "c"}, CODE, "other_language"),
    ({"type": "code", "text": "int i;", "language": "C"}, CODE, "found"),
    ({"type": "code", "text": "a  b"}, CODE, "found"),
    ({"type": "code", "text": "a b"}, CODE, "missing"),
    ({"type": "code", "text": "int i;"}, "    int i;", "found"),
    ({"type": "code", "text": "use"}, "use it", "no_code"),
    ({"type": "link", "text": "the manual", "href": "http://x.org/a"}, LINKS, "found"),
    ({"type": "link", "text": "the manual"}, LINKS, "found"),
    ({"type": "link", "href": "http://n.org"}, LINKS, "found"),
    ({"type": "link", "text": "https://z.org"}, LINKS, "found"),
    ({"type": "link", "text": "notes", "href": "http://x.org/a"}, LINKS, "other_text"),
    ({"type": "link", "text": "notes", "href": "http://q.org/a"}, LINKS, "other_href"),
    ({"type": "link", "href": "p.png"}, LINKS, "missing"),
    ({"type": "link", "href": "http://x.org"}, "`[a](http://x.org)`", "no_link"),
    ({"type": "link", "href": "a?b&c", "text": "A B"}, "<a class=x href='a?b&amp;c'>A <b>B</b></a>", "found"),
    ({"type": "link", "href": "https://bare.org/x"}, "at https://bare.org/x.", "found"),
    ({"type": "link", "text": "a b", "href": "/u"}, "[a *b*][] c\n\n[a *b*]: /u", "found"),
    ({"type": "link", "text": "1"}, LINKS, "missing"),
    ({"type": "link", "text": "see", "href": "u"}, "[[see](u)] [x] [ ]", "found"),
    ({"type": "heading_outline", "headings": [(1, "Title"), (2, "One"), (2, "Two")]}, HEADINGS, "found"),
    ({"type": "heading_outline", "headings": [(1, "Two"), (2, "Deep & dark")]}, HEADINGS, "found"),
    ({"type": "heading_outline", "headings": [(1, "Two"), (1, "Deep & dark")]}, HEADINGS, "other_levels"),
    ({"type": "heading_outline", "headings": [(1, "Title"), (2, "Two")]}, HEADINGS, "no_outline"),
    ({"type": "heading_outline", "headings": [(1, "A"), (2, "B")]}, "# A #\n\nB\n-", "found"),
    ({"type": "heading_outline", "headings": [(1, "Nothing")]}, HEADINGS, "missing"),
    ({"type": "heading_outline", "headings": [(1, "Nothing")]}, "words", "no_heading"),
]


@pytest.mark.parametrize(("test", "text", "code"), CASES)
def test_verdicts(test: dict, text: str, code: str) -> None:
    if "headings" in test:
        test = test | {"headings": [{"level": level, "text": text} for level, text in test["headings"]]}
    for rules in RULES:
        verdict = judge(test, text, rules)
        assert verdict.code == code
        assert verdict.passed is (code in ("found", "counted", "in_order"))


EVIDENCE = [
    ({"type": "count", "text": "la"}, "x **la** y", "la"),
    ({"type": "chain", "items": ["b", "d"]}, "a b c d e", "b c d"),
    ({"type": "table_row", "cells": ["1,136", "(68)"]}, TABLE, "1,136 | (68)"),
    ({"type": "numeric_cell", "value": 68}, HTML, "<td>68</td>"),
    ({"type": "list", "items": ["eggs"], "ordered": False}, LISTS, "* eggs"),
    ({"type": "code", "text": "a  b"}, CODE, "a  b"),
    ({"type": "link", "text": "the manual"}, LINKS, "[the *manual*](http://X.org/a)"),
    ({"type": "table", "cell": "33%"}, TABLE, "33%"),
    ({"type": "present", "text": "née"}, "cafe\u0301 ne\u0301e", "ne\u0301e"),
]


@pytest.mark.parametrize(("test", "text", "evidence"), EVIDENCE)
def test_evidence(test: dict, text: str, evidence: str) -> None:
    verdict = judge(test, text, STRICT)
    assert verdict.passed
    assert verdict.evidence is not None
    assert text[slice(*verdict.evidence)] == evidence


NUMBERS = {
    "1,136": 1136,
    "1136": 1136,
    "1 136": 1136,
    "1'136": 1136,
    "1.136.000": 1136000,
    "1.136,5": "1136.5",
    "1,136.5": "1136.5",
    "1,5": "1.5",
    "1.136": "1.136",
    ".5": "0.5",
    "(1,136)": -1136,
    "-5": -5,
    "+5": 5,
    "- 5": -5,
    "$12.50": "12.5",
    "12 €": 12,
    "33 %": 33,
    "12*": 12,
    "12^a": 12,
    "10^3": None,
    "1.2×10^3": 1200,
    "1.2e-3": "0.0012",
    "12-15": None,
    "4.1±0.2": None,
    "1,13,6": None,
    "": None,
    "n/a": None,
    "(-5)": None,
    "5" * 200: None,
}


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers(text: str) -> None:
    wanted = NUMBERS[text]
    assert number_in(text) == (None if wanted is None else Decimal(str(wanted)))


@given(st.integers(-(10**12), 10**12))
def test_a_number_is_read_however_it_is_parted(number: int) -> None:
    for text in (
        f"{number}",
        f"{number:,}",
        f"{number:,}".replace(",", " "),
        f"{number:_}".replace("_", "'"),
    ):
        assert number_in(text) == number


WRONG = [
    ({"type": "count", "text": "x", "times": -1}, "times"),
    ({"type": "count", "text": "**"}, "text"),
    ({"type": "chain", "items": ["one"]}, "items"),
    ({"type": "chain", "items": ["one", " "]}, "items"),
    ({"type": "chain", "items": "one two"}, "items"),
    ({"type": "chain", "items": ["x"] * 101}, "items"),
    ({"type": "table_shape"}, "rows"),
    ({"type": "table_shape", "rows": 0}, "rows"),
    ({"type": "table_row", "cells": []}, "cells"),
    ({"type": "table_row", "cells": ["", " "]}, "cells"),
    ({"type": "numeric_cell", "value": "twelve"}, "value"),
    ({"type": "numeric_cell", "value": True}, "value"),
    ({"type": "numeric_cell", "value": float("nan")}, "value"),
    ({"type": "numeric_cell", "value": 1, "tolerance": -1}, "tolerance"),
    ({"type": "list", "items": []}, "items"),
    ({"type": "list", "items": ["a"], "ordered": 1}, "ordered"),
    ({"type": "code", "text": "\n "}, "text"),
    ({"type": "link"}, "text"),
    ({"type": "heading_outline", "headings": [{"level": 0, "text": "x"}]}, "headings"),
    ({"type": "heading_outline", "headings": [{"level": 7, "text": "x"}]}, "headings"),
    ({"type": "heading_outline", "headings": [{"text": "x"}]}, "headings"),
]


@pytest.mark.parametrize(("test", "field"), WRONG)
def test_wrong_fields(test: dict, field: str) -> None:
    with pytest.raises(TestError) as caught:
        check_test(test, placed=False)
    assert caught.value.field == field
