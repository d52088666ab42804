"""Which disagreements with the peer are known, each with the rule that recognises it.

A rule gets the case and both outcomes and says whether this disagreement is of its kind. What no rule
recognises is unexplained, and fails the benchmark.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cases import Case
from peer import HANG, Outcome


@dataclass(frozen=True)
class Kind:
    """A kind of disagreement: its name, why it stands, the rule that recognises it."""

    name: str
    why: str
    recognises: Callable[[Case, Outcome, Outcome], bool]


def _hang(case: Case, theirs: Outcome, ours: Outcome) -> bool:
    return theirs.why == HANG


def _raises(case: Case, theirs: Outcome, ours: Outcome) -> bool:
    return theirs.word == "run error" and ours.passed is not True


def _step_limit(case: Case, theirs: Outcome, ours: Outcome) -> bool:
    return ours.word == "undecided"


def _fuzzy_groups(case: Case, theirs: Outcome, ours: Outcome) -> bool:
    both_found = ours.why in ("in_order", "reversed") and "not found" not in theirs.why
    return case.kind == "order" and case.test.get("max_diffs", 0) > 0 and both_found


KINDS: tuple[Kind, ...] = (
    Kind("peer hangs", "the peer has no step limit; ours decides or says undecided", _hang),
    Kind("peer raises", "the peer's code fails on the case; ours counts it as not passed", _raises),
    Kind("step limit", "ours gives up after a number of steps and says undecided", _step_limit),
    Kind(
        "fuzzy groups",
        "an order test with max_diffs > 0 where both scorers find both texts: of overlapping near matches"
        " fuzzysearch keeps one by its search strategy, ours the true best",
        _fuzzy_groups,
    ),
)


def explanation(case: Case, theirs: Outcome, ours: Outcome) -> Kind | None:
    """The first kind that recognises a disagreement; None if it is unexplained."""
    return next((kind for kind in KINDS if kind.recognises(case, theirs, ours)), None)
