"""The gate lets good pages through and says of each bad one what is wrong."""

import random
from dataclasses import replace
from typing import Any

import pytest

from scriptorium.synth import markdown
from scriptorium.synth.document import Beside, Columns, Gap, Heading, Lines, Paragraph, Sheet, Span, Style
from scriptorium.synth.gate import misjudged, reject
from scriptorium.synth.mutants import mutant
from scriptorium.synth.places import drawn
from scriptorium.synth.tests import make_tests
from tests.synth.sheets_made import TYPESETTER, sample

TEXT = Paragraph((Span("The harbour of Altmere was closed in March, 4711 ships lay idle."),))


def verdict(sheet: Sheet, pdf_of: Sheet | None = None) -> str | None:
    """What the gate says of a sheet, drawn as another if one is given."""
    page = drawn(sheet, TYPESETTER.pdf(pdf_of or sheet))
    return reject(sheet, page, make_tests(sheet, page, random.Random(1)))


def sheet(*blocks: Any, **style: Any) -> Sheet:
    return Sheet("book", "old_scans", blocks, style=Style(**style))


def test_a_good_page_passes() -> None:
    assert verdict(sheet(Heading("A quiet harbour"), TEXT)) is None


def test_a_page_that_runs_over_is_rejected() -> None:
    assert verdict(sheet(*[TEXT] * 50)) == "not one page: 2"


def test_text_that_is_not_drawn_is_rejected() -> None:
    said = sheet(TEXT, Paragraph((Span("Nobody drew this."),)))
    assert verdict(said, sheet(TEXT)) == "not in the text layer in order: 'Nobody drew this.'"


def test_text_that_is_drawn_in_another_order_is_rejected() -> None:
    other = Paragraph((Span("Winter came early."),))
    assert (verdict(sheet(TEXT, other), sheet(other, TEXT)) or "").startswith(
        "not in the text layer in order"
    )


def test_text_over_the_edge_is_rejected() -> None:
    wide = Lines(("W4" * 60,))
    assert (verdict(sheet(wide)) or "").startswith("clipped")


def test_text_over_another_is_rejected() -> None:
    said = sheet(
        TEXT, Gap(-14), Paragraph((Span("Another line that lies upon it, word for word and more."),))
    )
    assert (verdict(said) or "").startswith("covered")


def test_small_type_is_rejected() -> None:
    assert (verdict(sheet(TEXT, size=6.0)) or "").startswith("too small: 3.9 pixels an x")


def test_a_truth_that_is_too_long_is_rejected() -> None:
    long = sheet(*[Paragraph((Span("word " * 1500),))] * 3, width=4000.0, height=5000.0, size=28.0)
    assert (verdict(long) or "").startswith("truth too long")


def test_a_test_that_fails_on_the_truth_is_found() -> None:
    wrong = {"id": "x", "type": "present", "text": "never said", "max_diffs": 0}
    assert (misjudged([wrong], "Something was said.") or "").startswith("a test fails on the truth (present)")


def test_a_test_that_passes_on_a_mutant_is_found() -> None:
    """It asks for a word that is there twice: a reader who gets one wrong still passes."""
    weak = {"id": "x", "type": "present", "text": "again", "max_diffs": 0}
    assert (misjudged([weak], "He came again and again.") or "").startswith(
        "a test passes on a mutant (present)"
    )


def test_two_tests_alike_are_found() -> None:
    test = {"id": "x", "type": "present", "text": "harbour", "max_diffs": 0}
    assert misjudged([test, test], "A harbour.") == "two tests alike"


@pytest.mark.parametrize("family", ["article", "exam", "big_table", "journal"])
def test_a_mutant_differs_from_the_truth(family: str) -> None:
    made = sample(family, 0)
    text = markdown.body(made.sheet)
    for kind in {test["type"] for test in made.tests}:
        assert mutant(kind, [test for test in made.tests if test["type"] == kind], text) != text


def test_order_tests_face_each_other_over_the_border_of_columns() -> None:
    """Of pages in columns some test asks for a text of the left column before one right of it, as high up."""
    crossing = 0
    for index in range(4):
        made = sample("newspaper", index)
        places = {each.text: each for each in made.page.segments}
        for test in (test for test in made.tests if test["type"] == "order"):
            before, after = (
                next(place for text, place in places.items() if test[side] in text)
                for side in ("before", "after")
            )
            crossing += (
                before.boxes[0][2] < after.boxes[0][0] and abs(before.boxes[0][1] - after.boxes[0][1]) < 14
            )
    assert crossing >= 2


def test_columns_and_parts_side_by_side_are_read_one_after_the_other() -> None:
    left, right = (
        Paragraph((Span(f"The {side} part, number {k}."),)) for side, k in (("first", 7), ("second", 8))
    )
    said = sheet(Beside(((left,), (right,)), (1, 1)), Columns(2, (TEXT, left, right)))
    assert markdown.body(said).split("\n\n") == [
        "The first part, number 7.",
        "The second part, number 8.",
        "The harbour of Altmere was closed in March, 4711 ships lay idle.",
        "The first part, number 7.",
        "The second part, number 8.",
    ]
    assert verdict(replace(said, blocks=said.blocks[:1])) is None
