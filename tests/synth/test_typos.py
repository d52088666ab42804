"""Misprints: few letters change, the truth has them, and their tests tell the misprint from the word."""

import random

from hypothesis import given
from hypothesis import strategies as st

from scriptorium.bench.rules import RULES, judge_page
from scriptorium.synth import markdown
from scriptorium.synth.document import (
    Cell,
    Columns,
    Formula,
    Heading,
    ListBlock,
    Paragraph,
    Sheet,
    Span,
    Table,
)
from scriptorium.synth.typos import misspelt, typo_tests, with_typos

SENTENCE = "The harbour measured another quarter before Wednesday and nobody recorded $weather$ KX-48123."


def page() -> Sheet:
    inner = (
        Paragraph((Span(SENTENCE), Formula("abcdefgh", "abc"), Span("emphatic", "bold"))),
        ListBlock(((Span("gentle machines"),), (Span("printing presses"),))),
    )
    table = Table(((Cell("untouched"), Cell("cellwords")),), 2)
    return Sheet("article", "multi_column", (Heading("Heading stays"), Columns(2, inner), table))


@given(st.text(st.characters(categories=("Ll", "Lu")), min_size=5, max_size=12), st.integers())
def test_a_misspelt_word_keeps_its_ends_and_almost_its_length(word: str, seed: int) -> None:
    made = misspelt(word, random.Random(seed))
    assert (made[0], made[-1]) == (word[0], word[-1])
    assert abs(len(made) - len(word)) <= 1
    assert len(set(made) - set(word)) == 0


@given(st.integers(), st.integers(1, 8))
def test_the_truth_has_the_misprints_and_nothing_else_changes(seed: int, count: int) -> None:
    before = page()
    after, typos = with_typos(before, count, random.Random(seed))
    assert len(typos) == count
    text = markdown.body(before)
    for typo in typos:
        assert text.count(typo.word) == 1
        text = text.replace(typo.word, typo.printed)
    assert text == markdown.body(after)
    for kept in ("Heading stays", "untouched", "cellwords", "abcdefgh", "emphatic", "KX-48123"):
        assert kept in text


def test_tests_pass_on_the_misprint_and_fail_on_the_right_spelling() -> None:
    for seed in range(20):
        before = page()
        after, typos = with_typos(before, 4, random.Random(seed))
        tests = [test | {"id": str(number)} for number, test in enumerate(typo_tests(after, typos))]
        for rules in RULES:
            assert all(each.passed for each in judge_page(tests, markdown.body(after), rules))
            assert not any(each.passed for each in judge_page(tests, markdown.body(before), rules))


def test_same_seed_same_misprints_and_no_words_no_misprints() -> None:
    assert with_typos(page(), 3, random.Random(4)) == with_typos(page(), 3, random.Random(4))
    bare = Sheet("blank", "baseline", (Heading("Nothing here to misspell"), Paragraph((Span("a bc def"),))))
    assert with_typos(bare, 3, random.Random(4)) == (bare, [])
