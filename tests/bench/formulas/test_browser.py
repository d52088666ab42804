"""Our layout of formulas against that of a real browser."""

import itertools
from pathlib import Path

import pytest

from scriptorium.bench.formulas.browser import cross_check
from scriptorium.errors import HostError

CHROMIUM = Path("/usr/bin/chromium")
FORMULAS = [
    "x^2+y_1",
    r"\frac{a+b}{c}",
    r"\sqrt[3]{x}",
    r"\sum_{i=1}^{n} a_i",
    r"\int_0^1 f(x)\,dx",
    r"\lim_{x\to 0} \frac{\sin x}{x}",
    r"\begin{pmatrix}a&b\\c&d\end{pmatrix}",
    r"\begin{cases}1&x>0\\0&x\le 0\end{cases}",
    r"\begin{aligned}a&=b\\&=c\end{aligned}",
    r"\hat{f}+\bar{\mathbf{x}}+\vec{A}",
    r"\binom{n}{k}",
    r"\left\{\frac{1}{2}\right\}",
    r"E=mc^2 \tag{4}",
    r"a\\b",
    r"\overbrace{x+y}^{n}",
    r"\mathcal{L}_{\text{train}}",
    r"e^{-\frac{x^2}{2}}",
    r"\nosuch{x}",
    "a",
    "b",
    "x",
    "4",
]


def test_symbols_and_verdicts_are_chromiums() -> None:
    pytest.importorskip("playwright", reason="playwright is missing")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing")
    check = cross_check(itertools.product(FORMULAS, FORMULAS), CHROMIUM)
    assert (check.formulas, check.pairs) == (len(FORMULAS), len(FORMULAS) ** 2)
    assert check.same_symbols == check.formulas
    assert len(check.differing) <= 0.005 * check.pairs, check.differing


def test_a_browser_that_is_not_there_is_named(tmp_path: Path) -> None:
    pytest.importorskip("playwright", reason="playwright is missing")
    with pytest.raises(HostError, match="does not start"):
        cross_check([("x", "x")], tmp_path / "none")
