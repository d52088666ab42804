"""What a test asks for, in the forms in which our own rules compare it with a page."""

from functools import lru_cache

from scriptorium.bench.page import plain
from scriptorium.bench.tests import Test
from scriptorium.bench.view import view


@lru_cache(maxsize=4096)
def asked(text: str) -> str:
    """A test's text in the text view; ends are kept, since a blank at an end is asked for too."""
    seen = view(text).text
    return seen if seen.strip() else " ".join(text.split())


asked_whole = lru_cache(maxsize=4096)(plain)
"""A test's text in the text view, trimmed: for pieces compared whole (cells, list items, headings)."""


def allowed(test: Test, wanted: str) -> int:
    """`max_diffs`, but half of the text at most: else nothing at all would pass for it."""
    return int(min(test["max_diffs"], len(wanted) // 2))
