"""Which disagreements with the peer are known, each with the rule that recognises it.

A rule gets the case and both outcomes and says whether this disagreement is of its kind. What no rule
recognises is unexplained, and fails the benchmark.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cases import Case
from peer import HANG, Outcome

from scriptorium.bench.formulas import geometry
from scriptorium.bench.formulas.find import olmocr_formulas
from scriptorium.bench.formulas.render import render
from scriptorium.bench.text.normal import normal_form
from scriptorium.bench.text.page import Page

EDGES = (4.0, 4.5, 5.5, 6.0)
"""px around the peer's 5 px that are tried."""


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


def _starts(wanted: str, text: str, most: int) -> list[int]:
    """Every place of `text` where a stretch within a Levenshtein distance of `most` starts (plain table)."""
    wanted, text = wanted[::-1], text[::-1]
    row = [0] * (len(text) + 1)
    for line, character in enumerate(wanted, 1):
        new = [line]
        for column, other in enumerate(text, 1):
            new.append(min(row[column - 1] + (character != other), row[column] + 1, new[-1] + 1))
        row = new
    return sorted(len(text) - end for end, distance in enumerate(row) if distance <= most)


def _fuzzy_groups(case: Case, theirs: Outcome, ours: Outcome) -> bool:
    """Whether the choice among overlapping near matches can turn the verdict."""
    most = case.test.get("max_diffs", 0)
    if case.kind != "order" or most == 0 or {theirs.word, ours.word} != {"pass", "fail"}:
        return False
    text = Page(case.text).normal
    wanted = [normal_form(case.test[side]) for side in ("before", "after")]
    before, after = (_starts(each, text, most) for each in wanted)
    if not before or not after:
        return False
    first, last = before[0], after[-1]
    for start in before:  # the last start of the first group: each overlaps the one before
        first = start if start <= first + len(wanted[0]) + most else first
    for start in reversed(after):
        last = start if start >= last - len(wanted[1]) - most else last
    return before[0] < after[-1] and not first < last


def _reads(case: Case, near: float) -> bool:
    """Our verdict on a formula test were neighbours looked for within `near` px."""
    usual = geometry.NEAR
    geometry.NEAR = near
    try:
        formulas = olmocr_formulas(case.text, not case.test.get("ignore_dollar_delimited", False))
        reference, *others = (
            geometry.Layout(each.layout.mathml, each.symbols or ())
            for each in render([case.test["math"], *formulas])
        )
        return any(geometry.contains(other, reference) for other in others)
    finally:
        geometry.NEAR = usual


def _edge(case: Case, theirs: Outcome, ours: Outcome) -> bool:
    if case.kind != "math" or {theirs.word, ours.word} != {"pass", "fail"}:
        return False
    return any(_reads(case, near) is theirs.passed for near in EDGES)


def _tag(case: Case, theirs: Outcome, ours: Outcome) -> bool:
    return case.kind == "math" and "\\tag" in case.text + str(case.test.get("math"))


KINDS: tuple[Kind, ...] = (
    Kind("peer hangs", "the peer has no step limit; ours decides or says undecided", _hang),
    Kind("peer raises", "the peer's code fails on the case; ours counts it as not passed", _raises),
    Kind("step limit", "ours gives up after a number of steps and says undecided", _step_limit),
    Kind(
        "fuzzy groups",
        "an order test with max_diffs > 0 whose near matches overlap so that it depends on the one that is kept:"
        " fuzzysearch keeps one by its search strategy, ours the true best",
        _fuzzy_groups,
    ),
    Kind("tag", "a formula with a \\tag: the browser places it at the edge of the page", _tag),
    Kind(
        "edge of 5 px",
        "the peer's rule of neighbours within 5 px is met or missed by a px: the browser's fallback font decides,"
        " and browsers with other fonts differ from each other there",
        _edge,
    ),
)


def explanation(case: Case, theirs: Outcome, ours: Outcome) -> Kind | None:
    """The first kind that recognises a disagreement; None if it is unexplained."""
    return next((kind for kind in KINDS if kind.recognises(case, theirs, ours)), None)
