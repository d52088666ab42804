"""Where the text of a sheet stands on its drawn page: boxes by block, found in the PDF's text layer.

Works on the PDF of any engine. Every segment of the tree is looked for from where the one before it ended, so
finding them all shows too that they are drawn in reading order.
"""

import ctypes
import unicodedata
from dataclasses import dataclass, replace
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from scriptorium.synth.document import Beside, Block, Columns, Display, Figure, Sheet, leaves, segments

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in points from the page's upper left corner."""

PASSED_OVER = frozenset("-\u00ad\u2010\ufffe\x02")
"""Blanks too: a layer breaks lines and hyphenates where the tree does not. And accents that stand by themselves:
pdfium gives those of formulas out of their order."""


@dataclass(frozen=True)
class Segment:
    """A text of the tree on the page: its leaf's number, a box for each line, the size of its type in points."""

    leaf: int
    text: str
    boxes: tuple[Box, ...]
    size: float


@dataclass(frozen=True)
class Drawn:
    """A drawn document: how many pages, size of the first in points, what was found of the tree and what was not."""

    pages: int
    width: float
    height: float
    segments: tuple[Segment, ...]
    missing: tuple[str, ...]
    figures: tuple[Box, ...] = ()


def drawn(sheet: Sheet, pdf: bytes) -> Drawn:
    """Find the texts of a sheet in the text layer of a PDF that we made ourselves (no child process guards it)."""
    with pypdfium2.PdfDocument(pdf) as document:
        page = document[0]
        width, height = page.get_size()
        layer = _Layer(page.get_textpage(), height)
        found, missing = list[Segment](), list[str]()
        for number, leaf in enumerate(leaves(sheet.blocks)):
            for text in segments(leaf):
                if (span := layer.find(text)) is None:
                    missing.append(text)
                else:
                    found.append(Segment(number, text, layer.boxes(*span), layer.size(span[0])))
        figures = _figures(sheet, page, height)
        return Drawn(len(document), width, height, tuple(found), tuple(missing), figures)


def _figures(sheet: Sheet, page: Any, height: float) -> tuple[Box, ...]:
    """The boxes of the figures, in order: shapes of just their sizes."""
    sizes = [(each.width, each.height) for each in leaves(sheet.blocks) if isinstance(each, Figure)]
    found: list[Box] = []
    for shape in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_PATH], max_depth=2) if sizes else ():
        left, bottom, right, top = shape.get_bounds()
        if len(found) < len(sizes):
            wide, tall = sizes[len(found)]
            if abs(right - left - wide) < 1 and abs(top - bottom - tall) < 1:
                found.append((left, height - top, right, height - bottom))
    return tuple(found)


def placed(sheet: Sheet, page: Drawn) -> Sheet:
    """The sheet with its figures where they were drawn; as it is if not all of them were found."""
    figures = [each for each in leaves(sheet.blocks) if isinstance(each, Figure)]
    if not figures or len(page.figures) < len(figures):
        return sheet
    boxes = iter(page.figures)

    def moved(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
        return tuple(map(one, blocks))

    def one(block: Block) -> Block:
        match block:
            case Figure():
                left, top, _, _ = next(boxes)
                return replace(block, at=(round(left), round(top)))
            case Columns():
                return replace(block, blocks=moved(block.blocks))
            case Beside():
                return replace(block, parts=tuple(map(moved, block.parts)))
        return block

    return replace(sheet, blocks=moved(sheet.blocks))


def squeeze(text: str) -> str:
    """`text` without blanks and hyphens, as texts are compared."""
    return "".join(filter(_is_kept, text))


def _is_kept(character: str) -> bool:
    return not (character in PASSED_OVER or character.isspace() or unicodedata.combining(character))


class _Layer:
    """The characters of a page in the order they are drawn, blanks and hyphens passed over."""

    def __init__(self, page: Any, height: float) -> None:
        self.page, self.height, self.at = page, height, 0
        codes = [pdfium.FPDFText_GetUnicode(page.raw, k) for k in range(page.count_chars())]
        kept = [(k, chr(code)) for k, code in enumerate(codes) if code]
        kept = [(k, c) for k, c in kept if _is_kept(c)]
        self.index = [k for k, _ in kept]
        self.text = "".join(c for _, c in kept)

    def find(self, text: str) -> tuple[int, int] | None:
        """First and last character of `text` after the one found before; None if it is not there."""
        wanted = squeeze(text)
        start = self.text.find(wanted, self.at)
        if start < 0 or not wanted:
            return None
        self.at = start + len(wanted)
        return self.index[start], self.index[self.at - 1]

    def boxes(self, first: int, last: int) -> tuple[Box, ...]:
        """A box for each line of the characters."""
        count = self.page.count_rects(first, last - first + 1)
        rects = [self.page.get_rect(k) for k in range(count)]
        return tuple(
            (left, self.height - top, right, self.height - bottom) for left, bottom, right, top in rects
        )

    def size(self, character: int) -> float:
        """The size of the type of a character, in points."""
        matrix = pdfium.FS_MATRIX()
        pdfium.FPDFText_GetMatrix(self.page.raw, character, ctypes.byref(matrix))
        return float(pdfium.FPDFText_GetFontSize(self.page.raw, character) * abs(matrix.d or matrix.b))


def block_boxes(sheet: Sheet, page: Drawn) -> list[dict[str, Any]]:
    """Boxes of the sheet's leaves in reading order: `role`, and `boxes` in thousandths of width and height.

    A block that goes on in the next column has a box for each. Formulas on lines of their own have none.
    """
    rows, figures = [], iter(page.figures)
    for number, leaf in enumerate(leaves(sheet.blocks)):
        if isinstance(leaf, Display):
            continue
        lines = [box for each in page.segments if each.leaf == number for box in each.boxes]
        if isinstance(leaf, Figure):
            lines = [box for box in (next(figures, None),) if box]
        boxes = [
            [round(1000 * v / whole) for v, whole in zip(box, (page.width, page.height) * 2, strict=True)]
            for box in _together(lines)
        ]
        rows.append({"role": type(leaf).__name__.lower(), "boxes": boxes})
    return rows


def _together(lines: list[Box]) -> list[Box]:
    """Lines as one box, and another from each line that begins a new column: it stands above the one before."""
    boxes: list[Box] = []
    last = 0.0
    for box in lines:
        if boxes and box[1] >= last - 0.4 * (box[3] - box[1]) - 4:
            left, top, right, bottom = boxes[-1]
            boxes[-1] = (min(left, box[0]), min(top, box[1]), max(right, box[2]), max(bottom, box[3]))
        else:
            boxes.append(box)
        last = box[1]
    return boxes
