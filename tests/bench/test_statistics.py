"""Intervals and permutation tests against what they should be."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scriptorium.bench.rules import OLMOCR, STRICT
from scriptorium.bench.scoring.rows import document_of
from scriptorium.bench.scoring.statistics import (
    FLIPS,
    all_of,
    by_document,
    by_test,
    detectable,
    holm,
    interval,
    mean_of_categories,
    pass_at,
    sign_flip,
)
from scriptorium.bench.scoring.summary import summarise


@pytest.mark.parametrize(
    ("pdf", "document"),
    [
        ("headers_footers/abc_pg2.pdf", "headers_footers/abc"),
        ("abc_page_12.pdf", "abc"),
        ("abc_pg2_pg3.pdf", "abc_pg2"),
        ("a/abc.pdf", "a/abc"),
        ("_pg2.pdf", "_pg2"),
    ],
)
def test_documents(pdf: str, document: str) -> None:
    assert document_of(pdf) == document


def width(samples: np.ndarray) -> float:
    low, high = interval(samples)
    return high - low


def test_a_single_category_has_the_interval_of_theory() -> None:
    """Half of 400 tests, each a document: standard error 2.5 points."""
    passed = np.array([[1], [0]] * 200)
    ones = np.ones_like(passed)
    for samples in (by_document(passed, ones), by_test(passed, ones)):
        assert samples.std() == pytest.approx(0.025, rel=0.08)
        assert samples.mean() == pytest.approx(0.5, abs=0.005)
    assert detectable(by_document(passed, ones)) == pytest.approx(7.0, rel=0.08)


def test_tests_that_stand_or_fall_together_widen_the_interval() -> None:
    """20 documents of 25 tests say as much as 20 tests."""
    passed = np.array([[25], [0]] * 10)
    tests = np.full_like(passed, 25)
    assert width(by_document(passed, tests)) > 4 * width(by_test(passed, tests))


def test_a_category_that_was_not_drawn_is_left_out() -> None:
    tests = np.array([[1, 1]] + [[1, 0]] * 9)
    rates = by_document(tests * 0, tests)
    assert np.isnan(rates[:, 1]).any()
    assert not np.isnan(rates[:, 0]).any()
    assert not np.isnan(mean_of_categories(rates)).any()


def test_sign_flips_give_the_exact_p_of_few_documents() -> None:
    """Eight documents have 256 sign patterns: all can be tried."""
    moved = np.array([3.0, 1.0, 2.0, -1.0, 2.0, 1.0, 0.0, 1.0])
    patterns = np.array(list(itertools.product((-1, 1), repeat=8)))
    exact = np.mean(np.abs(patterns @ moved) >= moved.sum() - 1e-9)
    assert sign_flip(moved[:, None])[0] == pytest.approx(exact, abs=0.01)


def test_p_is_never_zero_and_one_where_nothing_moved() -> None:
    assert sign_flip(np.ones((100, 1)))[0] == 1 / (FLIPS + 1)
    assert sign_flip(np.zeros((5, 1)))[0] == 1.0


def test_p_is_uniform_where_there_is_no_difference() -> None:
    """The share of small p values is what they say (300 columns of noise)."""
    noise = np.random.default_rng(5).normal(size=(60, 300))
    p = sign_flip(noise)
    assert np.mean(p < 0.05) == pytest.approx(0.05, abs=0.035)
    assert np.mean(p) == pytest.approx(0.5, abs=0.06)


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_never_lowers_a_p_and_keeps_their_order(p: list[float]) -> None:
    adjusted = holm(p)
    assert all(after >= before and after <= 1 for before, after in zip(p, adjusted, strict=True))
    order = sorted(range(len(p)), key=lambda i: p[i])
    assert [adjusted[i] for i in order] == sorted(adjusted)


def test_pass_at_k() -> None:
    """By hand: 2 of 4 pass; of the 6 pairs one has no pass, and one has two."""
    assert pass_at(2, 4, 1) == pytest.approx(0.5)
    assert pass_at(2, 4, 2) == pytest.approx(5 / 6)
    assert all_of(2, 4, 2) == pytest.approx(1 / 6)
    assert all_of(2, 4, 3) == 0.0
    assert pass_at(2, 4, 4) == 1.0


def row(
    pdf: str, category: str, passes: int, repeats: int = 1, rules: tuple[str, ...] = (OLMOCR, STRICT)
) -> dict:
    cell = {"counts": 2 * passes > repeats, "share": passes / repeats, "repeats": repeats}
    return {"pdf": pdf, "category": category, "type": "present", "rules": dict.fromkeys(rules, cell)}


def test_overall_is_the_mean_of_categories() -> None:
    rows = [row("a.pdf", "x", 1), row("b.pdf", "x", 1), row("b.pdf", "x", 0), row("b.pdf", "y", 0)]
    found = summarise(rows, STRICT)
    assert found["overall"] == pytest.approx(100 / 3, abs=1e-3)
    assert found["categories"]["x"]["tests"] == 3
    assert found == summarise(rows, STRICT)


def test_keep_headers_sets_their_category_apart() -> None:
    rows = [row("a.pdf", "x", 1), row("b.pdf", "headers_footers", 0)]
    kept = summarise(rows, STRICT, "keep-headers")
    assert kept["overall"] == 100.0
    assert list(kept["categories"]) == ["x"]
    assert kept["apart"]["headers_footers"]["score"] == 0.0
    assert summarise(rows, STRICT)["overall"] == 50.0


def test_repeats() -> None:
    rows = [row("a.pdf", "x", 2, 3), row("a.pdf", "x", 1, 3), row("b.pdf", "y", 3, 3)]
    found = summarise(rows, STRICT)["repeats"]
    assert found["mean"] == pytest.approx(75.0)
    assert found["majority"] == pytest.approx(75.0)
    assert found["pass_at"]["1"] == found["all_of"]["1"] == found["mean"]
    assert found["pass_at"]["3"] == 100.0
    assert found["all_of"]["3"] == 50.0
    assert found["flaky"] == pytest.approx(200 / 3, abs=1e-3)
    assert summarise([row("a.pdf", "x", 1)], STRICT)["repeats"] == {}
