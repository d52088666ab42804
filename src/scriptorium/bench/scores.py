"""Scoring a candidate's texts on a bench: per category and overall, under each rule set, with intervals."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scriptorium.bench.outputs import Outputs, page_id, read_candidate
from scriptorium.bench.revision import REVISION
from scriptorium.bench.rules import OLMOCR, RULES, judge_page
from scriptorium.bench.tests import Test, TestError, check_test, load_tests
from scriptorium.errors import InputError

SAMPLES = 1000
SEED = 0
LEVEL = (2.5, 97.5)
"""Bootstrap samples, their seed, and the percentiles of a 95 % interval."""

Counts = dict[str, dict[str, list[int]]]
"""Page id to category to the tests passed and the tests there are: `per_page` of bench.json."""


@dataclass(frozen=True)
class Bench:
    """The tests of a bench by page, each with its category."""

    pages: dict[str, list[tuple[str, Test]]]

    @property
    def tests(self) -> int:
        """How many tests there are."""
        return sum(len(tests) for tests in self.pages.values())


def load_bench(path: Path) -> Bench:
    """The tests of a bench folder (`pdfs/`, a `*.jsonl` per category) or of one of its `*.jsonl` files.

    As in olmOCR-bench, a PDF without any baseline test gets one for its page 1, in the category `baseline`.
    Raises TestError for a test that cannot be used, an id used twice, or a PDF that is not there.
    """
    files = [path] if path.suffix == ".jsonl" else sorted(path.glob("*.jsonl"))
    root = (path.parent if path.suffix == ".jsonl" else path) / "pdfs"
    pdfs = {pdf.relative_to(root).as_posix() for pdf in root.rglob("*.pdf")}
    if not files or not pdfs:
        raise InputError(f"{path}: not a bench folder: it needs pdfs/*.pdf and a *.jsonl per category")
    found = [(file, test) for file in files for test in load_tests(file)]
    seen: dict[str, Path] = {}
    for file, test in found:
        if test["id"] in seen:
            raise TestError(f"{test['id']!r} is used in {seen[test['id']].name} too", file, field="id")
        if test["pdf"] not in pdfs:
            raise TestError(
                f"test {test['id']!r} is about {test['pdf']!r}, which is not in pdfs/", file, field="pdf"
            )
        seen[test["id"]] = file
    tests = [(file.stem, test) for file, test in found]
    considered = {test["pdf"] for _, test in tests} if path.suffix == ".jsonl" else pdfs
    tested = {test["pdf"] for _, test in tests if test["type"] == "baseline"}
    for pdf in sorted(considered - tested):
        record = {"pdf": pdf, "page": 1, "id": f"{pdf}_baseline", "type": "baseline"}
        tests.append(("baseline", check_test(record)))
    return Bench(_by_page(tests))


def _by_page(tests: list[tuple[str, Test]]) -> dict[str, list[tuple[str, Test]]]:
    pages: dict[str, list[tuple[str, Test]]] = {}
    for category, test in sorted(tests, key=lambda each: (each[1]["pdf"], each[1]["page"])):
        pages.setdefault(page_id(test["pdf"], test["page"]), []).append((category, test))
    return pages


def score(bench: Bench, outputs: Outputs, rules: Iterable[str] = RULES) -> dict[str, Any]:
    """The parts `revision`, `pages`, `tests`, `scores`, `differences` and `per_page` of bench.json.

    A test of a page with several texts (repeats) passes if more than half of them pass it. A page without a
    text fails all its tests. Scores are percentages; overall is the mean of the categories, `baseline` among
    them. `differences` are the ids of the tests on whose outcome the rule sets differ.
    """
    passed = {name: _passed(bench, outputs, name) for name in rules}
    per_page = {name: _counts(bench, ids) for name, ids in passed.items()}
    every = [test["id"] for tests in bench.pages.values() for _, test in tests]
    return {
        "revision": REVISION,
        "pages": len(bench.pages),
        "tests": bench.tests,
        "scores": {name: summarise(counts, name) for name, counts in per_page.items()},
        "differences": [one for one in every if len({one in ids for ids in passed.values()}) > 1],
        "per_page": per_page,
    }


def score_folder(folder: Path, candidate: str, *rules: str) -> dict[str, Any]:
    """`score` for a candidate in olmOCR-bench's layout: `<folder>/<candidate>/**/*_pgN_repeatR.md`.

    `rules`: names of rule sets, all of them if none is given. Raises InputError, TestError.
    """
    return score(load_bench(folder), read_candidate(folder, candidate), rules or RULES)


def _passed(bench: Bench, outputs: Outputs, rules: str) -> set[str]:
    """The ids of the tests that the outputs pass."""
    passed: set[str] = set()
    for page, tests in bench.pages.items():
        texts = outputs.get(page, [])
        votes = np.zeros(len(tests), dtype=int)
        for text in texts:
            if text is not None:
                votes += [
                    verdict.passed is True for verdict in judge_page([t for _, t in tests], text, rules)
                ]
        passed |= {
            test["id"] for (_, test), count in zip(tests, votes, strict=True) if 2 * count > len(texts)
        }
    return passed


def _counts(bench: Bench, passed: set[str]) -> Counts:
    counts: Counts = {}
    for page, tests in bench.pages.items():
        row = counts[page] = {}
        for category, test in tests:
            cell = row.setdefault(category, [0, 0])
            cell[0] += test["id"] in passed
            cell[1] += 1
    return counts


def summarise(counts: Counts, rules: str) -> dict[str, Any]:
    """Scores and 95 % intervals of one rule set (percentile bootstrap, seeded).

    Our own rule set resamples whole pages: the tests of a page stand or fall together, and drawing them one
    by one makes intervals too narrow. olmocr-2026.03 keeps olmOCR-bench's way: tests within each category.
    """
    categories, passed, tests = _table(counts)
    rates = np.array(passed.sum(axis=0) / tests.sum(axis=0))
    samples = _by_test(passed, tests) if rules == OLMOCR else by_page(passed, tests)
    return {
        "overall": _percent(rates.mean()),
        "interval": interval(mean_of_categories(samples)),
        "categories": {
            category: {
                "score": _percent(rates[column]),
                "interval": interval(samples[:, column]),
                "tests": int(tests[:, column].sum()),
                "passed": int(passed[:, column].sum()),
            }
            for column, category in enumerate(categories)
        },
    }


def _table(counts: Counts) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The categories in order of name, and two arrays (pages, categories): tests passed, tests."""
    categories = sorted({category for row in counts.values() for category in row})
    table = np.array([[row.get(category, [0, 0]) for category in categories] for row in counts.values()])
    return categories, table[:, :, 0], table[:, :, 1]


