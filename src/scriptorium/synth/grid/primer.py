"""The family `primer`: small pages with headings, lines, tables, running headers and page numbers."""

import random

from scriptorium.synth.grid.document import Block, Heading, Page, PageNumber, Paragraph, RunningHeader, Table
from scriptorium.synth.words import Words

COLUMNS, ROWS = 16, 6
PAGES_PER_DOCUMENT = (1, 8)
SHORTEST_LINE = 8
HEADER_SHARE, NUMBER_SHARE, HEADING_SHARE, TABLE_SHARE = 0.30, 0.40, 0.50, 0.25


def draw(split: str, index: int, rng: random.Random) -> Page:
    """A page; `index` plays no part, every page is drawn alike."""
    words = Words(split, rng)
    header, number, heading, table = (
        rng.random() < share for share in (HEADER_SHARE, NUMBER_SHARE, HEADING_SHARE, TABLE_SHARE)
    )
    blocks: list[Block] = []
    if header:
        text = words.line(5, 12)
        # The last column stays free: oblique letters lean over the edge of their cell.
        blocks.append(RunningHeader(text, rng.randint(0, COLUMNS - 1 - len(text))))
    if heading:
        blocks.append(Heading(words.line(SHORTEST_LINE, COLUMNS)))
    free = ROWS - header - number - heading
    if table:
        drawn = _table(words, rng.randint(2, min(3, free - 1)))
        free -= len(drawn.rows)
    fewest = 1 if heading or table else 2
    count = rng.randint(fewest, min(5, free))
    blocks.append(Paragraph(tuple(words.line(SHORTEST_LINE, COLUMNS) for _ in range(count))))
    if table:
        blocks.append(drawn)
    if number:
        blocks.append(PageNumber(words.number(rng.randint(3, 4))))
    return Page(tuple(blocks), COLUMNS, ROWS)


def _table(words: Words, count: int) -> Table:
    """Two columns, `count` rows with the header row; no two cells alike, so that a test can mean one."""
    split = words.rng.randint(6, 9)
    widths = (split - 1, COLUMNS - split)
    cells: list[str] = []
    while len(cells) < 2 * count:
        cell = words.token(min(widths[len(cells) % 2], 6))
        if cell not in cells:
            cells.append(cell)
    rows = tuple((cells[k], cells[k + 1]) for k in range(0, len(cells), 2))
    return Table(rows, (0, split))
