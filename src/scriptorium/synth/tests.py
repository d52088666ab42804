"""Bench tests of a sheet, made from its tree: what its text must and must not say.

A text that a test looks for occurs once in the truth, so that a wrong reading cannot pass by luck. Ids are
hashes of test, text and look.
"""

import random
import re
from collections import Counter
from itertools import pairwise
from typing import Any

from scriptorium.files import sha256_json
from scriptorium.synth import markdown
from scriptorium.synth.document import (
    Block,
    Code,
    Display,
    Footnote,
    Formula,
    Heading,
    Inline,
    Lines,
    ListBlock,
    Paragraph,
    Sheet,
    Span,
    Table,
    leaves,
    text_of,
)
from scriptorium.synth.grids import Grid, grid_of
from scriptorium.synth.places import Drawn, Segment

Test = dict[str, Any]
MOST = {
    "present": 6,
    "order": 5,
    "table": 6,
    "math": 5,
    "format": 4,
    "footnote": 3,
    "numeric_cell": 2,
    "count": 1,
}
"""Tests of each type on one page at most, so that no page outweighs the others."""
BLANK = {"type": "baseline", "category": "baseline", "max_length": 0}
SHORTEST = 4


def make_tests(sheet: Sheet, page: Drawn, rng: random.Random) -> list[Test]:
    """The tests of a sheet that is drawn as `page`: each true of its Markdown."""
    text = markdown.body(sheet)
    blocks = list(leaves(sheet.blocks))
    if not text:
        found: list[Test] = [*_absent(sheet, "", rng), BLANK]
    else:
        seen = _Seen(text)
        drawn = [
            *_present(blocks, seen, rng),
            *_order(blocks, page, seen, rng),
            *_tables(blocks, text, rng),
            *_formulas(blocks, seen, rng),
            *_format(blocks, seen, rng),
            *_footnotes(blocks, seen),
            *_lists(blocks, seen),
            *_headings(blocks),
            *_absent(sheet, text, rng),
        ]
        kept = _capped(drawn, rng)
        found = [*kept, {"type": "baseline", "category": "baseline"}]
    page_id = f"{text}\0{sheet.style}"  # blank pages have no text to tell them apart
    return [_signed({"category": sheet.category} | test, page_id) for test in found]


def _signed(test: Test, page_id: str) -> Test:
    return {"id": sha256_json([test, page_id])[:16], "max_diffs": 0} | test


def _capped(tests: list[Test], rng: random.Random) -> list[Test]:
    """At most so many of each type, chosen by chance, in the order they were made."""
    kept = []
    for kind in dict.fromkeys(test["type"] for test in tests):
        here = [k for k, test in enumerate(tests) if test["type"] == kind]
        kept += sorted(rng.sample(here, min(len(here), MOST.get(kind, len(here)))))
    return [tests[k] for k in sorted(kept)]


class _Seen:
    """The truth as a test sees it: what occurs in it once."""

    def __init__(self, text: str) -> None:
        self.text = " ".join(text.split()).lower()
        self.unmarked = self.text.replace("*", "")

    def once(self, text: str) -> bool:
        """Whether `text` occurs exactly once, letter case aside, with no mark in it and none in another place."""
        return self.text.count(text.lower()) == self.unmarked.count(text.lower()) == 1


def _spans(block: Block) -> list[str]:
    """The plain texts of a leaf that no mark or formula parts."""
    inlines: list[Inline] = []
    match block:
        case Heading(text):
            return [text]
        case Lines(lines):
            return list(lines)
        case Paragraph() | Footnote():
            inlines = list(block.inlines)
        case ListBlock(items):
            inlines = [each for item in items for each in item]
    return [each.text for each in inlines if isinstance(each, Span) and each.look == "plain"]


def _words(text: str) -> list[str]:
    """Words without the punctuation about them; a single letter in Japanese is none."""
    return [word for raw in text.split() if len(word := raw.strip(".,;:?!()[]")) >= 1]


def _phrases(text: str, seen: _Seen, rng: random.Random) -> list[str]:
    """Runs of two to four words of `text` that occur once."""
    words = text.split()
    starts = list(range(len(words)))
    rng.shuffle(starts)
    found = []
    for start in starts[:6]:
        phrase = " ".join(words[start : start + rng.randint(2, 4)]).strip(".,;:?!()[] ")
        if len(phrase) >= SHORTEST and seen.once(phrase) and any(c.isalnum() for c in phrase):
            found.append(phrase)
    return found


