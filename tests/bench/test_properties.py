"""What must hold of verdicts whatever the page: monotonicity, and how the two rule sets relate."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scriptorium.bench.judges.rule_sets import judge_checked
from scriptorium.bench.rules import OLMOCR, RULES, STRICT
from scriptorium.bench.tests import check_test
from scriptorium.bench.text.page import Page
from scriptorium.bench.verdict import Verdict

from .test_view import MARKDOWN

WORDS = st.lists(st.text("abcde", min_size=1, max_size=5), min_size=1, max_size=6).map(" ".join)
LONGER = st.lists(st.text("abcde", min_size=1, max_size=5), min_size=12, max_size=40).map(" ".join)
RULE_SETS = st.sampled_from(RULES)


def verdict(test: dict, text: str, rules: str) -> Verdict:
    return judge_checked(check_test(test, placed=False), Page(text), rules)


@settings(deadline=None)
@given(WORDS, LONGER, st.integers(0, 2), RULE_SETS)
def test_adding_the_text_makes_present_pass_and_absent_fail(
    text: str, page: str, most: int, rules: str
) -> None:
    page = f"{page}\n\n{text}\n"
    assert verdict({"type": "present", "text": text, "max_diffs": most}, page, rules).passed
    assert verdict({"type": "absent", "text": text, "max_diffs": most}, page, rules).passed is False


@settings(deadline=None)
@given(WORDS, MARKDOWN)
def test_a_paragraph_is_seen_after_any_text_that_hides_nothing(text: str, page: str) -> None:
    # What is open at the end may take in what follows: a fence, a comment, code, a formula, a link, a list.
    page = "".join(character for character in page if character.isalnum() or character in " \n.,")
    assert verdict({"type": "present", "text": text}, f"{page}\n\n{text}", STRICT).passed


@settings(deadline=None)
@given(WORDS, LONGER, st.integers(0, 3), RULE_SETS)
def test_present_and_absent_are_each_others_opposite(text: str, page: str, most: int, rules: str) -> None:
    fields = {"text": text, "max_diffs": most}
    there = verdict({"type": "present", **fields}, page, rules).passed
    assert verdict({"type": "absent", **fields}, page, rules).passed is not there


@settings(deadline=None)
@given(WORDS, LONGER, st.integers(0, 3), RULE_SETS)
def test_more_differences_allowed_never_lose_a_text(text: str, page: str, most: int, rules: str) -> None:
    fields = {"type": "present", "text": text}
    if verdict({**fields, "max_diffs": most}, page, rules).passed:
        assert verdict({**fields, "max_diffs": most + 1}, page, rules).passed


@settings(deadline=None)
@given(WORDS, LONGER)
def test_rule_sets_agree_on_plain_words_without_differences(text: str, page: str) -> None:
    assume(len(page) >= len(text))
    for kind in ("present", "absent"):
        verdicts = {verdict({"type": kind, "text": text}, page, rules).passed for rules in RULES}
        assert len(verdicts) == 1


@settings(deadline=None)
@given(WORDS, WORDS, st.integers(0, 3))
def test_on_plain_words_the_strict_present_is_the_stricter(text: str, page: str, most: int) -> None:
    # Theirs lets a page shorter than the text stand for it. In floating point theirs may lose a text at the
    # limit, so one more difference is what ours implies.
    if verdict({"type": "present", "text": text, "max_diffs": most}, page, STRICT).passed:
        assert verdict({"type": "present", "text": text, "max_diffs": most + 1}, page, OLMOCR).passed


@settings(deadline=None)
@given(WORDS, WORDS, LONGER)
def test_rule_sets_agree_on_the_order_of_plain_words(before: str, after: str, page: str) -> None:
    test = {"type": "order", "before": before, "after": after}
    assert verdict(test, page, STRICT).code == verdict(test, page, OLMOCR).code


@settings(deadline=None)
@given(st.lists(st.text("abc", min_size=1, max_size=3), min_size=2, max_size=6))
def test_a_chain_of_two_is_an_order_without_overlap(words: list[str]) -> None:
    page = " ".join(words)
    test = {"type": "chain", "items": [words[0], words[-1]]}
    assert verdict(test, page, STRICT).passed


@settings(deadline=None)
@given(WORDS, LONGER, st.integers(1, 4))
def test_a_text_is_counted_as_often_as_it_stands(text: str, page: str, times: int) -> None:
    page = " ".join([page, *[text] * times])
    count = page.count(text)
    assert verdict({"type": "count", "text": text, "times": count}, page, STRICT).passed
    assert verdict({"type": "count", "text": text, "times": count - 1}, page, STRICT).code == "too_many"


@pytest.mark.parametrize("rules", RULES)
def test_a_page_shorter_than_its_text(rules: str) -> None:
    there = verdict({"type": "present", "text": "alpha beta"}, "alpha", rules).passed
    assert there is (rules == OLMOCR)
