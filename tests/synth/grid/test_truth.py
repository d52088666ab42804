"""The truth of a tree: golden texts."""

import pytest

from scriptorium.pages.front_matter import FrontMatter, decode
from scriptorium.synth.grid.document import (
    Heading,
    ListBlock,
    Page,
    PageNumber,
    Paragraph,
    RunningHeader,
    Table,
)
from scriptorium.synth.grid.markdown import body, truth

TABLE = Table((("left", "right"), ("a1", "b2")), (0, 8))
FULL = Page(
    (
        RunningHeader("never said", 2),
        Heading("a head"),
        Paragraph(("first line", "second line")),
        TABLE,
        PageNumber("417"),
    )
)


def test_the_truth_of_a_full_page() -> None:
    assert truth(FULL) == (
        "---\n"
        "primary_language: en\n"
        "is_rotation_valid: True\n"
        "rotation_correction: 0\n"
        "is_table: True\n"
        "is_diagram: False\n"
        "---\n"
        "# a head\n"
        "\n"
        "first line\n"
        "second line\n"
        "\n"
        "<table><tr><th>left</th><th>right</th></tr><tr><td>a1</td><td>b2</td></tr></table>"
    )


def test_front_matter_decodes_to_what_was_drawn() -> None:
    front, text = decode(truth(FULL))
    assert front == FrontMatter(is_table=True)
    assert text == body(FULL)


def test_a_page_without_a_table_says_so() -> None:
    assert "is_table: False" in truth(Page((Paragraph(("one", "two")),)))


def test_a_list_and_a_table_without_a_header() -> None:
    page = Page((ListBlock(("one", "two")), Table((("a", "b"),), (0, 4), header=False)))
    assert body(page) == "- one\n- two\n\n<table><tr><td>a</td><td>b</td></tr></table>"


def test_markup_in_a_cell_is_escaped() -> None:
    page = Page((Table((("a<b>", "c & d"),), (0, 8), header=False),))
    assert body(page) == "<table><tr><td>a&lt;b&gt;</td><td>c &amp; d</td></tr></table>"


@pytest.mark.parametrize("block", [RunningHeader("top"), PageNumber("12")])
def test_furniture_is_not_in_the_truth(block: RunningHeader | PageNumber) -> None:
    assert body(Page((block, Paragraph(("words",))))) == "words"
