"""The drawing: strings are inert, cells are where the grid says, the same pages give the same bytes."""

import numpy as np
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scriptorium.synth.grid.document import (
    Heading,
    ListBlock,
    Page,
    PageNumber,
    Paragraph,
    RunningHeader,
    Table,
)
from scriptorium.synth.grid.gate import text_layers
from scriptorium.synth.grid.typst import CELL_HEIGHT, CELL_WIDTH, Typesetter, layout

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789.,-"
TYPESETTER = Typesetter()


def raster(page: Page) -> np.ndarray:
    """The page at one pixel a point, luminance, (height, width)."""
    with pypdfium2.PdfDocument(TYPESETTER.pdf([page])) as document:
        return document[0].render(scale=1, grayscale=True).to_numpy().copy()


def one_line(text: str) -> Page:
    return Page((Paragraph((text,)),), len(text), 1)


@pytest.mark.parametrize(
    "text",
    [
        '"]#panic("out")#["',
        "\\",
        '\\"',
        "#pagebreak()",
        "$x^2$*b*_i_`c`",
        "\\u{41}@label<l>",
        "//not/*a*/comment",
        "a--b...c~d",
        "= head",
    ],
)
def test_hostile_text_is_drawn_as_it_is(text: str) -> None:
    pdf = TYPESETTER.pdf([one_line(text)])
    assert [layer.strip() for layer in text_layers(pdf)] == [text]


@settings(max_examples=80, deadline=None)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=16))
def test_any_printable_ascii_is_drawn_as_it_is(text: str) -> None:
    # pdfium takes a hyphen at the end of a line for hyphenation; our lines end otherwise.
    text = text.rstrip("-") + "."
    assert text_layers(TYPESETTER.pdf([one_line(text)])) == [text]


def test_control_characters_do_not_break_the_source() -> None:
    assert len(text_layers(TYPESETTER.pdf([one_line("a\n\t\x00\x1b\u2028b")]))) == 1


@pytest.mark.parametrize("weight", ["regular", "bold"])
def test_ink_stays_in_its_cell(weight: str) -> None:
    """Every second cell of every row is a blank, and stays white; the cells between have ink."""
    letters = (ALPHABET + ALPHABET)[:48]
    lines = tuple(" ".join(letters[8 * row : 8 * row + 8]) for row in range(6))
    dark = raster(Page((Paragraph(lines),), weight=weight)) < 128
    assert dark.shape == (6 * CELL_HEIGHT, 16 * CELL_WIDTH)
    cells = dark.reshape(6, CELL_HEIGHT, 16, CELL_WIDTH).any(axis=(1, 3))
    assert (cells == (np.arange(16) % 2 == 0)).all()


def test_no_ink_of_a_row_is_in_its_neighbours() -> None:
    dark = raster(Page((Paragraph(("gjpqy,bdfhkl0123",)),), 16, 3)) < 128
    assert dark[:CELL_HEIGHT].any()
    assert not dark[CELL_HEIGHT:].any()


def test_a_table_has_its_cells_and_rules_where_the_layout_says() -> None:
    page = Page((Paragraph(("line",)), Table((("a", "b"), ("c", "d")), (0, 8))))
    runs, rules = layout(page)
    assert [(r.row, r.column, r.text) for r in runs] == [
        (0, 0, "line"),
        (1, 0, "a"),
        (1, 8, "b"),
        (2, 0, "c"),
        (2, 8, "d"),
    ]
    image = raster(page)
    assert len(rules) == 2
    across, down = image[2 * CELL_HEIGHT - 1 : 2 * CELL_HEIGHT + 1], image[30:82, 104:106]
    assert across.min(axis=0).max() < 200  # a dark pixel in every column
    assert down.min(axis=1).max() < 200  # and in every row of the table


def test_furniture_is_grey_and_in_its_place() -> None:
    page = Page((RunningHeader("top", 3), Heading("head"), ListBlock(("item",)), PageNumber("417")))
    places = [(r.row, r.column, r.text) for r in layout(page)[0]]
    assert places == [(0, 3, "top"), (1, 0, "head"), (2, 0, "- item"), (5, 4, "- 417 -")]
    rows = raster(page).reshape(6, CELL_HEIGHT, -1)
    assert rows[0].min() > 100  # grey
    assert rows[5].min() > 100
    assert rows[1].min() < 50  # black


def test_same_pages_same_bytes_whatever_was_set_before() -> None:
    pages = [one_line("one"), one_line("two")]
    first = Typesetter().pdf(pages)
    TYPESETTER.pdf([one_line("something else")])
    assert TYPESETTER.pdf(pages) == first
