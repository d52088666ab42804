"""What the rows of a score come to under a rule set: categories, overall, types, repeats, intervals."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from scriptorium.bench.outputs import page_id
from scriptorium.bench.rules import OLMOCR
from scriptorium.bench.scoring.rows import PROFILES, Row, document_of
from scriptorium.bench.scoring.statistics import (
    all_of,
    by_document,
    by_test,
    interval,
    mean_of_categories,
    pass_at,
    percent,
)
from scriptorium.errors import InputError


class Tally:
    """Tests by document and category.

    `passed`, `tests`: (documents, categories), both in the order of their names. Made of entries: document,
    category, tests passed, tests.
    """

    def __init__(self, entries: Sequence[tuple[str, str, int, int]]) -> None:
        self.documents = sorted({entry[0] for entry in entries})
        self.categories = sorted({entry[1] for entry in entries})
        line = {name: index for index, name in enumerate(self.documents)}
        column = {name: index for index, name in enumerate(self.categories)}
        self.passed, self.tests = np.zeros((2, len(line), len(column)), dtype=int)
        for document, category, passed, tests in entries:
            self.passed[line[document], column[category]] += passed
            self.tests[line[document], column[category]] += tests

    def samples(self, rules: str) -> np.ndarray:
        """Bootstrap rates (samples, categories): tests for olmocr-2026.03 as it does, else documents."""
        return (by_test if rules == OLMOCR else by_document)(self.passed, self.tests)


def tally(rows: Sequence[Row], rules: str, apart: Sequence[str] = ()) -> Tally:
    """The tests of rows that a rule set knows, less those of the categories set apart."""
    return Tally(
        [
            (document_of(row["pdf"]), row["category"], row["rules"][rules]["counts"], 1)
            for row in rows
            if rules in row["rules"] and row["category"] not in apart
        ]
    )


def summarise(rows: Sequence[Row], rules: str, profile: str = "drop-headers") -> dict[str, Any]:
    """Scores in percent with 95 % intervals under one rule set.

    `overall`: the mean of the categories, less those that the profile sets apart (`apart`). `types`: the mean
    share of repeats passed. `repeats`: see `over_repeats`. Raises InputError if no category is left.
    """
    apart = PROFILES[profile]
    inside = tally(rows, rules, apart)
    if not inside.categories:
        raise InputError(f"no category is left to score under {rules} with the profile {profile}")
    samples = inside.samples(rules)
    outside = tally([row for row in rows if row["category"] in apart], rules)
    mine = [row for row in rows if rules in row["rules"]]
    return {
        "overall": percent((inside.passed.sum(axis=0) / inside.tests.sum(axis=0)).mean()),
        "interval": interval(mean_of_categories(samples)),
        "categories": _categories(inside, samples),
        "apart": _categories(outside, outside.samples(rules)) if outside.categories else {},
        "types": _types(mine, rules),
        "repeats": over_repeats([row for row in mine if row["category"] not in apart], rules),
    }


def _categories(tally: Tally, samples: np.ndarray) -> dict[str, dict[str, Any]]:
    tests, passed = tally.tests.sum(axis=0), tally.passed.sum(axis=0)
    return {
        category: {
            "score": percent(passed[column] / tests[column]),
            "interval": interval(samples[:, column]),
            "tests": int(tests[column]),
            "passed": int(passed[column]),
        }
        for column, category in enumerate(tally.categories)
    }


def _types(rows: Sequence[Row], rules: str) -> dict[str, dict[str, Any]]:
    shares: dict[str, list[float]] = {}
    for row in rows:
        shares.setdefault(row["type"], []).append(row["rules"][rules]["share"])
    return {
        kind: {"score": percent(sum(each) / len(each)), "tests": len(each)}
        for kind, each in sorted(shares.items())
    }


def over_repeats(rows: Sequence[Row], rules: str) -> dict[str, Any]:
    """What repeats of a page come to, in percent; empty if no page has more than one.

    `most`, `least`: repeats of a page. `mean`: one repeat. `pass_at`, `all_of`: k to the chance that one of k,
    or all of k, pass. These three are means of categories, as the overall score (`majority`) is. `flaky`: the
    share of tests that some repeats pass and others do not, of those that have several.
    """
    repeats = [row["rules"][rules]["repeats"] for row in rows]
    if max(repeats) == 1:
        return {}
    counts = [(row["category"], *_passes(row["rules"][rules])) for row in rows]

    def mean(value: Callable[[int, int], float]) -> float:
        found: dict[str, list[float]] = {}
        for category, passes, n in counts:
            found.setdefault(category, []).append(value(passes, n))
        return percent(sum(sum(each) / len(each) for each in found.values()) / len(found))

    several = [0 < passes < n for _, passes, n in counts if n > 1]
    ks = range(1, min(repeats) + 1)
    return {
        "most": max(repeats),
        "least": min(repeats),
        "mean": mean(lambda passes, n: passes / n),
        "majority": mean(lambda passes, n: float(2 * passes > n)),
        "pass_at": {str(k): mean(partial(pass_at, k=k)) for k in ks},
        "all_of": {str(k): mean(partial(all_of, k=k)) for k in ks},
        "flaky": percent(sum(several) / len(several)),
    }


def _passes(cell: Row) -> tuple[int, int]:
    return round(cell["share"] * cell["repeats"]), cell["repeats"]


def tally_pages(counts: dict[str, dict[str, list[int]]]) -> Tally:
    """The tally of `per_page` counts."""
    return Tally(
        [
            (document_of(page.partition("#")[0]), category, passed, tests)
            for page, row in counts.items()
            for category, (passed, tests) in row.items()
        ]
    )


def per_page(rows: Sequence[Row], rules: str) -> dict[str, dict[str, list[int]]]:
    """Page id to category to the tests passed and the tests there are: `per_page` of bench.json."""
    counts: dict[str, dict[str, list[int]]] = {}
    for row in rows:
        if rules in row["rules"]:
            page = counts.setdefault(page_id(row["pdf"], row["page"]), {})
            cell = page.setdefault(row["category"], [0, 0])
            cell[0] += row["rules"][rules]["counts"]
            cell[1] += 1
    return counts
