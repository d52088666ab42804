"""HTML tables as olmOCR-bench reads them: nothing is repaired.

Its parser closes no element that the text does not close: a `<td>` after an open `<td>` stands within it. An
end tag closes all elements down to the last open one of its name, and is passed over where there is none.
"""

import html
import re
from dataclasses import dataclass, field
from html.entities import html5
from html.parser import HTMLParser

_TABLE = re.compile(r"<table", re.IGNORECASE)
_VOID = re.compile(
    "area|base|basefont|bgsound|br|col|command|embed|frame|hr|image|img|input|isindex|keygen|link|menuitem|meta"
    "|nextid|param|source|spacer|track|wbr"
)
_UNREAD = frozenset(("rp", "rt", "script", "style", "template"))
_NUMBER = re.compile(r"[0-9]+|[xX][0-9a-fA-F]+")


@dataclass
class Element:
    """An element: its name, its span in the text, what of the page's strings and rows stands within it."""

    tag: str
    attributes: dict[str, str | None]
    start: int
    strings: tuple[int, int]
    rows: tuple[int, int]
    in_head: bool = False
    cells: list["Element"] = field(default_factory=list)
    end: int = 0


class HtmlTables(HTMLParser):
    """Reads a page; `tables` and `rows` are those of the page in order, `strings` its pieces of text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self.text = text
        self.tables: list[Element] = []
        self.rows: list[Element] = []
        self.strings: list[str] = []
        self._open: list[Element] = []
        self._counts: dict[str, int] = {}
        self._closed: dict[str, int] = {}
        self._unread = 0
        self._lines = [0]
        if _TABLE.search(text) is None:
            return
        for line in text.split("\n"):
            self._lines.append(self._lines[-1] + len(line) + 1)
        try:
            self.feed(text)
            self.close()
        except AssertionError:
            # A declaration so broken that the parser gives up: what was read so far stands.
            self.rawdata = ""
        while self._open:
            self._close_last(len(text))

    def cell_text(self, cell: Element) -> str:
        """The text within a cell, a line break as such, trimmed."""
        return "".join(self.strings[slice(*cell.strings)]).strip()

    def _here(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._start(tag, attrs)
        if _VOID.fullmatch(tag):
            self._end(tag)
            self._closed[tag] = self._closed.get(tag, 0) + 1

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._start(tag, attrs)
        self._end(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._closed.get(tag):
            self._closed[tag] -= 1
        else:
            self._end(tag)

    def _start(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        strings, rows = len(self.strings), len(self.rows)
        element = Element(tag, dict(attrs), self._here(), (strings, strings), (rows, rows))
        if tag == "br":
            self._put("\n")
        elif tag == "table":
            self.tables.append(element)
        elif tag == "tr":
            element.in_head = bool(self._counts.get("thead"))
            self.rows.append(element)
        elif tag in ("td", "th") and self._open and self._open[-1].tag == "tr":
            self._open[-1].cells.append(element)
        self._open.append(element)
        self._counts[tag] = self._counts.get(tag, 0) + 1
        self._unread += tag in _UNREAD

    def _end(self, tag: str) -> None:
        if self._counts.get(tag):
            end = min(self.text.find(">", self._here()) + 1 or len(self.text), len(self.text))
            while self._close_last(end) != tag:
                pass

    def _close_last(self, end: int) -> str:
        element = self._open.pop()
        self._counts[element.tag] -= 1
        self._unread -= element.tag in _UNREAD
        element.strings = element.strings[0], len(self.strings)
        element.rows = element.rows[0], len(self.rows)
        element.end = end
        return element.tag

    def _put(self, text: str) -> None:
        if not self._unread:
            self.strings.append(text)

    def handle_data(self, data: str) -> None:
        self._put(data)

    def handle_entityref(self, name: str) -> None:
        self._put(html5.get(f"{name};", f"&{name}"))

    def handle_charref(self, name: str) -> None:
        number = _NUMBER.match(name)
        self._put(html.unescape(f"&#{number[0]};") + name[number.end() :] if number else name)
