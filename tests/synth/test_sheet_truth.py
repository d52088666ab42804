"""The truth of a sheet, its table as a grid, and where its text stands on the page."""

import io

import numpy as np
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scriptorium.synth.document import (
    Cell,
    Code,
    Display,
    Figure,
    Footnote,
    Formula,
    Furniture,
    Heading,
    ListBlock,
    Paragraph,
    Sheet,
    Span,
    Table,
    leaves,
)
from scriptorium.synth.grids import grid_of
from scriptorium.synth.markdown import body
from scriptorium.synth.places import block_boxes, drawn
from tests.synth.sheets_made import TYPESETTER, sample

SPANNED = Table(
    (
        (Cell("Kind", rows=2, header=True), Cell("Size", columns=2, header=True)),
        (Cell("low", header=True), Cell("high", header=True)),
        (Cell("a < b"), Cell("1.5"), Cell("")),
    ),
    3,
)
HALF = Formula("\\frac{1}{2}", "frac(1, 2)")
FULL = (
    Heading("A head", 2),
    Paragraph((Span("Plain, "), Span("bold", "bold"), Span(" and "), HALF, Span("."), Span("1", "sup"))),
    ListBlock(((Span("one"),), (Span("two"),)), ordered=True, start=3),
    SPANNED,
    Display(HALF),
    Figure('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', 40, 30, "Bar chart with 4 bars"),
    Code("x = 1", "python"),
    Footnote("1", (Span("A note."),)),
)


def test_the_truth_of_every_block() -> None:
    assert body(Sheet("book", "old_scans", FULL)).split("\n\n") == [
        "## A head",
        "Plain, **bold** and \\(\\frac{1}{2}\\).<sup>1</sup>",
        "3. one\n4. two",
        '<table>\n<tr><th rowspan="2">Kind</th><th colspan="2">Size</th></tr>\n'
        "<tr><th>low</th><th>high</th></tr>\n<tr><td>a &lt; b</td><td>1.5</td><td></td></tr>\n</table>",
        "\\[\\frac{1}{2}\\]",
        "![Bar chart with 4 bars](page_0_0_40_30.png)",
        "```python\nx = 1\n```",
        "<sup>1</sup> A note.",
    ]


def test_furniture_is_in_the_truth_only_where_it_is_asked_for() -> None:
    furniture = (Furniture("Running head", "head", "left"), Furniture("12", "foot", "center", is_number=True))
    sheet = Sheet("book", "old_scans", (Heading("Text"),), furniture)
    assert body(sheet) == "## Text"
    assert body(sheet, keep_furniture=True) == "Running head\n\n## Text\n\n12"


def test_a_grid_knows_who_stands_beside_whom() -> None:
    grid = grid_of(SPANNED)
    assert (grid.height, grid.width, len(grid.origins())) == (3, 3, 7)
    assert grid.neighbours(2, 1) == {"up": "low", "left": "a < b"}
    assert grid.neighbours(1, 1) == {"right": "high", "down": "1.5"}
    assert grid.heading(2, 1) == "low"
    assert grid.heading(2, 0) == "Kind"
    assert grid.row(2) == ["a < b", "1.5"]


def test_a_table_that_is_no_rectangle_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fill 2 x 2"):
        grid_of(Table(((Cell("a"), Cell("b")), (Cell("c"),)), 2))


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20))
def test_any_printable_text_is_drawn_and_found(text: str) -> None:
    sheet = Sheet("book", "old_scans", (Paragraph((Span("a" + text + "."),), "left"),))
    assert drawn(sheet, TYPESETTER.pdf(sheet)).missing == ()


@pytest.mark.parametrize("family", ["article", "newspaper", "invoice"])
def test_boxes_lie_over_ink(family: str) -> None:
    made = sample(family, 1)
    with pypdfium2.PdfDocument(io.BytesIO(made.pdf)) as document:
        page = document[0].render(scale=2, grayscale=True).to_numpy()
    dark = page < page.max() - 70
    for segment in made.page.segments:
        for left, top, right, bottom in segment.boxes:
            cut = dark[int(2 * top) : int(2 * bottom) + 2, int(2 * left) : int(2 * right) + 2]
            assert cut.any(), segment.text
    covered = np.zeros_like(dark)
    for row in block_boxes(made.sheet, made.page):
        for left, top, right, bottom in row["boxes"]:
            assert 0 <= left < right <= 1000
            assert 0 <= top < bottom <= 1000
            height, width = dark.shape
            covered[
                top * height // 1000 : bottom * height // 1000 + 3,
                left * width // 1000 : right * width // 1000 + 3,
            ] = True
    assert (dark & covered).sum() > 0.55 * dark.sum()  # the rest: furniture, figures, formulas, rules


def test_a_figure_is_where_the_truth_says() -> None:
    """The corner of the box is in the alt text's link; within it is ink, left of it none at that height."""
    made = sample("figures", 0)
    figures = [leaf for leaf in leaves(made.sheet.blocks) if isinstance(leaf, Figure)]
    with pypdfium2.PdfDocument(io.BytesIO(made.pdf)) as document:
        page = document[0].render(scale=1, grayscale=True).to_numpy()
    dark = page < page.max() - 70
    for figure in figures:
        left, top = figure.at
        assert dark[top : top + int(figure.height), left : left + int(figure.width)].any()
        assert not dark[top : top + int(figure.height), : left - 1].any()
    roles = [row for row in block_boxes(made.sheet, made.page) if row["role"] == "figure"]
    assert len(roles) == len(figures) == len(made.page.figures)
