"""Where formulas stand on a page."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scriptorium.bench.formulas.find import olmocr_formulas, readings, strict_formulas


@pytest.mark.parametrize(
    ("markdown", "formulas"),
    [
        (r"so \(x+1\) and \[ y \] hold", ["x+1", "y"]),
        ("$a$ and $$b$$", ["a", "b"]),
        ("$$\na = b\n$$", ["a = b"]),
        ("cost is $3 and $a+b$ holds", ["3", "a+b"]),
        ("It costs $5 and then $10 more.", ["5", "10"]),
        (r"It costs \$5 and then \$10 more.", []),
        (r"\$3 for $a+b$", ["a+b"]),
        ("$x_1$-$x_2$", ["x_1", "x_2"]),
        ("$2^{10}$0", ["2^{10}"]),
        ("$ x + y $", ["x + y"]),
        ("$ and not $ math", []),
        ("a $x\n\ny$ b", []),
        ("`$x$` and ``$y$``", []),
        ("```\n$x$\n```\n$y$", ["y"]),
        ("```math\nx^2\n```", ["x^2"]),
        ("a\n   ```math\nx^2\n```\n$y$", ["x^2", "y"]),
        ("$a$\n  ~~~\n$x$\n~~~\n$y$", ["a", "y"]),
        ("    ```\n$x$", ["x"]),
        ("  `$x$` $y$", ["y"]),
        ("<!-- $x$ --> $y$", ["y"]),
        (r"\begin{equation}a=b\end{equation}", [r"\begin{equation}a=b\end{equation}"]),
        (
            r"\begin{array}{c}\begin{array}{c}a\end{array}\end{array}.",
            [r"\begin{array}{c}\begin{array}{c}a\end{array}\end{array}"],
        ),
        (r"$$\begin{aligned}a\end{aligned}$$", [r"\begin{aligned}a\end{aligned}"]),
        (r"\\(x\\)", ["x"]),
        ("$`x`$", ["x"]),
        ("<math>x^2 &lt; 1</math>", ["x^2 < 1"]),
        ("<math><mi>x</mi></math>", ["<math><mi>x</mi></math>"]),
        (
            '<math><semantics><mi>x</mi><annotation encoding="application/x-tex">x_1</annotation>'
            "</semantics></math>",
            ["x_1"],
        ),
        ("no formulas", []),
        ("", []),
    ],
)
def test_formulas_as_a_reader_sees_them(markdown: str, formulas: list[str]) -> None:
    found = strict_formulas(markdown, True)
    assert [formula.text for formula in found] == formulas


def test_spans_hold_the_formula_and_its_marks() -> None:
    markdown = r"so $x$, \(y\) and \[ z \]; <math>u</math>"
    spans = [markdown[formula.start : formula.end] for formula in strict_formulas(markdown, True)]
    assert spans == ["$x$", r"\(y\)", r"\[ z \]", "<math>u</math>"]


def test_dollars_can_be_left_out() -> None:
    markdown = r"$a$ $$b$$ \(c\) $`d`$ costs $5"
    assert [formula.text for formula in strict_formulas(markdown, False)] == ["c"]
    assert olmocr_formulas(markdown, False) == ["c"]


@pytest.mark.parametrize(
    ("markdown", "formulas"),
    [
        (r"$a$ \(b\) $$c$$ \[d\]", ["b", "d", "c", "a"]),
        ("It costs $5 and then $10 more.", ["5 and then"]),
        ("$$a$", ["$a"]),
        ("`$x$`", ["x"]),
        (r"\(\)x\)", [r"\)x"]),
        ("$a\n\nb$", ["a\n\nb"]),
        (r"\(a $x$", ["x"]),
    ],
)
def test_formulas_as_olmocr_finds_them(markdown: str, formulas: list[str]) -> None:
    assert olmocr_formulas(markdown, True) == formulas


@given(st.text(alphabet="$\\()[]`~ \n5x<>!-math/begin{align}endcu", max_size=200))
@settings(max_examples=300, deadline=None)
def test_spans_are_in_order_and_apart(markdown: str) -> None:
    end = 0
    for formula in strict_formulas(markdown, True):
        assert end <= formula.start < formula.end <= len(markdown)
        assert formula.text
        end = formula.end


@pytest.mark.parametrize(
    ("unit", "count"),
    [
        ("$ ", 0),
        (r"\(", 1),
        (r"\begin{align}", 1),
        ("` `` ``` ", 0),
        ("<math>", 1),
        ("$a\\$", 25_000),
        ("$$ ", 0),
        ("<!--", 0),
        ("$5 ", 66_666),
    ],
)
def test_marks_without_partners_are_soon_passed(unit: str, count: int) -> None:
    page = (unit * (200_000 // len(unit))) + "\n\n\\) \\end{align} </math>"
    assert len(strict_formulas(page, True)) == count


def test_a_pipe_in_a_table_may_be_escaped() -> None:
    row, line = r"| $\|x\|$ | b |", r"so $\|x\|$"
    assert [formula.in_table for formula in strict_formulas(f"{row}\n{line}", True)] == [True, False]
    assert readings(r"\|x\|", in_table=True) == [r"\|x\|", "|x|"]


@pytest.mark.parametrize(
    ("latex", "ways"),
    [
        ("x^2", ["x^2"]),
        (r"x\_1", [r"x\_1", "x_1"]),
        (r"a &lt; b", ["a < b"]),
        (r"a=b \label{eq:1} \nonumber", ["a=b  "]),
        (r"\begin{multline}a\\b\end{multline}", [r"\begin{gather*}a\\b\end{gather*}"]),
        (r"\begin{eqnarray*}a&=&b\end{eqnarray*}", [r"\begin{array}{rcl}a&=&b\end{array}"]),
        ("x ∈ ℝ", [r"x ∈ \mathbb{R}"]),
    ],
)
def test_readings(latex: str, ways: list[str]) -> None:
    assert readings(latex) == ways
