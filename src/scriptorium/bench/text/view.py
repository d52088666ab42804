"""What a reader of a Markdown page sees: the text view that our own rules compare.

Marks of emphasis, headings, lists, quotes, links, entities, escapes and HTML tags are read as what they
mean, and so are superscripts and simple inline formulas, however they are written. Hidden text (comments,
scripts) is not seen. One pass over the text, linear in its length whatever it holds.
"""

import html
import re
import unicodedata
from dataclasses import dataclass
from typing import Self

from scriptorium.bench.judges.steps import Steps
from scriptorium.bench.text.inline_math import plain_formula, tightened
from scriptorium.bench.text.markdown_tokens import (
    DEFINITION,
    LINE,
    MARKS,
    NO_TITLE,
    PARAGRAPH_END,
    PUNCTUATION,
    REFERENCE,
    SCRIPT_DIGITS,
    SOFT_HYPHEN,
    SPECIAL,
    SUBSCRIPTS,
    SUPERSCRIPTS,
    TIGHT,
    TOKEN,
    TOKENS,
    kind_of,
    written,
)
from scriptorium.bench.text.seen import Mark, Note, View

MAX_TOKENS = 1_000_000
"""Tokens of a page that are read, in some seconds: a thousand times those of a dense page."""


def view(markdown: str) -> View:
    """The text view of a page or of a test's text. Blanks collapse, ends are not trimmed.

    Raises OutOfSteps for a text of more than MAX_TOKENS tokens, and nothing else.
    """
    return Scanner.of(markdown).finish()


