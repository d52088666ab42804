"""Texts as sets of numbers: runs of words, hashed, by which texts are compared without their words.

A run of N words is one 64-bit number, the same in every process and on every machine.
"""

import zlib
from collections.abc import Sequence

import numpy as np

from scriptorium.pages.signals import words

BASE = np.uint64(0x9E3779B97F4A7C15)
"""An odd number near 2^64 / golden ratio: multiplying by it and its powers spreads the words' places."""


def shingles(text: str, size: int) -> np.ndarray:
    """The hashes (uint64, sorted, each once) of all runs of `size` words; fewer words have none.

    Words are those of `pages.signals`: without markup, accents and capitals.
    """
    return of_words(words(text), size)


def of_words(said: Sequence[str], size: int) -> np.ndarray:
    """As shingles, of words that have been told apart."""
    count = len(said) - size + 1
    if count < 1:
        return np.empty(0, np.uint64)
    codes = np.fromiter((_hash(word) for word in said), np.uint64, len(said))
    total = np.zeros(count, np.uint64)
    for place in range(size):
        total = total * BASE + codes[place : place + count]
    return np.unique(mixed(total))


def _hash(word: str) -> int:
    raw = word.encode("utf-8", "replace")
    return zlib.crc32(raw) | zlib.adler32(raw[::-1]) << 32


def mixed(numbers: np.ndarray) -> np.ndarray:
    """64-bit numbers spread evenly (the finaliser of SplitMix64), uint64 as before."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


def jaccard(one: np.ndarray, other: np.ndarray) -> float:
    """The share of runs that two texts have in common of all that either has, in [0, 1]."""
    both = len(np.intersect1d(one, other, assume_unique=True))
    return both / max(1, len(one) + len(other) - both)
