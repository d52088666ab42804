"""One completion beside its page: what it says without its header, and whether it is worth judging at all."""

import re
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from scriptorium.pages import front_matter
from scriptorium.serve.repeats import is_loop

if TYPE_CHECKING:
    from scriptorium.bench.text.page import Page

SHORTEST, LONGEST = 0.5, 2.0
"""The letters of an answer, as a share of the truth's, outside of which it earns nothing."""

SLACK = 20
"""Letters more or less that no share is asked of: a page of one word may be read as three."""

THINKING = re.compile(r"<think>.*?</think>", re.DOTALL)


class Sample(NamedTuple):
    """A completion as the model wrote it, its page's truth (None where there is none) and tests (JSON)."""

    raw: str
    truth: str | None
    tests: str


class Answer:
    """A sample, read once for all its scores."""

    def __init__(self, sample: Sample) -> None:
        self.raw, self.truth, self.tests = sample
        self.passed: dict[bool, dict[str, list[bool]]] = {}

    @cached_property
    def text(self) -> str:
        """The answer without its header, stripped."""
        return front_matter.body(self.raw).strip()

    @cached_property
    def wanted(self) -> str:
        """The truth without its header, stripped; empty for a blank page, and where there is no truth."""
        return front_matter.body(self.truth or "").strip()

    @cached_property
    def without_thoughts(self) -> str:
        """The answer without header and thoughts, as pdf-ocr-rl judges it."""
        return THINKING.sub("", self.text).strip()

    @cached_property
    def page(self) -> "Page":
        """The answer's text as the bench reads it."""
        return page_of(self.text)

    @cached_property
    def wanted_page(self) -> "Page":
        """The truth's text as the bench reads it; kept, since a group of answers shares it."""
        return _truth_page(self.wanted)

    @cached_property
    def is_valid(self) -> bool:
        """Whether the answer may earn anything: not empty, no loop, about as long as the truth.

        On a blank page an answer is valid if it is empty.
        """
        if self.truth is not None and not self.wanted:
            return not self.text
        if not self.text or is_loop(self.text):
            return False
        if self.truth is None:
            return True
        written, expected = _letters(self.text), _letters(self.wanted)
        return SHORTEST * expected - SLACK <= written <= LONGEST * expected + SLACK


def _letters(text: str) -> int:
    return sum(not character.isspace() for character in text)


def page_of(text: str) -> Any:
    # Imported here: what reads a page takes longer to load than most scores take.
    from scriptorium.bench.text.page import Page

    return Page(text)


@lru_cache(maxsize=256)
def _truth_page(text: str) -> Any:
    return page_of(text)