@dataclass(slots=True)
class _Piece:
    """A piece of output: its text, and where it comes from."""

    text: str
    low: int
    high: int


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
        self.heading: tuple[int, int, int] | None = None
        self.line_piece = self.under = 0
        self.blank_line = True
        self.absent_ticks: set[int] = set()
        self.paragraph_end = -1
        self.hyphens = "\u00ad" in self.raw or "&shy;" in self.raw
        defined = DEFINITION.finditer(self.raw) if "]:" in self.raw else ()
        self.labels = {definition["label"].casefold() for definition in defined}

    def put(self, text: str, end: int) -> None:
        """Write `text` for the Markdown up to `end`, and go on from there."""
        self.pieces.append(_Piece(text, self.at, end))
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
            self.ruled(line["rule"].strip(), line.end())
        elif line["delimiter"] is not None or line["link"] is not None:
            self.put(" ", line.end())
        else:
            # Blanks alone stay: a test's text may begin with one.
            self.put("" if line.group().strip() else " ", line.end())
            self.line_piece = len(self.pieces)
            if line["hashes"] is not None:
                self.heading = len(self.pieces), self.at, line["hashes"].count("#")

    def ruled(self, rule: str, end: int) -> None:
        """Take a line of `-`, `=` and the like: it makes the line above a heading, or parts paragraphs."""
        above = self.raw.rfind("\n", 0, max(self.at - 1, 0)) + 1
        headed = not self.blank_line and len(self.pieces) > 1 and set(rule) in ({"="}, {"-"})
        headed = headed and not NO_TITLE.match(self.raw, above)
        if headed:
            self.marks.append(("heading", self.under, len(self.pieces), 1 if rule[0] == "=" else 2))
        self.put(rule if len(rule) == 1 and not headed else " ", end)

    def fenced(self, line: re.Match[str]) -> None:
        """Take a fenced block of code as it stands."""
        ticks = line["ticks"]
        closing = re.compile(rf"^[ ]{{0,3}}{ticks[0]}{{{len(ticks)},}}[ \t]*$", re.MULTILINE)
        self.put(" ", line.end())
        end = closing.search(self.raw, self.at)
        until = end.start() if end else len(self.raw)
        self.put(tightened(self.raw[self.at : until]), until)
        if end:
            self.put(" ", end.end())

    def end_line(self) -> None:
        if self.heading is not None:
            first, start, level = self.heading
            line = self.raw[start : self.at].rstrip(" \t")
            bare = line.rstrip("#")
            if not bare or bare[-1] in " \t":
                self.cut(first, start + len(bare))
            self.marks.append(("heading", first, len(self.pieces), level))
            self.heading = None

    def cut(self, first: int, place: int) -> None:
        """Unwrite what the pieces from `first` hold of the Markdown from `place` on, plain text and blanks."""
        for piece in self.pieces[first:]:
            if piece.high > place:
                piece.text = piece.text[: max(place - piece.low, 0)]

    def on_break(self, token: re.Match[str]) -> None:
        self.end_line()
        self.under = self.line_piece
        was_blank = not any(piece.text.strip() for piece in self.pieces[self.line_piece :])
        self.blank_line = was_blank
        if was_blank:
            self.runs = {"*": [], "_": []}
            self.strikes.clear()
            self.brackets.clear()
        hyphened = self.hyphens and self.pieces and SOFT_HYPHEN.match(self.raw, self.pieces[-1].low)
        self.put("" if hyphened else " ", token.end())
        self.start_line()

    def on_space(self, token: re.Match[str]) -> None:
        self.put(" ", token.end())

    def on_math(self, token: re.Match[str]) -> None:
        inner = token["paren"] or token["dollar"] or token["display"]
        plain = plain_formula(inner.strip().removeprefix("{}"))
        if plain is None:
            # Not simple: the formula stays as it is written, out of reach of the marks of emphasis.
            self.put(tightened(token.group()), token.end())
        else:
            if plain.startswith("^"):
                self.notes.append((plain[1:], len(self.pieces), len(self.pieces) + 1))
            self.put(plain, token.end())

    def on_escape(self, token: re.Match[str]) -> None:
        self.put(token.group()[1], token.end())

    def on_code(self, token: re.Match[str]) -> None:
        ticks = len(token.group())
        if self.paragraph_end < token.end():
            end = PARAGRAPH_END.search(self.raw, token.end())
            self.paragraph_end = end.start() if end else len(self.raw)
            self.absent_ticks.clear()
        if ticks not in self.absent_ticks:
            tail = re.compile(rf"(?<!`)`{{{ticks}}}(?!`)")
            closing = tail.search(self.raw, token.end(), self.paragraph_end)
            if closing:
                self.put("", token.end())
                self.put(tightened(self.raw[self.at : closing.start()]), closing.start())
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
        kind = kind_of(name)
        if kind == "hidden" and not closing:
            end = re.compile(rf"</{name}\s*>", re.IGNORECASE).search(self.raw, token.end())
            self.put(" ", end.end() if end else len(self.raw))
            return
        if not kind:
            self.put(tightened(token.group()), token.end())
            return
        if name in MARKS and closing and self.tags.get(name):
            level = int(name[1]) if name[0] == "h" else 0
            self.marks.append((MARKS[name], self.tags[name].pop(), len(self.pieces), level))
        self.put(written(name, closing), token.end())
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
        text = html.unescape(token.group())
        if text and (text in SUPERSCRIPTS or text in SUBSCRIPTS):
            self.script(text, token.end())
        else:
            self.put(" ".join(text.split()) or " ", token.end())

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
        label = REFERENCE.match(self.raw, token.end()) if self.labels and len(token.group()) == 1 else None
        end = token.end()
        if opener is not None and label:
            name = label[1] or self.raw[self.pieces[opener].high : token.start()][:200]
            end = label.end() if name.casefold() in self.labels else end
        linked = opener is not None and end > token.start() + 1
        if opener is not None and linked:
            self.pieces[opener].text = ""
        self.put("" if linked else "]", end if linked else token.start() + 1)

    def on_script(self, token: re.Match[str]) -> None:
        self.script(token.group(), token.end())

    def script(self, characters: str, end: int) -> None:
        """Write superscripts or subscripts of Unicode as `^` or `_` and plain characters."""
        sign = "^" if characters[0] in SUPERSCRIPTS else "_"
        text = characters.translate(SCRIPT_DIGITS)
        if sign == "^":
            self.notes.append((text, len(self.pieces), len(self.pieces) + 1))
        self.put(sign + text, end)

    def on_tight(self, token: re.Match[str]) -> None:
        self.put(token.group(), token.end())

    def on_unseen(self, token: re.Match[str]) -> None:
        self.put("", token.end())

    def finish(self) -> View:
        """Join the pieces, collapse blanks, and turn piece numbers into places."""
        starts = self.starts
        parts: list[str] = []
        origins: list[tuple[int, int, int, int]] = []
        size, ending = 0, ""
        for piece in self.pieces:
            text, low = piece.text, piece.low
            if not text:
                starts.append(size)
                continue
            if ending == " " and text[0] in TIGHT:
                parts[-1] = parts[-1][:-1]
                size -= 1
            if text[0] == " " and ending and (ending == " " or ending in TIGHT):
                text, low = text[1:], low + 1 if piece.high - piece.low == len(text) else low
            starts.append(size)
            text = text if text.isascii() else text.translate(PUNCTUATION)
            if text:
                parts.append(text)
                origins.append((size, size + len(text), low, piece.high))
                size += len(text)
                ending = text[-1]
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
