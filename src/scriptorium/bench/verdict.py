"""What a judgement comes to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scriptorium.bench.tests import Test

if TYPE_CHECKING:
    from scriptorium.bench.text.page import Page


@dataclass(frozen=True)
class Verdict:
    """The outcome of one test on one page.

    `passed` is None where a step limit ended the search (counted as not passed). `code` is the reason.
    `evidence` is the span of the page's Markdown that decided, where there is one. `margin` is how many more
    characters could differ before the outcome turns (below 0: how many too many), where that is known.
    `would_pass_if` says what a failed test lacks, where a small change would do (`explain` fills it in).
    """

    passed: bool | None
    code: str
    evidence: tuple[int, int] | None = None
    margin: float | None = None
    would_pass_if: str | None = None


Judge = Callable[[Test, "Page"], Verdict]
"""Judges a checked test on a page. Raises OutOfSteps where that takes too long: `judge_checked` catches it."""
