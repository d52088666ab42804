"""Two candidates on the same tests: the paired difference, how sure it is, and which tests made it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

from scriptorium.bench.scoring.rows import PROFILES, Row, reason
from scriptorium.bench.scoring.scores import Scores
from scriptorium.bench.scoring.statistics import (
    by_document,
    detectable,
    holm,
    interval,
    mean_of_categories,
    percent,
    sign_flip,
)
from scriptorium.bench.scoring.summary import Tally, tally, tally_pages
from scriptorium.errors import InputError

Counts = dict[str, dict[str, list[int]]]
"""Page id to category to the tests passed and the tests there are: `per_page` of bench.json."""


@dataclass(frozen=True)
class Comparison:
    """Candidate `a` less candidate `b`, per rule set, in percent.

    `rules`: `overall` and each of `categories` with `difference`, `interval` (95 %), `p` (sign flips by
    document); `detectable`: the smallest true difference that this comparison would mostly find; `gained`:
    the code of the verdict on `b` to the ids of the tests that only `a` passes; `lost`: the code of the
    verdict on `a` to the ids of those that only `b` passes.
    """

    a: str
    b: str
    rules: dict[str, dict[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """All of it as values of JSON."""
        return asdict(self)


def compare(a: Scores, b: Scores) -> Comparison:
    """What `a` scores more than `b`. Raises InputError if they are not of the same tests and rules."""
    names = [name for name in a.rules if name in b.rules]
    if not names:
        raise InputError(f"{a.candidate} and {b.candidate} were scored under different rule sets")
    for what in ("revision", "profile"):
        mine, theirs = getattr(a, what), getattr(b, what)
        if mine != theirs:
            raise InputError(
                f"{a.candidate} and {b.candidate} cannot be compared: {what} {mine} and {theirs};"
                " score both alike"
            )
    others = {row["id"]: row for row in b.rows}
    _same([row["id"] for row in a.rows], list(others), "tests", a.candidate, b.candidate)
    paired = [(row, others[row["id"]]) for row in a.rows]
    return Comparison(a.candidate, b.candidate, {name: _compare(paired, name, a.profile) for name in names})


def _same(mine: Sequence[str], theirs: Sequence[str], what: str, a: str, b: str) -> None:
    odd = sorted(set(mine) ^ set(theirs))
    if odd:
        raise InputError(
            f"scores of different tests cannot be compared: {len(odd)} {what} are of only one of"
            f" {a} and {b}, {odd[0]!r} first"
        )


def _compare(paired: list[tuple[Row, Row]], rules: str, profile: str) -> dict[str, Any]:
    apart = PROFILES[profile]
    a = tally([row for row, _ in paired], rules, apart)
    b = tally([row for _, row in paired], rules, apart)
    gained: dict[str, list[str]] = {}
    lost: dict[str, list[str]] = {}
    for row, other in paired:
        if rules not in row["rules"]:
            continue
        mine, theirs = row["rules"][rules], other["rules"][rules]
        if mine["counts"] and not theirs["counts"]:
            gained.setdefault(reason(theirs), []).append(row["id"])
        if theirs["counts"] and not mine["counts"]:
            lost.setdefault(reason(mine), []).append(row["id"])
    return {
        **paired_difference(a, b),
        "gained": dict(sorted(gained.items())),
        "lost": dict(sorted(lost.items())),
    }


def paired_difference(a: Tally, b: Tally) -> dict[str, Any]:
    """`a` less `b` overall and by category, of the same tests, with interval and p."""
    totals = a.tests.sum(axis=0)
    moved = a.passed - b.passed
    samples = by_document(moved, a.tests)
    overall = mean_of_categories(samples)
    shares = moved / totals
    means = shares.sum(axis=0)
    p = sign_flip(np.column_stack([shares.mean(axis=1), shares]))
    return {
        "overall": _difference(means.mean(), overall, p[0]),
        "categories": {
            category: _difference(means[column], samples[:, column], p[column + 1])
            for column, category in enumerate(a.categories)
        },
        "detectable": detectable(overall),
    }


def _difference(mean: float, samples: np.ndarray, p: float) -> dict[str, Any]:
    return {"difference": percent(mean), "interval": interval(samples), "p": round(float(p), 6)}


def compare_all(scores: Sequence[Scores]) -> list[Comparison]:
    """Every pair, with `p_holm` beside the overall `p`: adjusted for the number of pairs (Holm, 1979)."""
    found = [compare(a, b) for a, b in combinations(scores, 2)]
    for rules in found[0].rules if found else ():
        cells = [each.rules[rules]["overall"] for each in found]
        for cell, p in zip(cells, holm([cell["p"] for cell in cells]), strict=True):
            cell["p_holm"] = round(p, 6)
    return found


def difference(this: Counts, other: Counts) -> dict[str, Any]:
    """The overall score of `this` less that of `other`, with a 95 % interval, in percent, of bench.json.

    Raises InputError if their pages or numbers of tests differ.
    """
    shapes = [
        {page: {c: cell[1] for c, cell in row.items()} for page, row in each.items()}
        for each in (this, other)
    ]
    odd = sorted(
        page for page in shapes[0].keys() | shapes[1].keys() if shapes[0].get(page) != shapes[1].get(page)
    )
    if odd:
        raise InputError(
            f"scores of different tests cannot be compared: {len(odd)} pages differ, {odd[0]!r} first"
        )
    found = paired_difference(tally_pages(this), tally_pages(other))["overall"]
    return {"mean": found["difference"], "interval": found["interval"], "p": found["p"]}
