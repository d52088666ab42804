"""Seeded mutations of tests and candidates for the differential benchmark: what OCR and its authors do wrong.

Every function takes a `random.Random` and is deterministic for it.
"""

import random
import re
from collections.abc import Callable
from typing import Any

Test = dict[str, Any]
Rng = random.Random

DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
QUOTES = "'\"\u2018\u2019\u201a\u201c\u201d\u201e`\u00ab\u00bb\u2032"
BLANKS = (
    " ",
    "  ",
    "\n",
    "\n\n",
    "\t",
    "\u00a0",
    "\u2028",
    "\u3000",
    "\u200b",
    "\u00ad",
    "\ufeff",
    "\u202f",
    "",
)
ODD = (
    "\u00b5", "\u03bc", "\ufb01", "e\u0301", "\u00e9", "\u212b", "\u00b2", "\uff3f", "\u2026", "\\_", "\\*", "<", ">",
    "&", "|", "\\|", "*", "_", "**", "__", "#", "`", "~", "[", "](x)", "\u0130", "\u1e9e", "\u00df", "\u01c5", "\u4e2d",
    "\U0001f600", "\x0b", "\x1c", "\x85", "0", "l", "\u0664",
)  # fmt: skip
ENTITIES = ("&amp;", "&lt;", "&gt;", "&nbsp;", "&#39;", "&eacute;", "&shy;", "&mdash;", "&bogus;", "&#x27;")
TAGS = (
    "b",
    "i",
    "strong",
    "em",
    "u",
    "sup",
    "sub",
    "span",
    "p",
    "h1",
    "h3",
    "B",
    "I",
    "div",
    "blockquote",
    "td",
)
BREAKS = (
    "<br>",
    "<br/>",
    "<br />",
    "<BR>",
    "<hr>",
    "<img src='a.png'>",
    "<!-- x -->",
    "</b>",
    "<b>",
    "</i>",
    "<i >",
)
MARKS = ("**", "*", "__", "_", "***", "`", "~~", "==", "$", "\\(", "# ", "> ", "- ", "1. ")
SUPERSCRIPTS = str.maketrans("0123456789", "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")


def span(rng: Rng, text: str, longest: int = 60) -> tuple[int, int]:
    """A random stretch of a text."""
    start = rng.randrange(len(text) + 1)
    return start, min(len(text), start + rng.randrange(longest + 1))


def _inside(change: Callable[[Rng, str], str]) -> Callable[[Rng, str], str]:
    """A mutation of a whole text out of one of a stretch."""

    def whole(rng: Rng, text: str) -> str:
        start, end = span(rng, text)
        return text[:start] + change(rng, text[start:end]) + text[end:]

    return whole


def _swap_of(characters: str) -> Callable[[Rng, str], str]:
    def swap(rng: Rng, text: str) -> str:
        places = [place for place, character in enumerate(text) if character in characters]
        place = rng.choice(places) if places else rng.randrange(len(text) + 1)
        return text[:place] + rng.choice(characters) + text[place + bool(places) :]

    return swap


def _blank(rng: Rng, text: str) -> str:
    places = [match.span() for match in re.finditer(r"\s+", text)]
    start, end = rng.choice(places) if places else (0, 0)
    return text[:start] + rng.choice(BLANKS) + text[end:]


def _insert(choices: tuple[str, ...]) -> Callable[[Rng, str], str]:
    return lambda rng, piece: rng.choice(choices) + piece


def _tag(rng: Rng, piece: str) -> str:
    tag = rng.choice(TAGS)
    attributes = rng.choice(("", "", "", ' class="x"', " id=a"))
    return f"<{tag}{attributes}>{piece}</{tag if rng.random() < 0.9 else rng.choice(TAGS)}>"


def _mark(rng: Rng, piece: str) -> str:
    mark = rng.choice(MARKS)
    if mark.endswith(" "):
        return f"\n{mark}{piece}"
    closing = {"\\(": "\\)"}.get(mark, mark) if rng.random() < 0.85 else rng.choice(MARKS)
    return f"{mark}{piece}{closing}"


def _stray_marks(rng: Rng, piece: str) -> str:
    """Marks of emphasis that cross, nest, stand empty or alone."""
    for _ in range(rng.randrange(2, 7)):
        place = rng.randrange(len(piece) + 1)
        piece = (
            piece[:place]
            + rng.choice(("*", "_", "**", "__", "***", "****", "____", "\n", "<b>", "</b>"))
            + piece[place:]
        )
    return piece


def _typo(rng: Rng, piece: str) -> str:
    if not piece:
        return piece
    place = rng.randrange(len(piece))
    letter = rng.choice("aeinrst015 .,")
    return rng.choice(
        (
            piece[:place] + letter + piece[place + 1 :],
            piece[:place] + piece[place + 1 :],
            piece[:place] + letter + piece[place:],
            piece[:place] + piece[place : place + 2][::-1] + piece[place + 2 :],
        )
    )


def _loop(rng: Rng, text: str) -> str:
    unit = rng.choice(
        (text[-rng.randrange(1, 9) :], "ab", "\u2022 ", ". ", "-", "|", "\n", "foo bar ", "<td></td>")
    )
    return text + unit * rng.randrange(2, 40) + rng.choice(("", "", "\n", " "))


def _move(rng: Rng, text: str) -> str:
    start, end = span(rng, text, 200)
    rest = text[:start] + text[end:]
    place = rng.randrange(len(rest) + 1)
    return rest[:place] + text[start:end] + rest[place:]


