"""Searching with differences, against brute force."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import LCSseq, Levenshtein

from scriptorium.bench.judges import search
from scriptorium.bench.judges.search import apart, best_window, exact_matches, near_matches
from scriptorium.bench.judges.steps import OutOfSteps

LETTERS = st.text("abc", max_size=25)
NEEDLES = st.text("abc", min_size=1, max_size=9)


@given(NEEDLES, LETTERS, st.integers(0, 5))
def test_best_window_is_the_best(needle: str, text: str, most: int) -> None:
    size = len(needle)
    padded = "-" * size + text + "-" * size
    windows = (padded[i : i + size] for i in range(len(padded) - size + 1))
    fewest = min(size - LCSseq.similarity(needle, window) for window in windows)
    found = best_window(needle, text, min(most, size - 1))
    assert (found[2] if found else None) == (fewest if fewest <= min(most, size - 1) else None)
    if found:
        assert LCSseq.similarity(needle, text[found[0] : found[1]]) == size - fewest


def test_whole_numbers_decide_at_the_limit() -> None:
    for size in range(2, 200):
        needle = "".join(chr(200 + i) for i in range(size))
        for most in range(1, min(5, size)):
            changed = "z" * most + needle[most:]
            assert best_window(needle, f"xx{changed}xx", most) is not None
            assert best_window(needle, f"xx{changed}xx", most - 1) is None


@given(NEEDLES, LETTERS, st.integers(0, 4))
def test_near_matches_are_near_apart_and_the_nearest(needle: str, text: str, most: int) -> None:
    most = min(most, len(needle) // 2)
    found = near_matches(needle, text, most)
    for start, end, distance in found:
        assert Levenshtein.distance(needle, text[start:end]) == distance <= most
    if most:
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(found))
    pieces = [text[i:j] for i in range(len(text)) for j in range(i + 1, len(text) + 1)]
    nearest = min((Levenshtein.distance(needle, piece) for piece in pieces), default=most + 1)
    assert min((distance for _, _, distance in found), default=None) == (nearest if nearest <= most else None)


def test_exact_matches_may_overlap() -> None:
    assert exact_matches("aba", "ababa") == [(0, 3, 0), (2, 5, 0)]
    assert exact_matches("", "abc") == []


@given(st.text("abcd", min_size=2, max_size=30), st.text("abcd", max_size=80), st.integers(1, 5))
def test_both_ways_of_a_near_search_find_the_same(needle: str, text: str, most: int) -> None:
    most = min(most, len(needle) // 2)
    found = []
    for cost in (0, 10**9):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(search, "PAIR_COST", cost)
            found.append(near_matches(needle, text, most))
    assert found[0] == found[1]


@given(NEEDLES, LETTERS)
def test_matches_apart_are_those_that_counting_finds(needle: str, text: str) -> None:
    assert len(apart(exact_matches(needle, text))) == text.count(needle)


def test_a_search_that_would_take_too_long_is_given_up() -> None:
    with pytest.raises(OutOfSteps):
        exact_matches("a", "a" * (search.MAX_MATCHES + 1))
    with pytest.raises(OutOfSteps):
        near_matches("ab" * 40, "ab" * 1_000_000, 30)
