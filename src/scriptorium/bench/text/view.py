"""What a reader of a Markdown page sees: the text view that our own rules compare.

Marks of emphasis, headings, lists, quotes, links, entities, escapes and HTML tags are read as what they
mean, and so are superscripts and simple inline formulas, however they are written. Hidden text (comments,
scripts) is not seen. One pass over the text, linear in its length whatever it holds.
"""

import html
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from scriptorium.bench.judges.steps import Steps
from scriptorium.bench.text.inline_math import plain_formula
from scriptorium.bench.text.markdown_tokens import (
    HIDDEN,
    INLINE,
    LINE,
    MARKS,
    PUNCTUATION,
    SCRIPT_DIGITS,
    SPACED,
    SPECIAL,
    SUPERSCRIPTS,
    TOKEN,
    TOKENS,
)
from scriptorium.bench.text.seen import Mark, Note, View

CELL = " | "
"""What stands between the cells of a table, written in Markdown or in HTML."""

MAX_TOKENS = 1_000_000
"""Tokens of a page that are read, in some seconds: a thousand times those of a dense page."""


def view(markdown: str) -> View:
    """The text view of a page or of a test's text. Blanks collapse, ends are not trimmed.

    Raises OutOfSteps for a text of more than MAX_TOKENS tokens, and nothing else.
    """
    return Scanner.of(markdown).finish()


@lru_cache(maxsize=1024)
def _kind(name: str) -> str:
    """What a tag of this name does to the text: hidden, spaced (it parts words), inline, or nothing known."""
    kinds = {"hidden": HIDDEN, "spaced": SPACED, "inline": INLINE}
    return next((kind for kind, names in kinds.items() if names.fullmatch(name)), "")


@lru_cache(maxsize=1024)
def _written(name: str, closing: bool) -> str:
    """What a tag that is known and not hidden writes."""
    if name in ("td", "th") or (name == "tr" and closing):
        return "" if closing and name != "tr" else CELL
    if name in ("sup", "sub"):
        return "" if closing else "^" if name == "sup" else "_"
    return " " if _kind(name) == "spaced" else ""


@dataclass(slots=True)
class _Piece:
    """A piece of output: its text, where it comes from, and whether blanks beside it vanish."""

    text: str
    low: int
    high: int
    tight: bool = False


@dataclass(slots=True)
class _Run:
    """A run of emphasis marks: its piece, and how many of its marks are still free."""

    piece: int
    free: int