def _footnote(rng: Rng, piece: str) -> str:
    mark = rng.choice(("1", "2", "12", "a", "*", "iv"))
    forms = (f"[^{mark}]", f"<sup>{mark}</sup>", f"<SUP class='x'>{mark}</SUP>", mark.translate(SUPERSCRIPTS))
    more = (f"[^{mark}]: ", f"<sup> {mark} </sup>", f"$^{{{mark}}}$", f"<sup>{mark},3</sup>", f"^{mark}^")
    return rng.choice(forms + more) + piece


WORDS = "mean total 12.5 n/a year 1,136 alpha x_1 2019 (a) p-value **sum** 5\u20137 <b>all</b> a|b $x^2$ 10<sup>2</sup>"


def cell(rng: Rng) -> str:
    """The text of a table's cell, blank now and then."""
    words = WORDS.split()
    return " ".join(rng.choice(words) for _ in range(rng.choice((0, 1, 1, 1, 1, 2, 3))))


def markdown_table(rng: Rng) -> str:
    """A Markdown table, tidy or not: ragged rows, no outer pipes, rules in the body."""
    width = rng.randrange(1, 6)
    rows = [
        [cell(rng) for _ in range(width + rng.choice((0, 0, 0, 0, -1, 1)))]
        for _ in range(rng.randrange(1, 6))
    ]
    edge = rng.choice(("| ", "| ", "| ", ""))
    lines = [edge + " | ".join(row) + edge[::-1] for row in rows]
    rule = edge + " | ".join(rng.choice(("---", ":-:", "--:", "-")) for _ in range(width)) + edge[::-1]
    if rng.random() < 0.85:
        lines.insert(1, rule)
    if rng.random() < 0.15:
        lines.insert(
            rng.randrange(len(lines) + 1), rng.choice((rule, "|  |  |", "| - | - |", "> | a | b |", "|"))
        )
    return "\n".join(lines)


def _html_cell(rng: Rng) -> str:
    tag = rng.choice(("td", "td", "td", "th"))
    values = ("1", "2", "2", "3", "0", "-1", "wide", "", "2.5", " 2 ")
    spans = "".join(
        f' {name}="{rng.choice(values)}"' for name in ("rowspan", "colspan") if rng.random() < 0.15
    )
    inner = (
        cell(rng)
        if rng.random() < 0.93
        else rng.choice((html_table(rng, 2), "a<br>b", "a<br/>b", "<p>a</p><p>b</p>"))
    )
    closing = f"</{tag}>" if rng.random() < 0.97 else ""
    return f"<{tag}{spans}>{inner}{closing}"


def html_table(rng: Rng, most: int = 5) -> str:
    """An HTML table: spans, headings, heads and bodies, nested tables, cells that nobody closes."""
    rows = [
        "<tr>"
        + "".join(_html_cell(rng) for _ in range(rng.randrange(1, most)))
        + rng.choice(("</tr>",) * 9 + ("",))
        for _ in range(rng.randrange(1, most))
    ]
    if rng.random() < 0.4:
        rows[0] = f"<thead>{rows[0]}</thead>"
    if rng.random() < 0.3:
        rows[1:] = ["<tbody>", *rows[1:], "</tbody>"]
    if rng.random() < 0.1:
        rows.insert(
            rng.randrange(len(rows) + 1), rng.choice(("<caption>total</caption>", "<td>12.5</td>", "mean"))
        )
    return f"<table{rng.choice(('', ' border=1'))}>" + rng.choice(("", "\n")).join(rows) + "</table>"


def _table(rng: Rng, text: str) -> str:
    lines = text.split("\n")
    table = markdown_table(rng) if rng.random() < 0.5 else html_table(rng)
    place = rng.randrange(len(lines) + 1)
    return "\n".join([*lines[:place], *rng.choice((["", table, ""], [table])), *lines[place:]])


def _attribute(rng: Rng, text: str) -> str:
    tags = [match.end() for match in re.finditer(r"<t[dh]", text)]
    place = rng.choice(tags) if tags else 0
    value = rng.choice(("2", "3", "0", "x"))
    return text[:place] + f' {rng.choice(("rowspan", "colspan"))}="{value}"' + text[place:]


_TEXT: tuple[Callable[[Rng, str], str], ...] = (
    _inside(lambda rng, piece: piece.swapcase()),
    _swap_of(DASHES),
    _swap_of(QUOTES),
    _blank,
    _inside(_insert(ODD)),
    _inside(_insert(ENTITIES)),
    _inside(_insert(BREAKS)),
    _inside(_tag),
    _inside(_mark),
    _inside(_mark),
    _inside(_stray_marks),
    _inside(_stray_marks),
    _inside(_typo),
    _inside(lambda rng, piece: ""),
    _inside(lambda rng, piece: piece * 2),
    _inside(lambda rng, piece: " ".join(reversed(piece.split(" ")))),
    _inside(_footnote),
    _move,
    _loop,
    _table,
    _attribute,
    _swap_of("|"),
    lambda rng, text: text[slice(*span(rng, text, 2000))],
)


def mutated_text(rng: Rng, text: str, times: int) -> str:
    """A candidate after some mutations (no new formulas: they cost the peer a second each)."""
    for _ in range(times):
        text = rng.choice(_TEXT)(rng, text)
    return text