def _present(blocks: list[Block], seen: _Seen, rng: random.Random) -> list[Test]:
    """Tokens that nobody can guess, first; a phrase of each block where there are few; one token that is counted."""
    spans = [span for block in blocks for span in _spans(block)]
    words = [word for span in spans for word in _words(span)]
    counts = Counter(word.lower() for word in words)
    rare = [
        w
        for w in words
        if len(w) >= SHORTEST and seen.once(w) and (any(map(str.isdigit, w)) or counts[w.lower()] == 1)
    ]
    rare.sort(key=lambda word: not any(map(str.isdigit, word)))
    chosen = rare[: MOST["present"] // 2 + 1]
    chosen += [phrase for span in spans for phrase in _phrases(span, seen, rng)[:1]]
    tests: list[Test] = [{"type": "present", "text": text} for text in dict.fromkeys(chosen)]
    often = [
        w
        for w, n in counts.items()
        if 2 <= n <= 9 and len(w) >= 5 and seen.text.count(w) == n and w.isalpha()
    ]
    if often:
        word = rng.choice(sorted(often))
        tests.append(
            {
                "type": "count",
                "text": word,
                "times": counts[word],
                "case_sensitive": False,
                "whole_words": True,
            }
        )
    return tests


def _order(blocks: list[Block], page: Drawn, seen: _Seen, rng: random.Random) -> list[Test]:
    """Pairs of texts in reading order, first those that face each other over the border of two columns."""
    firsts: dict[int, tuple[Segment, str]] = {}
    for each in page.segments:
        if (phrases := _phrases(each.text, seen, rng)) and not isinstance(blocks[each.leaf], Table):
            firsts.setdefault(each.leaf, (each, phrases[0]))
    places = list(firsts.values())
    pairs = []
    used: set[str] = set()
    facing = [
        (a, b)
        for a in places
        for b in places
        if a[0].leaf < b[0].leaf and _face(a[0].boxes[0], b[0].boxes[0])
    ]
    rng.shuffle(facing)
    near = list(pairwise(places))
    rng.shuffle(near)
    for (_, before), (_, after) in [*facing[:3], *near[:3]]:
        if not {before, after} & used:
            used |= {before, after}
            pairs.append({"type": "order", "before": before, "after": after})
    tests: list[Test] = list(pairs)
    if len(places) >= 4:
        chain = [phrase for _, phrase in places if phrase not in used][:4]
        if len(chain) >= 3:
            tests.append({"type": "chain", "items": chain})
    return tests


def _face(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether a line stands to the left of another at about the same height: who reads across takes them as one."""
    return one[2] < other[0] and abs(one[1] - other[1]) < 14


def _tables(blocks: list[Block], text: str, rng: random.Random) -> list[Test]:
    """Cells with neighbours and headings, a row, a figure, the shape: spans are taken into account."""
    tests: list[Test] = []
    cells = Counter(cell.text for b in blocks if isinstance(b, Table) for row in b.rows for cell in row)
    for block in blocks:
        if not isinstance(block, Table):
            continue
        grid = grid_of(block)
        places = [place for place in grid.origins() if cells[grid.text(*place)] == 1 and grid.text(*place)]
        rng.shuffle(places)
        inside = [place for place in places if not grid.cell(*place).header]
        for place in inside[: MOST["table"]]:
            tests.append({"type": "table", "cell": grid.text(*place)} | _relations(grid, place, rng))
        tests += _figures(grid, inside, rng)
        corner = next((grid.text(*place) for place in places if text.count(grid.text(*place)) == 1), None)
        if corner:
            tests.append({"type": "table_shape", "rows": grid.height, "columns": grid.width, "cell": corner})
        row = next(
            (r for r, _ in inside if (c := grid.row(r)) and len(c) >= 3 and all(cells[x] == 1 for x in c)),
            None,
        )
        if row is not None:
            tests.append({"type": "table_row", "cells": grid.row(row)[:3]})
    return tests


def _relations(grid: Grid, place: tuple[int, int], rng: random.Random) -> dict[str, str]:
    around = grid.neighbours(*place)
    sides = rng.sample(sorted(around), min(len(around), 2))
    found = {side: around[side] for side in sides}
    if heading := grid.heading(*place):
        found["top_heading"] = heading
    return found


def _figures(grid: Grid, places: list[tuple[int, int]], rng: random.Random) -> list[Test]:
    """A cell that states a number, with its heading."""
    for row, column in places:
        value = grid.text(row, column)
        if re.fullmatch(r"\d+\.\d+", value) and (around := grid.neighbours(row, column)):
            side = rng.choice(sorted(around))
            return [{"type": "numeric_cell", "value": float(value), side: around[side]}]
    return []


def _formulas(blocks: list[Block], seen: _Seen, rng: random.Random) -> list[Test]:
    """Formulas that occur once and are long enough to mean one."""
    inlines = [each for b in blocks for each in (b.inlines if isinstance(b, Paragraph) else ())]
    drawn = [each for each in inlines if isinstance(each, Formula)]
    drawn = [b.formula for b in blocks if isinstance(b, Display)] + drawn
    own = [each.latex for each in drawn if len(each.latex) > 8 and seen.once(each.latex)]
    return [{"type": "math", "math": latex} for latex in dict.fromkeys(own)][: MOST["math"]]


def _format(blocks: list[Block], seen: _Seen, rng: random.Random) -> list[Test]:
    found = [(b.text, "heading") for b in blocks if isinstance(b, Heading)]
    for block in blocks:
        if isinstance(block, Paragraph):
            marked = [
                each for each in block.inlines if isinstance(each, Span) and each.look in ("bold", "italic")
            ]
            found += [(each.text, each.look) for each in marked]
    return [
        {"type": "format", "text": text, "format": look}
        for text, look in found
        # olmOCR-bench takes what stands between the underscores of two formulas for italics.
        if len(text) > 2 and seen.once(text) and not (look == "italic" and "_" in seen.text)
    ]


def _footnotes(blocks: list[Block], seen: _Seen) -> list[Test]:
    """A note's mark with the words before it in the text and the first words of the note."""
    tests: list[Test] = []
    for note in (block for block in blocks if isinstance(block, Footnote)):
        for block in blocks:
            if not isinstance(block, Paragraph):
                continue
            for before, mark in zip(block.inlines, block.inlines[1:], strict=False):
                if mark == Span(note.marker, "sup") and isinstance(before, Span):
                    last = " ".join(before.text.split()[-3:]).rstrip(".?")
                    first = " ".join(text_of(note.inlines).split()[:3]).rstrip(".,")
                    test = {
                        "marker": note.marker,
                        "appears_before_marker": last,
                        "appears_after_marker": first,
                    }
                    tests.append({"type": "footnote"} | test)
    return [
        t for t in tests if seen.once(t["appears_before_marker"]) and seen.once(t["appears_after_marker"])
    ]


def _lists(blocks: list[Block], seen: _Seen) -> list[Test]:
    tests: list[Test] = []
    for block in blocks:
        if isinstance(block, ListBlock):
            items = [text_of(item) for item in block.items]
            if all(map(seen.once, items)):
                tests.append({"type": "list", "items": items, "ordered": block.ordered})
        elif isinstance(block, Code):
            line = max(block.text.split("\n"), key=len).strip()
            tests.append({"type": "code", "text": line, "language": block.language or None})
    return tests


def _headings(blocks: list[Block]) -> list[Test]:
    """The first headings and how deep they are; nothing where there are fewer than two depths."""
    heads = [block for block in blocks if isinstance(block, Heading)][:4]
    if len({head.level for head in heads}) < 2 or len({head.text for head in heads}) < len(heads):
        return []
    return [
        {"type": "heading_outline", "headings": [{"level": head.level, "text": head.text} for head in heads]}
    ]


def _absent(sheet: Sheet, text: str, rng: random.Random) -> list[Test]:
    """Running heads and page numbers that the truth lacks; of a short number, only where no number holds it."""
    whole = " ".join(text.split()).lower()
    fair = [each for each in sheet.furniture if each.text.lower() not in whole and len(each.text) > 1]
    return [{"type": "absent", "text": each.text} for each in fair if any(map(str.isalnum, each.text))]
