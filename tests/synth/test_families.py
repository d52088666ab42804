"""Every family draws pages that pass the gate, in every language it is asked for."""

import random
from collections import Counter

import pytest

from scriptorium.errors import ConfigError
from scriptorium.pages import front_matter
from scriptorium.synth import markdown
from scriptorium.synth.document import Columns, Figure, Footnote, Table, leaves
from scriptorium.synth.expressions import Grammar
from scriptorium.synth.families import CATEGORIES, ENGLISH, FAMILIES, LANGUAGES, draw
from scriptorium.synth.sheets import make_sample
from scriptorium.synth.wordbook import Wordbook
from scriptorium.synth.words import POOL_OF_SPLIT, pool_of
from tests.synth.sheets_made import TYPESETTER, sample

SEEDS = 3


@pytest.mark.parametrize("family", FAMILIES)
def test_pages_pass_the_gate(family: str) -> None:
    for index in range(SEEDS):
        made = sample(family, index)
        assert made.sheet.family == family
        assert made.pdf.startswith(b"%PDF")
        assert {test["category"] for test in made.tests} <= {made.sheet.category, "baseline"}


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_two_hundred_seeds_pass_the_gate(family: str) -> None:
    rejects: Counter[str] = Counter()
    for index in range(200):
        make_sample(family, "bench", "whole", index, TYPESETTER, rejects)
    assert rejects.total() <= 20, rejects


def test_every_category_of_the_bench_has_a_family() -> None:
    assert {sample(family, k).sheet.category for family in FAMILIES for k in range(SEEDS)} >= set(CATEGORIES)


def test_every_type_of_test_is_made() -> None:
    found = {test["type"] for family in FAMILIES for k in range(SEEDS) for test in sample(family, k).tests}
    plain = {"present", "absent", "order", "table", "math", "format", "footnote", "baseline"}
    facts = {"count", "chain", "list", "code", "table_shape", "table_row", "numeric_cell", "heading_outline"}
    assert found == plain | facts


@pytest.mark.parametrize("language", [name for name, _ in LANGUAGES])
def test_a_language_is_written_in_its_script(language: str) -> None:
    sheet = draw("book", "sft", random.Random(3), language)
    front, text = front_matter.decode(markdown.truth(sheet))
    assert front.primary_language == language
    script = {"el": ("α", "ω"), "ru": ("а", "я")}.get(language, ("a", "z"))
    letters = [c for c in (text or "").lower() if c.isalpha()]
    assert sum(script[0] <= c <= script[1] for c in letters) > 0.7 * len(letters)


def test_a_language_without_words_is_refused() -> None:
    with pytest.raises(ConfigError, match="'tlh' has no words here"):
        draw("book", "sft", random.Random(0), "tlh")


@pytest.mark.parametrize("family", ENGLISH)
def test_set_phrases_are_in_the_language_of_the_page(family: str) -> None:
    assert draw(family, "sft", random.Random(1), "ru").language == "en"


def test_a_blank_page_has_no_text_and_no_language() -> None:
    made = sample("blank", 0)
    front, text = front_matter.decode(markdown.truth(made.sheet))
    assert (front.primary_language, text) == (None, None)
    assert next(test for test in made.tests if test["type"] == "baseline")["max_length"] == 0


def test_front_matter_says_what_is_on_the_page() -> None:
    for family in ("big_table", "figures", "book"):
        sheet = sample(family, 0).sheet
        kinds = {type(block) for block in leaves(sheet.blocks)}
        front, _ = front_matter.decode(markdown.truth(sheet))
        assert (front.is_table, front.is_diagram) == (Table in kinds, Figure in kinds)
    assert any(isinstance(b, Footnote) for k in range(6) for b in leaves(sample("book", k).sheet.blocks))


@pytest.mark.parametrize("split", ["sft", "bench", "rl"])
def test_what_nobody_can_guess_is_of_the_split(split: str) -> None:
    book = Wordbook("en", split, random.Random(5))
    serials = [book.serial() for _ in range(50)]
    assert {pool_of(token) for token in serials} == {POOL_OF_SPLIT[split]}


def test_newspapers_have_columns() -> None:
    sheet = sample("newspaper", 0).sheet
    assert [block.count for block in sheet.blocks if isinstance(block, Columns)] == [4, 3, 4]


def test_a_formula_is_alike_in_both_languages() -> None:
    """Numbers and letters of both spellings agree: one grammar draws both."""
    import re

    grammar = Grammar(random.Random(8))
    for _ in range(300):
        formula = grammar.display()
        numbers = [re.findall(r"\d+", text) for text in (formula.latex, formula.typst)]
        assert Counter(numbers[0]) == Counter(numbers[1])
