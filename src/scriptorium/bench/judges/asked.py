"""What a test asks for, in the forms in which our own rules compare it with a page."""

import re
from functools import lru_cache

from rapidfuzz import fuzz

from scriptorium.bench.tests import Test
from scriptorium.bench.text.view import view

_PLAIN = re.compile(r"[A-Za-z0-9](?: ?[A-Za-z0-9.,:;()%/?'\"-])*")
"""Texts in which the view has nothing to read: most cells of tables."""


def plain(text: str) -> str:
    """The text view of a short text, trimmed; the text itself where the view sees nothing (dashes, say)."""
    if _PLAIN.fullmatch(text):
        return text
    return view(text).text.strip() or " ".join(text.split())


@lru_cache(maxsize=4096)
def asked(text: str) -> str:
    """A test's text in the text view; ends are kept, since a blank at an end is asked for too."""
    seen = view(text).text
    return seen if seen.strip() else " ".join(text.split())


asked_whole = lru_cache(maxsize=4096)(plain)
"""A test's text in the text view, trimmed: for pieces compared whole (cells, list items, headings)."""


def folded(text: str) -> str:
    """A text whose case is ignored: in small letters, one for each of its characters, so that places stay.

    The dotted capital I, of which `lower` makes two characters, is an i; both small sigmas are one.
    """
    return text.replace("\u0130", "i").lower().replace("ς", "σ")


def allowed(test: Test, wanted: str) -> int:
    """`max_diffs`, but half of the text at most: else nothing at all would pass for it."""
    return int(min(test["max_diffs"], len(wanted) // 2))


def alike(wanted: str, text: str, max_diffs: int) -> bool:
    """Whether two whole texts are alike to 1 - max_diffs/length of the one wanted, and to half at least.

    Likeness is 2 * longest common subsequence / both lengths, compared in whole numbers.
    """
    if wanted == text or not max_diffs:
        return wanted == text
    size, both = len(wanted), len(wanted) + len(text)
    if not size:
        return False
    common = round(fuzz.ratio(wanted, text, score_cutoff=49.0) * both / 200.0)
    return 4 * common >= both and 2 * common * size >= (size - max_diffs) * both
