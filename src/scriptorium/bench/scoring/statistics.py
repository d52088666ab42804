"""What chance does to a score: intervals, paired differences, permutation tests, what could be detected.

Tests are tallied by document: those of one document stand or fall together, and drawing them one by one
makes intervals too narrow. Arrays of tallies are (documents, categories).
"""

from collections.abc import Sequence
from functools import lru_cache
from math import comb

import numpy as np

SAMPLES = 1000
FLIPS = 10_000
SEED = 0
LEVEL = (2.5, 97.5)
"""Bootstrap samples, sign flips, their seed, and the percentiles of a 95 % interval."""

DETECTABLE = 1.96 + 0.8416
"""Standard errors of a difference that is found four times in five by a two-sided test at 5 %."""


@lru_cache(maxsize=4)
def _weights(documents: int) -> np.ndarray:
    """How often each bootstrap sample draws each document (SAMPLES, documents).

    Equal numbers of documents get equal draws: so differences are paired.
    """
    drawn = np.random.default_rng(SEED).integers(documents, size=(SAMPLES, documents))
    cells = drawn + documents * np.arange(SAMPLES)[:, None]
    counts = np.bincount(cells.ravel(), minlength=SAMPLES * documents)
    return counts.reshape(SAMPLES, documents).astype(np.float32)


def by_document(passed: np.ndarray, tests: np.ndarray) -> np.ndarray:
    """Rates (samples, categories) with documents drawn again with replacement; NaN where no test was drawn.

    `passed` may be a difference of two tallies.
    """
    weights = _weights(len(tests))
    won = (weights @ passed.astype(np.float32)).astype(float)
    total = (weights @ tests.astype(np.float32)).astype(float)
    return np.divide(won, total, out=np.full_like(won, np.nan), where=total > 0)


def by_test(passed: np.ndarray, tests: np.ndarray) -> np.ndarray:
    """Rates (samples, categories) with a category's tests drawn again with replacement, as olmOCR-bench does.

    The number passed of n such draws is a binomial number.
    """
    totals = tests.sum(axis=0)
    rng = np.random.default_rng(SEED)
    drawn = rng.binomial(totals, passed.sum(axis=0) / totals, (SAMPLES, len(totals)))
    return np.asarray(drawn / totals)


def mean_of_categories(rates: np.ndarray) -> np.ndarray:
    """The overall rate of each sample (samples,): the mean of the categories that got a test."""
    return np.asarray(np.nanmean(rates, axis=1))


def interval(samples: np.ndarray) -> list[float]:
    """The 95 % interval of bootstrap samples of a rate or a difference of rates, in percent."""
    low, high = np.nanpercentile(samples, LEVEL)
    return [percent(low), percent(high)]


def percent(rate: float) -> float:
    """A rate in percent, to four places."""
    return round(100.0 * float(rate), 4)


def sign_flip(differences: np.ndarray) -> np.ndarray:
    """Two-sided p of paired differences (documents, columns) that are summed over documents: one a column.

    Under the null hypothesis a document's difference could as well have the other sign. The observed sum
    counts as one of the flips, so that p is never 0 (Phipson and Smyth, 2010).
    """
    rng = np.random.default_rng(SEED)
    observed = np.abs(differences.sum(axis=0))
    moved = differences[np.any(differences != 0, axis=1)]
    signs = rng.integers(0, 2, size=(FLIPS, len(moved)), dtype=np.int8).astype(np.float32) * 2 - 1
    flipped = np.abs(signs @ moved.astype(np.float32))
    reached = (flipped >= observed * (1 - 1e-5)).sum(axis=0)
    return np.asarray((reached + 1) / (FLIPS + 1))


def holm(p: Sequence[float]) -> list[float]:
    """Holm's adjusted p values for a family of tests, in the given order."""
    adjusted = [0.0] * len(p)
    least = 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=lambda each: p[each])):
        least = max(least, min(1.0, (len(p) - rank) * p[index]))
        adjusted[index] = least
    return adjusted


def detectable(samples: np.ndarray) -> float:
    """The smallest true difference in percent that a comparison as noisy as this would mostly find."""
    return percent(DETECTABLE * float(np.nanstd(samples)))


def pass_at(passes: int, repeats: int, k: int) -> float:
    """The chance that one of k of the repeats passes (Chen et al., 2021: unbiased pass@k)."""
    return 1.0 - comb(repeats - passes, k) / comb(repeats, k)


def all_of(passes: int, repeats: int, k: int) -> float:
    """The chance that all of k of the repeats pass."""
    return comb(passes, k) / comb(repeats, k)
