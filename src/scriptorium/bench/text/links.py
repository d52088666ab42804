"""The links and the inline code of a page, taken from the reading that also makes its text view."""

import bisect
import html
import re
from dataclasses import dataclass

from scriptorium.bench.text.seen import View
from scriptorium.bench.text.view import Scanner

_REFERENCE = re.compile(r"\[([^\[\]\n]{0,200})\]")
_DEFINITION = re.compile(r"[ ]{0,3}\[([^\]\n]+)\]:[ \t]+<?([^\s>]+)")
_TARGET = re.compile(r"\]\([ \t]*(?:<([^<>\n]*)>|((?:[^()\s]|\([^()\s]*\))*))")
_HREF = re.compile(r"""\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_BARE = re.compile(r"(?:https?://|www\.)[^\s<>|\"']+")
_AROUND = ".,;:!?)]*_"


@dataclass(frozen=True)
class Link:
    """A link: its text as a reader sees it, where it leads, and its span in the Markdown."""

    text: str
    url: str
    origin: tuple[int, int]


@dataclass(frozen=True)
class _Found:
    """A link before the text view is joined: its pieces from `low` to `high`, its URL or its reference."""

    low: int
    high: int
    start: int
    url: str | None
    reference: str = ""


class _LinkScanner(Scanner):
    """Reads a page as the text view does, and keeps its links."""

    def __init__(self, markdown: str) -> None:
        super().__init__(markdown)
        self.found: list[_Found] = []
        self.definitions: dict[str, str] = {}
        self.anchor: _Found | None = None
        self.coded: list[tuple[int, int]] = []

    def fenced(self, line: re.Match[str]) -> None:
        start = len(self.pieces)
        super().fenced(line)
        self.coded.append((start, len(self.pieces)))

    def on_code(self, token: re.Match[str]) -> None:
        start = len(self.pieces)
        super().on_code(token)
        self.coded.append((start, len(self.pieces)))

    def start_line(self) -> None:
        if definition := _DEFINITION.match(self.raw, self.at):
            self.definitions.setdefault(definition[1].casefold(), definition[2])
        super().start_line()

    def on_close(self, token: re.Match[str]) -> None:
        opener = self.brackets[-1] if self.brackets else None
        image = opener is not None and self.pieces[opener].text.startswith("!")
        super().on_close(token)
        if opener is None or image:
            return
        low, high, start = opener + 1, len(self.pieces) - 1, self.pieces[opener].low
        if target := _TARGET.match(token.group()):
            self.found.append(_Found(low, high, start, target[1] or target[2] or ""))
            return
        named = _REFERENCE.match(self.raw, token.end())
        label = (named[1] if named else "") or self.raw[start + 1 : token.start()][:200]
        self.found.append(_Found(low, high, start, None, label))

    def on_address(self, token: re.Match[str]) -> None:
        super().on_address(token)
        here = len(self.pieces)
        self.found.append(_Found(here - 1, here, token.start(), token.group()[1:-1]))

    def on_tag(self, token: re.Match[str]) -> None:
        super().on_tag(token)
        if token["name"].lower() != "a":
            return
        here = len(self.pieces)
        if self.anchor is not None:
            self.found.append(_Found(self.anchor.low, here - 1, self.anchor.start, self.anchor.url))
        href = _HREF.search(token.group())
        opens = href is not None and not token.group().startswith("</")
        url = (href[1] or href[2] or href[3] or "") if href else ""
        self.anchor = _Found(here, here, token.start(), url) if opens else None


def links(markdown: str) -> list[Link]:
    """The links of a page: inline, by reference, in HTML, in angle brackets, and bare addresses. Images not.

    In order of where they end; URLs are as written, entities decoded.
    """
    scanner = _LinkScanner.of(markdown)
    seen = scanner.finish()
    found = []
    for each in scanner.found:
        url = each.url if each.url is not None else scanner.definitions.get(each.reference.casefold())
        if url is not None:
            text = seen.text[scanner.starts[each.low] : scanner.starts[each.high]].strip()
            end = scanner.pieces[min(each.high, len(scanner.pieces) - 1)].high
            found.append(Link(text, html.unescape(url), seen.as_written(each.start, end)))
    codes = [(scanner.starts[low], scanner.starts[high]) for low, high in scanner.coded]
    return found + _bare(seen, found, codes)


def _bare(seen: View, found: list[Link], codes: list[tuple[int, int]]) -> list[Link]:
    """Addresses that stand in the text without being marked as links; code holds none."""
    known = {link.text for link in found}
    bare = []
    for match in _BARE.finditer(seen.text):
        code = bisect.bisect_right(codes, match.start(), key=lambda span: span[0]) - 1
        url = match[0].rstrip(_AROUND)
        if url not in known and (code < 0 or codes[code][1] <= match.start()):
            bare.append(Link(url, url, seen.span(match.start(), match.start() + len(url))))
    return bare


class _CodeScanner(Scanner):
    """Reads a page as the text view does, and keeps where its inline code stands."""

    def __init__(self, markdown: str) -> None:
        super().__init__(markdown)
        self.codes: list[tuple[int, int]] = []

    def on_code(self, token: re.Match[str]) -> None:
        start = self.at
        super().on_code(token)
        if not self.pieces[-1].text and self.at > start:
            self.codes.append((token.end(), self.pieces[-1].low))


def inline_codes(markdown: str) -> list[tuple[str, tuple[int, int]]]:
    """The inline code of a page between back-quotes: its text as written, and its span in the Markdown."""
    scanner = _CodeScanner.of(markdown)
    seen = scanner.finish()
    return [(scanner.raw[low:high], seen.as_written(low, high)) for low, high in scanner.codes]
