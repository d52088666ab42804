"""Footnotes: every spelling of a mark, and the texts beside it."""

import pytest

from scriptorium.bench.rules import OLMOCR, RULES, STRICT, judge
from scriptorium.bench.tests import TestError, check_test

MARKED = [
    ("3", "as shown[^3] before", True),
    ("3", "as shown<sup>3</sup> before", True),
    ("3", "as shown<SUP class='fn'> 3 </SUP> before", True),
    ("3", "as shown<sup><a href='#n3'>3</a></sup> before", True),
    ("3", "as shown³ before", True),
    ("3", "as shown³¹ before", False),
    ("3", "as shown<sup>1,3</sup> before", True),
    ("3", "as shown<sup>[3]</sup> before", True),
    ("3", "as shown<sup>13</sup> before", False),
    ("3", "as shown$^{3}$ before", True),
    ("3", "as shown$^3$ before", True),
    ("3", "as shown${}^{1,3}$ before", True),
    ("3", "as shown\\(^{3}\\) before", True),
    ("3", "as shown^3^ before", True),
    ("†", "as shown$^\\dagger$ before", True),
    ("†", "as shown† before", True),
    ("†", "as shown†† before", False),
    ("‡", "as shown† before", False),
    ("*", "as shown* before", False),
    ("a", "as shownᵃ before", True),
    ("a", "as shown<sup>A</sup> before", False),
    ("3", "as shown $x^3$ before", False),
    ("3", "as shown 3 before", False),
    ("3", "as shown\n\n[^3]: the note", True),
    ("3", "as shown <!-- [^3] -->", False),
    ("3", "```\nas shown[^3]\n```", False),
    ("12", "as shown¹² before", True),
    ("1", "as shown¹² before", False),
]


@pytest.mark.parametrize(("marker", "text", "passed"), MARKED)
def test_marks(marker: str, text: str, passed: bool) -> None:
    assert judge({"type": "footnote", "marker": marker}, text, STRICT).passed is passed


BESIDE = [
    ({"marker": "†", "appears_before_marker": "B. Jones"}, "A. Smith†, B. Jones† and C. Hill", True),
    ({"marker": "†", "appears_before_marker": "C. Hill"}, "A. Smith†, B. Jones† and C. Hill", False),
    ({"appears_before_marker": "treaty of 1648"}, "They signed the treaty of 1648[^2] in haste.", True),
    ({"appears_before_marker": "in haste"}, "They signed the treaty of 1648[^2] in haste.", False),
    ({"appears_after_marker": "See Brown"}, "x[^2] " + "word " * 60 + "\n\n[^2]: See Brown, 1999.", True),
    ({"appears_after_marker": "See Brown"}, "x[^2] " + "word " * 60 + "\n\n[^3]: See Brown, 1999.", False),
    ({"appears_after_marker": "See Brovn", "max_diffs": 1}, "x\n\n[^2]: See Brown", True),
    ({"appears_before_marker": "an expression"}, "a[^2] and more", False),
    ({"appears_after_marker": "word " * 90}, "x[^2] " + "word " * 90, True),
]


@pytest.mark.parametrize(("fields", "text", "passed"), BESIDE)
def test_texts_beside(fields: dict, text: str, passed: bool) -> None:
    assert judge({"type": "footnote", "marker": "2", **fields}, text, STRICT).passed is passed


def test_evidence_is_the_mark() -> None:
    for rules in RULES:
        text = "one[^1] two[^2] three"
        test = {"type": "footnote", "marker": "2", "appears_before_marker": "two"}
        verdict = judge(test, text, rules)
        assert verdict.evidence is not None
        assert text[slice(*verdict.evidence)] == "[^2]"


def test_a_marker_inside_another_stays_the_peers_verdict() -> None:
    assert judge({"type": "footnote", "marker": "1"}, "as shown¹²", OLMOCR).passed


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"marker": ""}, "marker"),
        ({"marker": "1 2"}, "marker"),
        ({"marker": 3}, "marker"),
        ({"appears_before_marker": "**"}, "appears_before_marker"),
        ({"appears_after_marker": " "}, "appears_after_marker"),
    ],
)
def test_wrong_fields(change: dict, field: str) -> None:
    with pytest.raises(TestError) as caught:
        check_test({"type": "footnote", "marker": "1"} | change, placed=False)
    assert caught.value.field == field


def test_a_marker_of_nothing_is_not_found() -> None:
    assert judge({"type": "footnote", "marker": "\u00a0"}, "a<sup>(1)</sup>").code == "marker_missing"
