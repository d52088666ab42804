"""The document tree: what a page says and how it is set, before it is drawn or written down.

Truth, drawing, tests and boxes are readings of the same tree, so they cannot disagree. `Sheet.blocks` are
in reading order and are the truth; `Sheet.furniture` (running heads, page numbers) is drawn only.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Span:
    """A piece of running text. `look`: plain, bold, italic, or sup (a footnote's mark)."""

    text: str
    look: str = "plain"


@dataclass(frozen=True)
class Formula:
    """A formula, in the two languages it is written in: LaTeX for the truth, typst for the page."""

    latex: str
    typst: str


Inline = Span | Formula
Inlines = tuple[Inline, ...]


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 to 6; `centred` and `size` (times the text size) are its look."""

    text: str
    level: int = 2
    centred: bool = False
    size: float = 0.0


@dataclass(frozen=True)
class Paragraph:
    """Running text. `align`: justify, left, center or right. `boxed`: a frame about it. `breaks`: lines stay apart."""

    inlines: Inlines
    align: str = "justify"
    size: float = 1.0
    boxed: bool = False
    after: float = 0.0


@dataclass(frozen=True)
class Lines:
    """Lines that stay lines: an address, a signature, a verse. Bold where `bold`."""

    lines: tuple[str, ...]
    align: str = "left"
    size: float = 1.0
    after: float = 0.0


@dataclass(frozen=True)
class ListBlock:
    """A list; `ordered` numbers it from `start`."""

    items: tuple[Inlines, ...]
    ordered: bool = False
    start: int = 1


@dataclass(frozen=True)
class Cell:
    """A cell of a table; a span greater than 1 covers the cells to the right or below."""

    text: str = ""
    columns: int = 1
    rows: int = 1
    header: bool = False


@dataclass(frozen=True)
class Table:
    """A table, row by row as HTML has it: a cell stands where it begins.

    `widths`: the number of grid columns. `rules`: all, lines (across only), booktabs or none. `numeric`:
    the grid columns that are set to the right.
    """

    rows: tuple[tuple[Cell, ...], ...]
    widths: int
    rules: str = "booktabs"
    numeric: tuple[int, ...] = ()
    zebra: bool = False
    size: float = 0.9
    full: bool = False


@dataclass(frozen=True)
class Display:
    """A formula on a line of its own."""

    formula: Formula


@dataclass(frozen=True)
class Figure:
    """A drawing without text (an SVG), `width` x `height` points, and the alt text that the truth holds.

    `at`: its upper left corner on the page in points, once it is drawn.
    """

    svg: str
    width: float
    height: float
    alt: str
    at: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Footnote:
    """A footnote below the text, with the mark that a `sup` span of the text bears."""

    marker: str
    inlines: Inlines


@dataclass(frozen=True)
class Code:
    """A program listing."""

    text: str
    language: str = ""


@dataclass(frozen=True)
class Columns:
    """Blocks that flow through `count` columns of the height that is left, or of `height` points."""

    count: int
    blocks: tuple["Block", ...]
    gutter: float = 16.0
    height: float = 0.0
    rule: bool = False


@dataclass(frozen=True)
class Beside:
    """Blocks side by side, read from left to right; `shares` are their widths."""

    parts: tuple[tuple["Block", ...], ...]
    shares: tuple[float, ...]


@dataclass(frozen=True)
class Gap:
    """White space, `points` high; 0 pushes what follows to the foot of the page."""

    points: float = 0.0


@dataclass(frozen=True)
class Line:
    """A thin line across the column."""

    weight: float = 0.5


Block = (
    Heading
    | Paragraph
    | Lines
    | ListBlock
    | Table
    | Display
    | Figure
    | Footnote
    | Code
    | Columns
    | Beside
    | Gap
    | Line
)


@dataclass(frozen=True)
class Furniture:
    """Text that is drawn and is not in the truth. `place`: head or foot; `align`: left, center or right."""

    text: str
    place: str
    align: str
    italic: bool = False
    is_number: bool = False


@dataclass(frozen=True)
class Style:
    """The look of a sheet, in points. `indent` > 0 marks paragraphs by it, else by space between them."""

    width: float = 595.0
    height: float = 842.0
    margin: tuple[float, float, float, float] = (64.0, 56.0, 64.0, 56.0)
    """Top, right, bottom, left."""
    font: str = "Libertinus Serif"
    heading_font: str = "Libertinus Serif"
    size: float = 10.0
    leading: float = 0.62
    """Space between two lines, in text sizes."""
    indent: float = 0.0
    justify: bool = True
    hyphenate: bool = True
    heading_colour: str = "000000"
    paper: str = "ffffff"
    head_rule: bool = False
    line_numbers: bool = False


@dataclass(frozen=True)
class Sheet:
    """One page: its family, the bench category it counts for, language, blocks, furniture and look."""

    family: str
    category: str
    blocks: tuple[Block, ...]
    furniture: tuple[Furniture, ...] = ()
    style: Style = field(default_factory=Style)
    language: str = "en"

    def without(self, block: Block) -> "Sheet":
        """The sheet less one of its outer blocks."""
        return replace(self, blocks=tuple(each for each in self.blocks if each is not block))


def leaves(blocks: Iterable[Block]) -> Iterator[Block]:
    """The blocks that hold content, in reading order: columns and side by side parts opened."""
    for block in blocks:
        match block:
            case Columns():
                yield from leaves(block.blocks)
            case Beside():
                for part in block.parts:
                    yield from leaves(part)
            case Gap() | Line():
                pass
            case _:
                yield block


def text_of(inlines: Inlines) -> str:
    """The text of inlines without marks and formulas."""
    return "".join(each.text for each in inlines if isinstance(each, Span) and each.look != "sup")


def segments(block: Block) -> list[str]:
    """The texts of one leaf in the order they are drawn; a formula parts the text about it."""
    match block:
        case Heading(text):
            return [text]
        case Paragraph(inlines):
            return _runs(inlines)
        case Lines(lines):
            return list(lines)
        case ListBlock(items):
            return [run for item in items for run in _runs(item)]
        case Table(rows):
            return [cell.text for row in rows for cell in row if cell.text]
        case Footnote(marker, inlines):
            return [marker, *_runs(inlines)]
        case Code(text):
            return [line for line in text.split("\n") if line.strip()]
    return []


def _runs(inlines: Inlines) -> list[str]:
    runs = [""]
    for each in inlines:
        if isinstance(each, Formula):
            runs.append("")
        else:
            runs[-1] += each.text
    return [run for run in runs if run.strip()]
