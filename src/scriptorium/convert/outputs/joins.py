"""What goes on over a page break, made one again: paragraphs, hyphened words, tables; running heads left out.

Off unless asked for. Nothing is lost but what a `Change` says: a hyphen at the end of a page, the head of a
table that goes on under the same head, a line that stands at the same edge of many pages. What belongs
together stands on the page where it began.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from scriptorium.convert.outputs.running import without_running
from scriptorium.convert.outputs.tables import continued_table

HYPHENS = "-\u2010\u00ad"
SOFT = "\u00ad"
WHOLE = re.compile(r"[.!?:;…。！？：；][\"'”’»)\]*_]*$")
"""The end of a sentence: nothing goes on after it."""
OTHER = re.compile(r"\s|[#>|<$`~{\[!]|\\[\[(]|[-*+•] |\d+[.)] |\*\*|__|={3}|-{3}")
"""How blocks begin that are no plain paragraph: headings, quotes, tables, lists, formulas, pictures, captions."""
CLOSED = re.compile(r"</?[a-zA-Z!]|\$\$|\\[\])]\s*$")
"""In a block that may be the end of something other than a paragraph."""
WORD = r"[^\W\d_]+"
MOST_WORD = 100
"""Characters at a page's end that are looked at for a divided word: a search in more could take long."""
BREAK = re.compile(r"\n[ \t]*\n")


@dataclass(frozen=True)
class Change:
    """One change to the text of `page`: paragraph, hyphen, table or running; `lost` is what is gone."""

    page: int
    kind: str
    lost: str = ""


Pair = tuple[str, str, str, str]
"""The earlier page's text, the later one's, what was done, and what was lost."""


def join(texts: list[str], pages: list[int]) -> tuple[list[str], list[Change]]:
    """The texts of a document's pages, joined where they go on, and every change. `pages` are their numbers."""
    texts, running = without_running(texts, pages)
    changes = [Change(page, "running", line) for page, line in running]
    words = Counter(re.findall(f"{WORD}(?:-{WORD})*", " ".join(texts).lower()))
    holder: int | None = None  # the page at whose end the text before this page ends
    for at, text in enumerate(texts):
        if not text:
            holder = None
            continue
        pair = None if holder is None else _joined(texts[holder], text, words)
        if holder is not None and pair:
            texts[holder], texts[at], kind, lost = pair
            changes.append(Change(pages[at], kind, lost))
        holder = at if texts[at] or holder is None else holder
    return texts, changes


def _joined(before: str, after: str, words: Counter[str]) -> Pair | None:
    tries: tuple[Callable[[], Pair | None], ...] = (
        lambda: continued_table(before, after),
        lambda: _paragraph(before, after, words),
    )
    return next((pair for each in tries if (pair := each())), None)


def _paragraph(before: str, after: str, words: Counter[str]) -> Pair | None:
    """The pages with the later one's first paragraph moved, if it goes on with the earlier one's last."""
    last = BREAK.split(before)[-1]
    first, *others = BREAK.split(after, maxsplit=1)
    if not (_is_paragraph(last) and _is_paragraph(first)) or _in_fence(before):
        return None
    if not first[0].islower() or WHOLE.search(last):
        return None
    rest = "".join(others).lstrip("\n")
    if last[-1] in HYPHENS:
        glued = _hyphened(before, first, words)
        return (glued[0], rest, "hyphen", glued[1]) if glued else None
    return f"{before} {first}", rest, "paragraph", ""


def _is_paragraph(block: str) -> bool:
    return (
        bool(block) and not any(OTHER.match(line) for line in block.split("\n")) and not CLOSED.search(block)
    )


def _in_fence(text: str) -> bool:
    """Whether the text ends within code."""
    return len(re.findall(r"^ {0,3}(?:```|~~~)", text, re.MULTILINE)) % 2 == 1


def _hyphened(before: str, first: str, words: Counter[str]) -> tuple[str, str] | None:
    """A word that a hyphen divides, whole; and the hyphen, if it is no part of the word. None if it is no word.

    The document's other words decide. If they have neither form the hyphen goes, but for words with another one.
    """
    head = re.search(f"({WORD}(?:-{WORD})*)[{HYPHENS}]$", before[-MOST_WORD:])
    tail = re.match(WORD, first)
    if not head or not tail:
        return None
    one, two = head[1].lower(), tail[0].lower()
    stays = words[f"{one}-{two}"] > words[one + two] or ("-" in one and not words[one + two])
    if stays and before[-1] != SOFT:
        return before + first, ""
    return before[:-1] + first, before[-1]
