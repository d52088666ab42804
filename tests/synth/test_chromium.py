"""Sheets drawn by a real Chromium: what the tree says stands on the page, and what does not fit is found."""

import dataclasses
import datetime
import random
from collections.abc import Iterator
from pathlib import Path

import pypdf
import pytest

pytest.importorskip("playwright")

import pypdfium2

from scriptorium.pages.pdf import PdfWorker
from scriptorium.synth.chromium import PROGRAMS, Chromium
from scriptorium.synth.document import (
    Beside,
    Cell,
    Columns,
    Display,
    Figure,
    Formula,
    Furniture,
    Gap,
    Heading,
    Lines,
    Paragraph,
    Sheet,
    Span,
    Style,
    Table,
    leaves,
    segments,
)
from scriptorium.synth.families import FAMILIES, draw

SQUARE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="9" height="9" fill="#f00"/></svg>'
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    if not any(Path(each).exists() for each in PROGRAMS):
        pytest.skip("no Chromium here: install the package chromium")
    with Chromium() as found:
        yield found


def sheet(*blocks, **style) -> Sheet:
    return Sheet("article", "multi_column", blocks, style=Style(width=400, height=300, **style))


def words(text: str) -> Paragraph:
    return Paragraph((Span(text),))


def layer(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(pdf) as document:
        assert len(document) == 1
        return document[0].get_textpage().get_text_range()


def close(text: str) -> str:
    """Without what line breaks change: white space."""
    return "".join(text.split())


@pytest.mark.parametrize("family", FAMILIES)
def test_every_text_of_every_family_is_on_its_page_in_order(browser: Chromium, family: str) -> None:
    sheets = [draw(family, "sft", random.Random(seed)) for seed in range(5)]
    drawn = browser.draw(sheets)
    assert sum(bool(each.fault) for each in drawn) <= 1, [each.fault for each in drawn]
    for each, result in zip(sheets, drawn, strict=True):
        if result.fault:
            continue
        read, at = close(layer(result.pdf).replace("\x02", "-").replace("\ufffe", "-")), 0
        for block in leaves(each.blocks):
            for segment in segments(block):
                found = read.find(close(segment), at)
                assert found >= 0, f"{segment!r} is not on the page after {read[max(0, at - 40) : at]!r}"
                at = found + len(close(segment))
        assert len(result.boxes) == len(list(leaves(each.blocks)))


def test_same_sheets_same_bytes_and_no_font_is_drawn_by_procedures(browser: Chromium, tmp_path: Path) -> None:
    sheets = [draw(family, "sft", random.Random(3)) for family in ("article", "exam", "letter")]
    sheets.append(sheet(Display(Formula(r"\sum_{i=1}^n \frac{\sqrt{x}}{y_i}", ""))))
    pdfs = [each.pdf for each in browser.draw(sheets)]
    assert pdfs == [each.pdf for each in browser.draw(sheets)]
    year = str(datetime.date.today().year).encode()
    assert not any(b"(D:" + year in pdf for pdf in pdfs)
    fonts, path = set(), tmp_path / "sheet.pdf"
    for pdf in pdfs:
        path.write_bytes(pdf)
        (page,) = pypdf.PdfReader(path).pages
        for font in page["/Resources"].get("/Font", {}).values():
            found = font.get_object()
            fonts.add((found["/Subtype"], found.get("/BaseFont", "").partition("+")[2]))
    assert not [name for kind, name in fonts if kind == "/Type3"], fonts
    assert {"KaTeX_Math-Italic", "KaTeX_Main-Regular", "KaTeX_Size2-Regular"} <= {name for _, name in fonts}
    with PdfWorker() as worker:
        assert worker.missing_fonts(path, 1) == []


def test_sheets_keep_their_own_sizes(browser: Chromium) -> None:
    sizes = [(595, 842), (612, 792), (842, 595), (480, 270)]
    sheets = [
        Sheet("slide", "arxiv_math", (Heading("A"),), style=Style(width=width, height=height))
        for width, height in sizes
    ]
    for size, result in zip(sizes, browser.draw(sheets), strict=True):
        with pypdfium2.PdfDocument(result.pdf) as document:
            assert document[0].get_size() == pytest.approx(size, abs=1)


def test_text_that_does_not_fit_is_set_smaller_and_then_refused(browser: Chromium) -> None:
    line = "several words that go on and on "
    little, much, most = (sheet(words(line * count)) for count in (10, 33, 200))
    drawn = browser.draw([little, much, most])
    assert (drawn[0].scale, drawn[0].fault) == (1, "")
    assert 0.8 <= drawn[1].scale < 1
    assert not drawn[1].fault
    assert drawn[2].fault.startswith("clipped: ")


def test_what_sticks_out_is_found(browser: Chromium) -> None:
    table = Table((tuple(Cell("unbreakablewordinacell") for _ in range(9)),), 9)
    column = Columns(3, (words("short text"), words("W" * 60)))
    figure = Figure(SQUARE, 600, 50, "a square")
    long = Lines(("x" * 300,))
    high = Columns(2, tuple(words("many words " * 30) for _ in range(6)), height=100)
    drawn = browser.draw([sheet(block) for block in (table, column, figure, long, high)])
    assert [each.fault.partition(":")[0] for each in drawn] == ["clipped"] * 5


def test_text_over_text_is_found(browser: Chromium) -> None:
    over = Columns(1, (words("under"), words("more " * 80)), height=30)
    drawn = browser.draw([sheet(over, words("below")), sheet(words("under"), words("below"))])
    assert drawn[0].fault
    assert not drawn[1].fault


def test_a_formula_that_katex_refuses_is_a_fault(browser: Chromium) -> None:
    bad, good = (sheet(Display(Formula(latex, ""))) for latex in (r"\frac{1}", r"\frac{1}{2}"))
    drawn = browser.draw([bad, good])
    assert [each.fault for each in drawn] == [r"formula refused: \frac{1}", ""]


def test_markup_in_text_is_text(browser: Chromium) -> None:
    hostile = "<script>document.body.remove()</script> & <b>"
    page = dataclasses.replace(
        sheet(Heading(hostile), words(hostile), Lines((hostile,)), Table(((Cell(hostile),),), 1)),
        furniture=(Furniture(hostile, "head", "left"),),
    )
    (drawn,) = browser.draw([page])
    assert not drawn.fault
    assert close(layer(drawn.pdf)).count(close(hostile)) == 5


def test_boxes_hold_their_blocks(browser: Chromium, tmp_path: Path) -> None:
    left, right = words("alpha beta"), words("gamma delta")
    page = sheet(Heading("Title here"), Beside(((left,), (right,)), (1, 1)), Gap(40), words("last words"))
    (drawn,) = browser.draw([page])
    path = tmp_path / "page.pdf"
    path.write_bytes(drawn.pdf)
    with PdfWorker() as worker:
        found = {word.text: word for word in worker.words(path, 1)}
    for names, ((box,)) in zip(
        (("Title", "here"), ("alpha", "beta"), ("gamma",), ("last",)), drawn.boxes, strict=True
    ):
        for name in names:
            word = found[name]
            assert box[0] - 0.01 <= word.left <= word.right <= box[2] + 0.01
            assert box[1] - 0.02 <= word.top <= word.bottom <= box[3] + 0.02


def test_a_block_in_two_columns_has_two_boxes(browser: Chromium) -> None:
    text = words("one two three four five six " * 18)
    (drawn,) = browser.draw([sheet(Columns(2, (text,)))])
    ((first, second),) = drawn.boxes
    assert first[2] <= second[0]


def test_a_language_without_a_font_is_a_fault(browser: Chromium) -> None:
    page = dataclasses.replace(sheet(words("日本語")), language="ja")
    (drawn,) = browser.draw([page])
    has_font = browser.faces & {"IPAexMincho", "IPAexGothic", "Noto Sans JP", "VL Gothic"}
    assert (
        drawn.fault == "" if has_font else drawn.fault.startswith("no font for language 'ja': install one of")
    )