def _by_test(passed: np.ndarray, tests: np.ndarray) -> np.ndarray:
    """Rates (samples, categories) with a category's tests drawn again with replacement: a binomial number."""
    totals = tests.sum(axis=0)
    drawn = np.random.default_rng(SEED).binomial(totals, passed.sum(axis=0) / totals, (SAMPLES, len(totals)))
    return np.asarray(drawn / totals)


def by_page(passed: np.ndarray, tests: np.ndarray) -> np.ndarray:
    """Rates (samples, categories) with pages drawn again with replacement; NaN where a category got no test.

    `passed` and `tests` are (pages, categories). Equal shapes get equal draws: so differences are paired.
    """
    rng = np.random.default_rng(SEED)
    pages = len(tests)
    rates = np.full((SAMPLES, tests.shape[1]), np.nan)
    for sample in range(SAMPLES):
        weights = np.bincount(rng.integers(pages, size=pages), minlength=pages)
        total = weights @ tests
        np.divide(weights @ passed, total, out=rates[sample], where=total > 0)
    return rates


def mean_of_categories(rates: np.ndarray) -> np.ndarray:
    """The overall rate of each sample (samples,): the mean of the categories that got a test."""
    return np.asarray(np.nanmean(rates, axis=1))


def interval(samples: np.ndarray) -> list[float]:
    """The 95 % interval of bootstrap samples of a rate or a difference of rates, in percent."""
    low, high = np.nanpercentile(samples, LEVEL)
    return [_percent(low), _percent(high)]


def _percent(rate: float) -> float:
    return round(100.0 * float(rate), 4)


def difference(this: Counts, other: Counts) -> dict[str, Any]:
    """The overall score of `this` less that of `other`, with a 95 % interval, in percent.

    Paired: each bootstrap sample draws the same pages for both. Raises InputError if their pages or numbers
    of tests differ.
    """
    shapes = [
        {page: {c: cell[1] for c, cell in row.items()} for page, row in each.items()}
        for each in (this, other)
    ]
    if shapes[0] != shapes[1]:
        odd = sorted(
            page for page in shapes[0].keys() | shapes[1].keys() if shapes[0].get(page) != shapes[1].get(page)
        )
        raise InputError(
            f"scores of different tests cannot be compared: {len(odd)} pages differ, {odd[0]!r} first"
        )
    _, mine, tests = _table(this)
    _, theirs, _ = _table({page: other[page] for page in this})
    totals = tests.sum(axis=0)
    mean = ((mine.sum(axis=0) - theirs.sum(axis=0)) / totals).mean()
    samples = mean_of_categories(by_page(mine - theirs, tests))
    return {"mean": _percent(mean), "interval": interval(samples)}
