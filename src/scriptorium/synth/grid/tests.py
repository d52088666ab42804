"""Bench tests of a page, made from its tree: what its text must and must not say.

Fields are the bench's own, and `category`, the name of the file that a test goes to. A text that a
test looks for occurs once in the truth, so that a wrong reading cannot pass by luck.
"""

import random
from typing import Any

from scriptorium.files import sha256_json
from scriptorium.synth.grid import markdown
from scriptorium.synth.grid.document import Heading, Page, PageNumber, RunningHeader, Table, segments

Test = dict[str, Any]
SHORTEST_TEXT = 3
WORDS_AT_MOST = 3


def make_tests(page: Page, rng: random.Random) -> list[Test]:
    """The tests of a page, every one true of its Markdown and, `absent` apart, false of an empty text."""
    text = " ".join(markdown.body(page).split())
    tests = [*_text(page, text, rng), *_heading(page), *_table(page, rng), *_furniture(page, text, rng)]
    tests.append({"category": "baseline", "type": "baseline"})
    return [_signed(test, text) for test in tests]


def _signed(test: Test, text: str) -> Test:
    return {"id": sha256_json([test, text])[:16], "max_diffs": 0} | test


def _span(segment: str, text: str, rng: random.Random) -> str | None:
    """One to three words of `segment` that occur once in `text`; None if there are none."""
    words = segment.split()
    spans = [" ".join(words[a:b]) for a in range(len(words)) for b in range(a + 1, a + 1 + WORDS_AT_MOST)]
    spans = [s for s in dict.fromkeys(spans) if len(s) >= SHORTEST_TEXT and text.count(s) == 1]
    return rng.choice(spans) if spans else None


def _text(page: Page, text: str, rng: random.Random) -> list[Test]:
    """A `present` for every line or cell, so that a reward tells nearly right from wrong; an `order` of two of them."""
    spans = [span for s in segments(page) if (span := _span(s, text, rng))]
    tests = [{"category": "text", "type": "present", "text": span} for span in spans]
    if len(spans) >= 2:
        first, second = sorted(rng.sample(range(len(spans)), 2))
        order = {"type": "order", "before": spans[first], "after": spans[second]}
        tests.append({"category": "order"} | order)
    return tests


def _heading(page: Page) -> list[Test]:
    return [
        {"category": "heading", "type": "format", "text": block.text, "format": "heading"}
        for block in page.body
        if isinstance(block, Heading)
    ]


def _table(page: Page, rng: random.Random) -> list[Test]:
    """A test for every body cell: its text, its heading, and one of its neighbours."""
    tests: list[Test] = []
    for table in (block for block in page.body if isinstance(block, Table)):
        places = [(r, c) for r in range(1, len(table.rows)) for c in range(len(table.rows[0]))]
        for row, column in places:
            around = _neighbours(table, row, column)
            side = rng.choice(sorted(around))
            relations = {side: around[side], "top_heading": table.rows[0][column]}
            tests.append({"category": "table", "type": "table", "cell": table.rows[row][column]} | relations)
    return tests


def _neighbours(table: Table, row: int, column: int) -> dict[str, str]:
    places = {
        "up": (row - 1, column),
        "down": (row + 1, column),
        "left": (row, column - 1),
        "right": (row, column + 1),
    }
    height, width = len(table.rows), len(table.rows[0])
    return {s: table.rows[r][c] for s, (r, c) in places.items() if 0 <= r < height and 0 <= c < width}


def _furniture(page: Page, text: str, rng: random.Random) -> list[Test]:
    """At most one `absent`: the running header or the page number's digits, if the body lacks them."""
    texts = [block.text for block in page.blocks if isinstance(block, RunningHeader)]
    texts += [block.number for block in page.blocks if isinstance(block, PageNumber)]
    fair = [t for t in texts if t not in text]
    return [{"category": "header_footer", "type": "absent", "text": rng.choice(fair)}] if fair else []
