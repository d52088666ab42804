"""Our layout of formulas against that of a real browser."""

import itertools
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scriptorium.bench.commands import app
from scriptorium.bench.formulas.browser import cross_check
from scriptorium.errors import HostError, InputError

from ..shared import sample

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


def test_the_command_prints_what_agrees() -> None:
    pytest.importorskip("playwright", reason="playwright is missing")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing")
    result = CliRunner().invoke(app, ["crosscheck", str(sample()), "--chromium", str(CHROMIUM)])
    assert result.exit_code == 0, result.output
    assert "41 formulas, 41 with the same symbols" in result.output


def test_a_bench_without_formulas_is_named(tmp_path: Path) -> None:
    (tmp_path / "pdfs").mkdir()
    (tmp_path / "pdfs" / "a.pdf").write_bytes(b"%PDF-1.4")
    (tmp_path / "one.jsonl").write_text(
        '{"pdf": "a.pdf", "page": 1, "id": "a", "type": "math", "math": "x"}\n', encoding="utf-8"
    )
    (tmp_path / "tool").mkdir()
    (tmp_path / "tool" / "a_pg1_repeat1.md").write_text("no formula", encoding="utf-8")
    result = CliRunner().invoke(app, ["crosscheck", str(tmp_path)])
    assert isinstance(result.exception, InputError)
