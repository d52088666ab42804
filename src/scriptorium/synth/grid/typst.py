"""Pages drawn on the character grid, and the PDF that typst makes of them.

A cell is 14 x 28 points: at one pixel a point, two characters fill one merged 28-pixel patch of a
Qwen2.5-VL vision model. DejaVu Sans Mono comes inside the typst wheel; its advance is 0.602 em, so
23.25 points give 14 points a character.
"""

from dataclasses import dataclass

import typst

from scriptorium.synth.grid.document import (
    Heading,
    ListBlock,
    Page,
    PageNumber,
    Paragraph,
    RunningHeader,
    Table,
)

CELL_WIDTH = 14
CELL_HEIGHT = 28
BOLD = 'weight:"bold"'
REGULAR = 'weight:"regular"'
FURNITURE = 'style:"oblique",fill:luma(55%)'

PREAMBLE = """\
#set page(margin:0pt)
#set text(font:"DejaVu Sans Mono",size:23.25pt,top-edge:22pt,bottom-edge:-6pt,fallback:false,hyphenate:false)
#set par(leading:0pt,spacing:0pt)
"""


@dataclass(frozen=True)
class Run:
    """A text on one row of the grid, from `column`, and typst's arguments for its look."""

    row: int
    column: int
    text: str
    look: str


@dataclass(frozen=True)
class Rule:
    """A thin line between two points of the page, in points."""

    x1: float
    y1: float
    x2: float
    y2: float


def layout(page: Page) -> tuple[list[Run], list[Rule]]:
    """Where every text and rule of a page goes: blocks take the rows from the top, in order."""
    runs: list[Run] = []
    rules: list[Rule] = []
    row = 0
    for block in page.blocks:
        match block:
            case RunningHeader(text, column):
                runs.append(Run(row, column, text, FURNITURE))
                row += 1
            case PageNumber():
                runs.append(Run(page.rows - 1, (page.columns - len(block.text)) // 2, block.text, FURNITURE))
            case Heading(text):
                runs.append(Run(row, 0, text, BOLD))
                row += 1
            case Paragraph(lines):
                runs += [Run(row + k, 0, line, f'weight:"{page.weight}"') for k, line in enumerate(lines)]
                row += len(lines)
            case ListBlock(items):
                runs += [Run(row + k, 0, f"- {item}", REGULAR) for k, item in enumerate(items)]
                row += len(items)
            case Table():
                runs += _cells(block, row)
                rules += _rules(block, row, page.columns)
                row += len(block.rows)
    return runs, rules


def _cells(table: Table, row: int) -> list[Run]:
    return [
        Run(row + k, start, cell, BOLD if table.header and k == 0 else REGULAR)
        for k, cells in enumerate(table.rows)
        for start, cell in zip(table.starts, cells, strict=True)
    ]


def _rules(table: Table, row: int, columns: int) -> list[Rule]:
    top, bottom = row * CELL_HEIGHT, (row + len(table.rows)) * CELL_HEIGHT
    rules = [Rule(x, top, x, bottom) for x in ((start - 0.5) * CELL_WIDTH for start in table.starts[1:])]
    if table.header:
        rules.append(Rule(0, top + CELL_HEIGHT, columns * CELL_WIDTH, top + CELL_HEIGHT))
    return rules


def quote(text: str) -> str:
    """`text` as a typst string literal; nothing in it can end the string or start code."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in escaped) + '"'


def source(pages: list[Page]) -> str:
    """The typst source of a document."""
    return PREAMBLE + "".join(_page(page) for page in pages)


def _page(page: Page) -> str:
    runs, rules = layout(page)
    placed = [
        f"#place(dx:{CELL_WIDTH * r.column}pt,dy:{CELL_HEIGHT * r.row}pt,"
        f"block(height:{CELL_HEIGHT}pt)[#set align(horizon);#text({r.look})[#{quote(r.text)}]])\n"
        for r in runs
    ]
    drawn = [f"#place(line(start:({r.x1}pt,{r.y1}pt),end:({r.x2}pt,{r.y2}pt),stroke:1pt))\n" for r in rules]
    width, height = CELL_WIDTH * page.columns, CELL_HEIGHT * page.rows
    return f"#page(width:{width}pt,height:{height}pt)[\n{''.join(placed + drawn)}]\n"


class Typesetter:
    """A typst compiler that keeps its fonts between documents. Same pages, same bytes."""

    def __init__(self) -> None:
        self._compiler = typst.Compiler(ignore_system_fonts=True)

    def pdf(self, pages: list[Page]) -> bytes:
        """The document's PDF, with a fixed date and without tags."""
        text = source(pages).encode()
        data = self._compiler.compile(input=text, format="pdf", timestamp=0, pdf_tags=False)
        assert isinstance(data, bytes)  # a list only for the formats with one file a page
        return data
