"""Misprints: words of the tree misspelt on purpose, so that a model must read and not recite.

The page shows the misprint, the truth has it too, and a test asks for it.
"""

import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from scriptorium.synth import markdown
from scriptorium.synth.document import (
    Beside,
    Block,
    Columns,
    Formula,
    Inlines,
    ListBlock,
    Paragraph,
    Sheet,
    Span,
    leaves,
)
from scriptorium.synth.tests import Test

WORD = re.compile(r"(?<![\w-])[^\W\d_]{5,}(?![\w-])")
"""Five letters and more, as in olmOCR's option; of any script."""

TRIES = 20


@dataclass(frozen=True)
class Typo:
    """A word as it should be and as it is printed."""

    word: str
    printed: str


def misspelt(word: str, rng: random.Random) -> str:
    """`word` with two inner letters swapped, one left out or one doubled; first and last stay.

    The word itself if nothing changes it: all its inner letters are alike.
    """
    kind, at = rng.choice(("swap", "drop", "double")), rng.randrange(1, len(word) - 2)
    if kind == "swap":
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == "drop":
        return word[:at] + word[at + 1 :]
    return word[:at] + word[at] + word[at:]


def with_typos(sheet: Sheet, count: int, rng: random.Random) -> tuple[Sheet, list[Typo]]:
    """The sheet with up to `count` words of paragraphs and lists misspelt, and what was done.

    Only words that occur once are taken, and only spellings that occur nowhere, so that each can be told.
    """
    text = markdown.body(sheet)
    often = Counter(WORD.findall(text))
    words = [word for piece in _pieces(sheet.blocks) for word in WORD.findall(piece) if often[word] == 1]
    rng.shuffle(words)
    typos: list[Typo] = []
    for word in words:
        if len(typos) == count:
            break
        spellings = (misspelt(word, rng) for _ in range(TRIES))
        fresh = next((each for each in spellings if each not in text), None)
        if fresh is not None and all(fresh not in each.printed for each in typos):
            typos.append(Typo(word, fresh))
    table = {each.word: each.printed for each in typos}
    return replace(sheet, blocks=_respelt(sheet.blocks, table)), typos


def typo_tests(sheet: Sheet, typos: Sequence[Typo]) -> list[Test]:
    """A test for each misprint: its spelling must be there, letter by letter. Without ids yet."""
    return [
        {
            "category": sheet.category,
            "type": "present",
            "text": each.printed,
            "max_diffs": 0,
            "case_sensitive": True,
        }
        for each in typos
    ]


def _pieces(blocks: Sequence[Block]) -> list[str]:
    """The plain texts of paragraphs and lists: names, numbers and headings stay as they are."""
    groups: list[Inlines] = []
    for block in leaves(blocks):
        if isinstance(block, Paragraph):
            groups.append(block.inlines)
        elif isinstance(block, ListBlock):
            groups += block.items
    return [
        each.text for group in groups for each in group if isinstance(each, Span) and each.look == "plain"
    ]


def _respelt(blocks: Sequence[Block], table: dict[str, str]) -> tuple[Block, ...]:
    return tuple(_block(block, table) for block in blocks)


def _block(block: Block, table: dict[str, str]) -> Block:
    match block:
        case Columns():
            return replace(block, blocks=_respelt(block.blocks, table))
        case Beside():
            return replace(block, parts=tuple(_respelt(part, table) for part in block.parts))
        case Paragraph():
            return replace(block, inlines=_inlines(block.inlines, table))
        case ListBlock():
            return replace(block, items=tuple(_inlines(item, table) for item in block.items))
    return block


def _inlines(inlines: Inlines, table: dict[str, str]) -> Inlines:
    return tuple(
        each
        if isinstance(each, Formula) or each.look != "plain"
        else replace(each, text=WORD.sub(lambda found: table.get(found[0], found[0]), each.text))
        for each in inlines
    )
