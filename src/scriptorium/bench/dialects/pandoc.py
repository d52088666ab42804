"""pandoc: its own Markdown (`-t markdown`).

Shape: headings with `{#id .class}`, fenced divs (`::: note`), spans (`[text]{.smallcaps}`), `^super^` and `~sub~`,
hard breaks as a backslash, simple, multiline and grid tables. Attributes and divs go, scripts become HTML, tables
of dashes and grids become HTML tables. A grid with spans is an error: cut it with `-t gfm` or as HTML instead.
"""

import re
from itertools import pairwise

from scriptorium.pages.answers.errors import DialectError
from scriptorium.pages.answers.pieces import Keeper, cell, keep_math, tidy, without_marks

NAME = "pandoc"
VERSION = 1
_CODE = re.compile(
    r"^(?P<fence>`{3,}+|~{3,}+)[^\n]*+\n[\s\S]*?^(?P=fence)[ \t]*$|`[^`\n]+`(?:\{[^{}\n]*\})?", re.MULTILINE
)
_CODE_ATTRIBUTES = re.compile(r"^(`{3,}|~{3,})[ \t]*\{\.(\w+)[^}\n]*\}|(?<=`)\{[^{}\n]*\}$")
_HEADING = re.compile(r"^(#{1,6} [^\n]*?)[ \t]*\{[#.\-][^{}\n]*\}[ \t]*$", re.MULTILINE)
_DIV = re.compile(r"^:{3,}[^\n]*$", re.MULTILINE)
_SPAN = re.compile(r"\[([^\[\]\n]*)\]\{[^{}\n]*\}")
_SUPER = re.compile(r"(?<![\\\[^])\^((?:[^\s^\\]|\\.){1,60})\^")
_SUB = re.compile(r"(?<![\\~])~((?:[^\s~\\]|\\.){1,60})~(?!~)")
_BREAK = re.compile(r"\\\n")
_GRID_RULE = re.compile(r"\+(?:[-=:]+\+)+")
_DASHES = re.compile(r"[ \t]*-{2,}(?:[ \t]+-{2,})*[ \t]*")


def adapt(text: str) -> str:
    """The Markdown of one page. Raises DialectError for a grid table with spans."""
    keeper = Keeper()
    text = _CODE.sub(lambda match: keeper.keep(_CODE_ATTRIBUTES.sub(r"\1\2", match[0])), without_marks(text))
    text = _HEADING.sub(r"\1", _DIV.sub("", keep_math(text, keeper)))
    text = _scripts(_BREAK.sub("<br>\n", _SPAN.sub(r"\1", text)))
    return tidy(keeper.restore(_tables(text)))


def _scripts(text: str) -> str:
    text = _SUPER.sub(lambda match: f"<sup>{match[1]}</sup>".replace("\\ ", " "), text)
    return _SUB.sub(lambda match: f"<sub>{match[1]}</sub>".replace("\\ ", " "), text)


def _tables(text: str) -> str:
    """The text with tables of dashes and of grids as HTML."""
    lines, out, place = text.split("\n"), list[str](), 0
    while place < len(lines):
        line = lines[place].strip()
        if _GRID_RULE.fullmatch(line):
            end = place
            while end < len(lines) and lines[end].strip()[:1] in ("+", "|"):
                end += 1
            out.append(_grid([each.strip() for each in lines[place:end]]))
            place = end
        elif (found := _dashed(lines, place, out)) is not None:
            place = found
        else:
            out.append(lines[place])
            place += 1
    return "\n".join(out)


def _grid(lines: list[str]) -> str:
    """A grid table: rules of + and -, one of = under the head."""
    edges = [place for place, character in enumerate(lines[0]) if character == "+"]
    rows: list[list[str]] = []
    heads, current = 0, [""] * (len(edges) - 1)
    for line in lines[1:]:
        if _GRID_RULE.fullmatch(line):
            if [place for place, character in enumerate(line) if character == "+"] != edges:
                raise DialectError("a grid table with spans; write it as HTML")
            rows.append(current)
            heads = len(rows) if "=" in line else heads
            current = [""] * (len(edges) - 1)
        elif len(line) <= edges[-1] or any(line[edge] != "|" for edge in edges):
            raise DialectError("a grid table with spans; write it as HTML")
        else:
            pieces = [line[start + 1 : end].strip() for start, end in pairwise(edges)]
            current = [f"{had} {piece}".strip() for had, piece in zip(current, pieces, strict=True)]
    return _html([*rows, *([current] if any(current) else [])], heads)


def _dashed(lines: list[str], place: int, out: list[str]) -> int | None:
    """Read the table of dashes whose line of columns stands at `place` or opens there; the line after it.

    Appends it to `out`, from where a simple table's head is taken back. None if there is no such table.
    """
    line = lines[place]
    if not _DASHES.fullmatch(line):
        return None
    if "-- -" in line.replace("\t", " ").replace("  ", " "):  # columns: a simple table
        heads = (
            [out.pop()]
            if out and out[-1].strip() and not out[-1].lstrip().startswith(("#", "<", "|"))
            else []
        )
        end, body = place + 1, list[list[str]]()
        while end < len(lines) and lines[end].strip() and not _DASHES.fullmatch(lines[end]):
            body.append([lines[end]])
            end += 1
        closed = end < len(lines) and bool(_DASHES.fullmatch(lines[end]))
        if not heads and not closed:
            return None
        out.append(_columns(line, [heads] if heads else [], body))
        return end + closed
    return _multiline(lines, place, out)


def _multiline(lines: list[str], place: int, out: list[str]) -> int | None:
    """A table between two full lines of dashes, its head parted by a line of columns, its rows by blank lines."""
    end = next((n for n in range(place + 1, min(len(lines), place + 500)) if _full_rule(lines[n])), None)
    if end is None:
        return None
    inside = lines[place + 1 : end]
    columns = next((n for n, each in enumerate(inside) if _DASHES.fullmatch(each)), None)
    if columns is None:
        return None
    rows: list[list[str]] = [[]]
    for line in inside[columns + 1 :]:
        rows = [*rows, []] if not line.strip() else [*rows[:-1], [*rows[-1], line]]
    out.append(_columns(inside[columns], [inside[:columns]], [row for row in rows if row]))
    return end + 1


def _full_rule(line: str) -> bool:
    return re.fullmatch(r"[ \t]*-{3,}[ \t]*", line) is not None


def _columns(rule: str, heads: list[list[str]], rows: list[list[str]]) -> str:
    """Rows of lines cut where the columns of dashes begin."""
    starts = [match.start() for match in re.finditer(r"(?<!-)-", rule)]
    bounds = list(zip([0, *starts[1:]], [*starts[1:], None], strict=True))
    cut = [
        [" ".join(line[low:high].strip() for line in row).strip() for low, high in bounds]
        for row in heads + rows
    ]
    return _html(cut, len(heads))


def _html(rows: list[list[str]], heads: int) -> str:
    lines = []
    for number, row in enumerate(rows):
        tag = "th" if number < heads else "td"
        lines.append(f"<tr>{''.join(f'<{tag}>{cell(text)}</{tag}>' for text in row)}</tr>")
    return "\n".join(["<table>", *lines, "</table>"])
