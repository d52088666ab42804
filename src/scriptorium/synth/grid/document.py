"""The document tree: what a page says, before it is drawn or written down.

Truth, drawing and tests are three readings of the same tree, so they cannot disagree. A page is a
grid of character cells; a block takes whole rows, in order, from the top.
"""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Heading:
    """A heading of the first level, one row."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """Lines of text, a row each; the truth keeps the line breaks."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class ListBlock:
    """A bulleted list, a row an item."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table, a row of the grid for each of its rows; the first is the header row if `header`.

    `starts` gives the grid column in which each table column begins; the rule between two columns
    stands in the free cell before it.
    """

    rows: tuple[tuple[str, ...], ...]
    starts: tuple[int, ...]
    header: bool = True


@dataclass(frozen=True)
class RunningHeader:
    """Furniture on the first row, from grid column `column`: drawn, not in the truth."""

    text: str
    column: int = 0


@dataclass(frozen=True)
class PageNumber:
    """Furniture on the last row, centred: drawn like "- 417 -", not in the truth."""

    number: str

    @property
    def text(self) -> str:
        """The page number as it is drawn."""
        return f"- {self.number} -"


Block = Heading | Paragraph | ListBlock | Table | RunningHeader | PageNumber


@dataclass(frozen=True)
class Page:
    """Blocks on a grid of `columns` x `rows` cells. `weight` is how its paragraphs are drawn."""

    blocks: tuple[Block, ...]
    columns: int = 16
    rows: int = 6
    weight: str = "regular"
    group: str = ""

    @property
    def body(self) -> tuple[Block, ...]:
        """The blocks that the truth holds: all but running header and page number."""
        return tuple(b for b in self.blocks if not isinstance(b, RunningHeader | PageNumber))


def segments(page: Page) -> Iterator[str]:
    """The body's texts in reading order: headings, lines, items and cells."""
    for block in page.body:
        match block:
            case Heading(text):
                yield text
            case Paragraph(lines):
                yield from lines
            case ListBlock(items):
                yield from items
            case Table(rows):
                yield from (cell for row in rows for cell in row)