class Scanner:
    """Reads Markdown once, token by token; `links` builds on it."""

    @classmethod
    def of(cls, markdown: str) -> Self:
        """A scanner that has read a page."""
        scanner = cls(markdown)
        scanner.scan()
        return scanner

    def __init__(self, markdown: str) -> None:
        self.source = markdown
        self.raw = unicodedata.normalize("NFC", markdown.replace("\r\n", " \n").replace("\r", "\n"))
        self.at = 0
        self.pieces: list[_Piece] = []
        self.starts: list[int] = []
        self.marks: list[tuple[str, int, int, int]] = []
        self.runs: dict[str, list[_Run]] = {"*": [], "_": []}
        self.strikes: list[int] = []
        self.brackets: list[int] = []
        self.tags: dict[str, list[int]] = {}
        self.notes: list[tuple[str, int, int]] = []
        self.raised: int | None = None
        self.heading: tuple[int, int] | None = None
        self.line_piece = self.under = 0
        self.blank_line = True
        self.absent_ticks: set[int] = set()

    def put(self, text: str, end: int, tight: bool = False) -> None:
        """Write `text` for the Markdown up to `end`, and go on from there."""
        self.pieces.append(_Piece(text, self.at, end, tight))
        self.at = end

    def scan(self) -> None:
        self.start_line()
        spend = Steps(MAX_TOKENS)
        take = {name: getattr(self, f"on_{name}") for name in TOKENS}
        while self.at < len(self.raw):
            spend()
            special = SPECIAL.search(self.raw, self.at)
            end = special.start() if special else len(self.raw)
            double = self.raw.find("  ", self.at, end)
            end = end if double < 0 else double
            if end > self.at:
                self.put(self.raw[self.at : end], end)
                if end == len(self.raw):
                    break
                spend()
            token = TOKEN.match(self.raw, self.at)
            if token is None or token.lastgroup is None:
                self.put(self.raw[self.at], self.at + 1)
            else:
                take[token.lastgroup](token)
        self.end_line()

    def start_line(self) -> None:
        """Read the marks of blocks at the start of a line."""
        line = LINE.match(self.raw, self.at)
        self.line_piece = len(self.pieces)
        if line is None or line.end() == line.start():
            return
        if line["fence"] is not None:
            self.fenced(line)
        elif line["rule"] is not None:
            underlined = line["rule"].strip()
            if not self.blank_line and set(underlined) in ({"="}, {"-"}) and len(self.pieces) > 1:
                level = 1 if underlined[0] == "=" else 2
                self.marks.append(("heading", self.under, len(self.pieces), level))
            self.put(" ", line.end())
        elif line["delimiter"] is not None or line["link"] is not None:
            self.put(" ", line.end())
        else:
            # Blanks alone stay: a test's text may begin with one.
            self.put("" if line.group().strip() else " ", line.end())
            self.line_piece = len(self.pieces)
            if line["hashes"] is not None:
                self.heading = len(self.pieces), line["hashes"].count("#")

    def fenced(self, line: re.Match[str]) -> None:
        """Take a fenced block of code as it stands."""
        ticks = line["ticks"]
        closing = re.compile(rf"^[ ]{{0,3}}{ticks[0]}{{{len(ticks)},}}[ \t]*$", re.MULTILINE)
        self.put(" ", line.end())
        end = closing.search(self.raw, self.at)
        until = end.start() if end else len(self.raw)
        self.put(" ".join(self.raw[self.at : until].split()), until)
        if end:
            self.put(" ", end.end())

    def end_line(self) -> None:
        if self.heading is not None:
            self.marks.append(("heading", self.heading[0], len(self.pieces), self.heading[1]))
            self.heading = None

    def on_break(self, token: re.Match[str]) -> None:
        self.end_line()
        self.under = self.line_piece
        was_blank = not any(piece.text.strip() for piece in self.pieces[self.line_piece :])
        self.blank_line = was_blank
        if was_blank:
            self.runs = {"*": [], "_": []}
            self.strikes.clear()
            self.brackets.clear()
        self.put(" ", token.end())
        self.start_line()

    def on_space(self, token: re.Match[str]) -> None:
        self.put(" ", token.end())

    def on_math(self, token: re.Match[str]) -> None:
        inner = token["paren"] or token["dollar"] or token["display"]
        plain = plain_formula(inner.strip().removeprefix("{}"))
        if plain is None:
            # Not simple: the formula stays as it is written, out of reach of the marks of emphasis.
            self.put(" ".join(token.group().split()), token.end())
        else:
            if plain.startswith("^"):
                self.notes.append((plain[1:], len(self.pieces), len(self.pieces) + 1))
            self.put(plain, token.end())

    def on_escape(self, token: re.Match[str]) -> None:
        self.put(token.group()[1], token.end())

    def on_code(self, token: re.Match[str]) -> None:
        ticks = len(token.group())
        if ticks not in self.absent_ticks:
            closing = re.compile(rf"(?<!`)`{{{ticks}}}(?!`)").search(self.raw, token.end())
            if closing:
                self.put("", token.end())
                self.put(" ".join(self.raw[self.at : closing.start()].split()), closing.start())
                self.put("", closing.end())
                return
            self.absent_ticks.add(ticks)
        self.put(token.group(), token.end())

    def on_emphasis(self, token: re.Match[str]) -> None:
        run, start, end = token.group(), token.start(), token.end()
        before = self.raw[start - 1] if start else " "
        after = self.raw[end] if end < len(self.raw) else " "
        self.put(run, end)
        if run == "~~":
            self.on_strike()
            return
        opens = not after.isspace() and (after.isalnum() or not before.isalnum())
        closes = not before.isspace() and (before.isalnum() or not after.isalnum())
        inside_word = before.isalnum() and after.isalnum()
        if inside_word and (run[0] == "_" or len(run) == 1):
            return
        free = self.close_runs(run[0], len(run)) if closes else len(run)
        self.pieces[-1].text = run[0] * free
        if opens and free:
            self.runs[run[0]].append(_Run(len(self.pieces) - 1, free))

    def on_strike(self) -> None:
        if self.strikes:
            self.pieces[self.strikes.pop()].text = ""
            self.pieces[-1].text = ""
        else:
            self.strikes.append(len(self.pieces) - 1)

    def close_runs(self, character: str, free: int) -> int:
        """Pair a closing run with the runs that are open; returns how many of its marks stay free."""
        here = len(self.pieces) - 1
        while free and self.runs[character]:
            opener = self.runs[character][-1]
            used = 2 if free >= 2 and opener.free >= 2 else 1
            self.marks.append(("bold" if used == 2 else "italic", opener.piece + 1, here, 0))
            free -= used
            opener.free -= used
            self.pieces[opener.piece].text = character * opener.free
            if not opener.free:
                self.runs[character].pop()
            other = self.runs["_" if character == "*" else "*"]
            while other and other[-1].piece > opener.piece:
                other.pop()
        return free

    def on_comment(self, token: re.Match[str]) -> None:
        end = self.raw.find("-->", token.end())
        self.put("", len(self.raw) if end < 0 else end + 3)

    def on_address(self, token: re.Match[str]) -> None:
        self.put(token.group()[1:-1], token.end())

    def on_tag(self, token: re.Match[str]) -> None:
        name, closing = token["name"].lower(), token.group().startswith("</")
        kind = _kind(name)
        if kind == "hidden" and not closing:
            end = re.compile(rf"</{name}\s*>", re.IGNORECASE).search(self.raw, token.end())
            self.put(" ", end.end() if end else len(self.raw))
            return
        if not kind:
            self.put(token.group(), token.end())
            return
        if name in MARKS and closing and self.tags.get(name):
            level = int(name[1]) if name[0] == "h" else 0
            self.marks.append((MARKS[name], self.tags[name].pop(), len(self.pieces), level))
        self.put(_written(name, closing), token.end())
        if name == "sup":
            self.superscript(closing)
        if name in MARKS and not closing:
            self.tags.setdefault(name, []).append(len(self.pieces))

    def superscript(self, closing: bool) -> None:
        """Note what stands in a superscript, where it is short enough to be a mark."""
        here = len(self.pieces)
        if not closing:
            self.raised = here - 1
        elif self.raised is not None:
            inner = "".join(piece.text for piece in self.pieces[self.raised + 1 : self.raised + 20])
            if here - self.raised < 20:
                self.notes.append((inner, self.raised, here))
            self.raised = None

    def on_entity(self, token: re.Match[str]) -> None:
        self.put(" ".join(html.unescape(token.group()).split()) or " ", token.end())

    def on_note(self, token: re.Match[str]) -> None:
        self.notes.append((token.group().rstrip(":")[2:-1], len(self.pieces), len(self.pieces) + 1))
        self.put("", token.end())

    def on_raised(self, token: re.Match[str]) -> None:
        self.notes.append((token.group(), len(self.pieces), len(self.pieces) + 1))
        self.put(token.group(), token.end())

    def on_caret(self, token: re.Match[str]) -> None:
        self.notes.append((token.group()[1:-1], len(self.pieces), len(self.pieces) + 1))
        self.put(token.group(), token.end())

    def on_open(self, token: re.Match[str]) -> None:
        self.put(token.group(), token.end())
        self.brackets.append(len(self.pieces) - 1)

    def on_close(self, token: re.Match[str]) -> None:
        opener = self.brackets.pop() if self.brackets else None
        linked = opener is not None and len(token.group()) > 1
        if opener is not None and linked:
            self.pieces[opener].text = ""
        self.put("" if linked else "]", token.end() if linked else token.start() + 1)

    def on_script(self, token: re.Match[str]) -> None:
        sign = "^" if token.group()[0] in SUPERSCRIPTS else "_"
        text = token.group().translate(SCRIPT_DIGITS)
        if sign == "^":
            self.notes.append((text, len(self.pieces), len(self.pieces) + 1))
        self.put(sign + text, token.end())

    def on_tight(self, token: re.Match[str]) -> None:
        self.put(token.group(), token.end(), tight=True)

    def on_unseen(self, token: re.Match[str]) -> None:
        self.put("", token.end())

    def finish(self) -> View:
        """Join the pieces, collapse blanks, and turn piece numbers into places."""
        starts = self.starts
        parts: list[str] = []
        origins: list[tuple[int, int, int, int]] = []
        size, spaced, tight = 0, False, False
        for piece in self.pieces:
            text, low = piece.text, piece.low
            if not text:
                starts.append(size)
                continue
            if piece.tight and spaced and parts:
                parts[-1] = parts[-1][:-1]
                size -= 1
            if text[0] == " " and (spaced or tight):
                text, low = text[1:], low + 1 if piece.high - piece.low == len(text) else low
            starts.append(size)
            text = text if text.isascii() else text.translate(PUNCTUATION)
            if text:
                parts.append(text)
                origins.append((size, size + len(text), low, piece.high))
                size += len(text)
                spaced, tight = text.endswith(" "), piece.tight
        starts.append(size)
        text = "".join(parts)
        marks = tuple(
            Mark(kind, min(starts[low], size), starts[high], level) for kind, low, high, level in self.marks
        )
        notes = tuple(
            Note(
                marker,
                min(starts[low], size),
                starts[high],
                (self.pieces[low].low, self.pieces[high - 1].high),
            )
            for marker, low, high in self.notes
        )
        return View(text, marks, notes, tuple(origins), self.source)
