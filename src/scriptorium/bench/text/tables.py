"""Tables of a page as grids of cells, and which cell stands where in relation to another.

The readings of olmOCR-bench and of our own rules differ in what is a table, a row and a cell; the grid and
the relations are the same. No text can make them slow: spans are cut at MAX_SPAN, a table whose cells cover
more than MAX_PLACES places is not read, and looking for relations costs steps that the caller may limit.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import html

from scriptorium.bench.text.markdown_tokens import SPACED
from scriptorium.bench.text.olmocr_html import HtmlTables

MAX_SPAN = 1000
MAX_PLACES = 200_000
MAX_CELLS = 120_000
MAX_LETTERS = 20_000_000

Spend = Callable[[int], None]
"""Is told of steps taken; raises to end a search that takes too many."""

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NUMBER = re.compile(r"\s*\+?([0-9]{1,9})\s*")
_FENCE = re.compile(r"[ ]{0,3}(?:`{3,}|~{3,})")
_QUOTE = re.compile(r"(?:[ \t]*>)+[ \t]?")
_PIPE = re.compile(r"(?<!\\)\|")
_DELIMITER = re.compile(r":?-+:?")
_LONG_DELIMITER = re.compile(r":?--+:?")


@dataclass(slots=True)  # not frozen: that makes thousands of cells twice as slow
class Cell:
    """A cell as written: its text, whether it is a heading, its spans (a row span of 0 runs to the end).

    Where it stands in the Markdown: `origin` is its span, `line` that of its row, `element` its HTML element.
    """

    text: str
    heading: bool = False
    rows: int = 1
    columns: int = 1
    origin: tuple[int, int] | None = None
    line: tuple[int, int] | None = None
    element: Any = field(default=None, compare=False, repr=False)


@dataclass
class Table:
    """A grid: `places[row]` maps columns to cell numbers (a missing column is a hole).

    `boxes` holds each cell's first row, first column, last row, last column.
    """

    cells: list[Cell] = field(default_factory=list)
    places: list[dict[int, int]] = field(default_factory=list)
    boxes: list[tuple[int, int, int, int]] = field(default_factory=list)
    width: int = 0
    _near: dict[tuple[int, str], tuple[int, ...]] = field(default_factory=dict, repr=False)

    def near(self, cell: int, side: str, spend: Spend) -> tuple[int, ...]:
        """The cells next to `cell` at `side` (up, down, left, right): past holes, not past empty cells."""
        key = (cell, side)
        if key not in self._near:
            self._near[key] = tuple(dict.fromkeys(self._walks(cell, side, spend)))
        return self._near[key]

    def _walks(self, cell: int, side: str, spend: Spend) -> Iterator[int]:
        top, left, bottom, right = self.boxes[cell]
        level = side in ("left", "right")
        beyond = {
            "right": range(right + 1, self.width),
            "left": range(left - 1, -1, -1),
            "down": range(bottom + 1, len(self.places)),
            "up": range(top - 1, -1, -1),
        }[side]
        for line in range(top, bottom + 1) if level else range(left, right + 1):
            spend(1)
            for step in beyond:
                spend(1)
                other = self.places[line].get(step) if level else self.places[step].get(line)
                if other is not None and other != cell:
                    yield other
                    break

    def headings(self, cell: int, side: str, spend: Spend) -> list[int]:
        """The heading cells met going `side` (up or left) from `cell`; if none, the outermost cells."""
        seen = {cell}
        path = [cell]
        headings: list[int] = []
        ends: list[int] = []
        while path:
            at = path.pop()
            beyond = self.near(at, side, spend)
            spend(1 + len(beyond))
            if at != cell and self.cells[at].heading:
                headings.append(at)
            if at != cell and not beyond:
                ends.append(at)
            fresh = [other for other in beyond if other not in seen]
            seen.update(fresh)
            path.extend(fresh)
        return headings or ends

    def related(self, cell: int, relation: str, spend: Spend) -> list[int]:
        """The cells that stand in `relation` to `cell`: a side, top_heading or left_heading."""
        if relation == "top_heading":
            return self.headings(cell, "up", spend)
        if relation == "left_heading":
            return self.headings(cell, "left", spend)
        return list(self.near(cell, relation, spend))


def lay_out(rows: list[list[Cell]]) -> Table | None:
    """Lay rows of cells out as HTML does; None without cells, or with more than MAX_PLACES places."""
    table = Table()
    spans: dict[int, tuple[int, int]] = {}
    room = MAX_PLACES
    row = 0
    while row < len(rows) or spans:
        places: dict[int, int] = {}
        end = max(spans, default=-1) + 1
        waiting = iter(rows[row] if row < len(rows) else [])
        cell = next(waiting, None)
        column = 0
        while cell is not None or column < end:
            if column in spans:
                places[column] = spans[column][0]
                column += 1
            elif cell is None:
                column += 1
            else:
                last = max(row, len(rows) - 1) if cell.rows == 0 else row + cell.rows - 1
                room -= (last - row + 1) * cell.columns
                if room < 0:
                    return None
                number = len(table.cells)
                table.cells.append(cell)
                table.boxes.append((row, column, last, column + cell.columns - 1))
                for taken in range(column, column + cell.columns):
                    places[taken] = number
                    spans[taken] = (number, last)
                column += cell.columns
                cell = next(waiting, None)
        table.places.append(places)
        spans = {taken: span for taken, span in spans.items() if span[1] > row}
        row += 1
    # A row span that a later cell overwrote may reach below the last row.
    lowest = len(table.places) - 1
    table.boxes = [(top, left, min(bottom, lowest), right) for top, left, bottom, right in table.boxes]
    table.width = max((max(places, default=-1) + 1 for places in table.places), default=0)
    return table if table.cells else None


@dataclass(slots=True)
class Line:
    """A line of Markdown that may be a row: its text, and its span in the page."""

    text: str
    span: tuple[int, int]


def _lines(text: str, start: int = 0) -> Iterator[Line]:
    for line in text.split("\n"):
        yield Line(line, (start, start + len(line)))
        start += len(line) + 1


def _headed(rows: list[tuple[list[str], Line]]) -> Table | None:
    """A Markdown table: the cells of row 0 and of column 0 are its headings."""
    return lay_out(
        [
            [Cell(text, r == 0 or c == 0, line=line.span) for c, text in enumerate(row)]
            for r, (row, line) in enumerate(rows)
        ]
    )


def _present(tables: list[Table | None]) -> list[Table]:
    return [table for table in tables if table is not None]


def olmocr_markdown_tables(text: str) -> list[Table]:
    """Two lines or more in a row that hold a pipe, as olmOCR-bench reads them."""
    runs: list[list[Line]] = [[]]
    for line in _lines(text.strip(), len(text) - len(text.lstrip())):
        if "|" in line.text:
            runs[-1].append(line)
        elif runs[-1]:
            runs.append([])
    tables = []
    for run in runs:
        rows = [
            (_outer_dropped(line.text.split("|")), line) for line in run if not set(line.text) <= set("-: |")
        ]
        tables.append(_headed([row for row in rows if row[0]]) if len(run) > 1 else None)
    return _present(tables)


def _outer_dropped(parts: list[str]) -> list[str]:
    cells = [part.strip() for part in parts]
    if cells and not cells[0]:
        cells.pop(0)
    if cells and not cells[-1]:
        cells.pop()
    return cells


def strict_markdown_tables(text: str) -> list[Table]:
    """Two lines or more in a row with a pipe that is not escaped; quoted ones too, code and HTML not."""
    runs: list[list[Line]] = [[]]
    if "|" not in text:
        return []
    fenced = False
    for line in _lines(text):
        quoted = _QUOTE.match(line.text)
        bare = line.text[quoted.end() :] if quoted else line.text
        fence = _FENCE.match(bare)
        fenced = fenced != bool(fence)
        if not fenced and not fence and not bare.lstrip().startswith("<") and _PIPE.search(bare):
            runs[-1].append(Line(bare.strip(), line.span))
        elif runs[-1]:
            runs.append([])
    return _present([_headed(_strict_rows(run)) for run in runs if len(run) > 1])


def _strict_rows(run: list[Line]) -> list[tuple[list[str], Line]]:
    """The rows of a Markdown table: without its delimiter rows and blank rows, a blank corner kept."""
    split = [[part.strip() for part in _PIPE.split(line.text)] for line in run]
    rows: list[tuple[list[str], Line]] = []
    outer = 2 * sum(line.text.startswith("|") for line in run) > len(run)
    delimited = False
    for number, parts in enumerate(split):
        cells = parts[1:] if outer and not parts[0] else parts
        cells = cells[:-1] if outer and cells and not cells[-1] else cells
        named = [cell for cell in cells if cell]
        pattern = _DELIMITER if number < 2 and not delimited else _LONG_DELIMITER
        if named and all(pattern.fullmatch(cell) for cell in named):
            delimited = True
        elif named:
            rows.append((cells, run[number]))
    return rows


def html_tree(text: str) -> Any | None:
    """The page read as HTML; None where it holds no table."""
    return parse_html(text) if "<table" in text.lower() else None


def parse_html(text: str) -> Any:
    """The tree of a page read as HTML, as lenient as a browser; deeper than 256 elements is cut."""
    return html.document_fromstring(f"<html><body>{_NOT_XML.sub(' ', text)}</body></html>")


def _span(value: str | None, least: int) -> int:
    number = _NUMBER.fullmatch(value) if value else None
    return min(int(number[1]), MAX_SPAN) if number and int(number[1]) >= least else 1


def _cell(element: Any, head: bool) -> Cell:
    rows, columns = _span(element.get("rowspan"), 0), _span(element.get("colspan"), 1)
    return Cell(own_text(element), head or element.tag == "th", rows, columns, element=element)


_NO_TEXT = ("table", "script", "style")


def own_text(element: Any, without: tuple[str, ...] = ()) -> str:
    """The text below an element as our own rules read it, but for what stands in elements named `without`."""
    if not len(element):
        return (element.text or "").strip()
    texts: list[str] = []
    _add_texts(element, texts, _NO_TEXT + without)
    return "".join(texts).strip()


def _add_texts(element: Any, texts: list[str], without: tuple[str, ...]) -> None:
    """Add the texts below an element in order: blocks and line breaks parted, super- and subscripts with their sign.

    The parser ends at a depth of 256, and so does the recursion.
    """
    texts.append(element.text or "")
    for child in element:
        if isinstance(child.tag, str) and child.tag not in without:
            if child.tag in ("sup", "sub"):
                texts.append("^" if child.tag == "sup" else "_")
            parting = " " if SPACED.fullmatch(child.tag) else ""
            texts.append(parting)
            _add_texts(child, texts, without)
            texts.append(parting)
        texts.append(child.tail or "")


def _is_cell(element: Any) -> bool:
    return element.tag in ("td", "th")


def olmocr_html_tables(text: str) -> list[Table]:
    """Every table element, as olmOCR-bench reads it: the rows of a table within it are taken for its own.

    Tables in tables make cells count many times: after MAX_CELLS cells, or MAX_LETTERS, the rest is not read.
    """
    page = HtmlTables(text)
    tables: list[Table | None] = []
    room, letters = MAX_CELLS, MAX_LETTERS
    for table in page.tables:
        rows: list[list[Cell]] = []
        for row in page.rows[slice(*table.rows)]:
            room -= 1 + len(row.cells)
            if room < 0 or letters < 0:
                return _present(tables)
            rows.append([])
            for cell in row.cells:
                text = page.cell_text(cell)
                letters -= len(text)
                spans = _span(cell.attributes.get("rowspan"), 0), _span(cell.attributes.get("colspan"), 1)
                heading = row.in_head or cell.tag == "th"
                rows[-1].append(Cell(text, heading, *spans, origin=(cell.start, cell.end)))
        tables.append(lay_out(rows))
    return _present(tables)


def strict_html_tables(tree: Any) -> list[Table]:
    """Every table element with its own rows: cells outside rows make one, tables within are left out."""
    tables = []
    for table in tree.iter("table"):
        rows: list[list[Cell]] = []
        _add_rows(table, rows, head=False)
        tables.append(lay_out(rows))
    return _present(tables)


def _add_rows(element: Any, rows: list[list[Cell]], head: bool) -> None:
    stray = False
    for child in element:
        if _is_cell(child):
            if not stray:
                rows.append([])
            stray = True
            rows[-1].append(_cell(child, head))
            continue
        stray = False
        if child.tag == "tr":
            rows.append([_cell(cell, head) for cell in child if _is_cell(cell)])
        elif isinstance(child.tag, str) and child.tag != "table":
            _add_rows(child, rows, head or child.tag == "thead")
