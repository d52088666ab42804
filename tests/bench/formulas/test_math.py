"""Tests of type math under both rule sets."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scriptorium.bench.formulas import judge as judging
from scriptorium.bench.rules import OLMOCR, STRICT, judge
from scriptorium.bench.tests import TestError, check_test
from scriptorium.bench.verdict import Verdict

from ..shared import sample


def math(formula: str, markdown: str, rules: str = STRICT, **fields: bool) -> Verdict:
    """The verdict of a formula test on a page."""
    return judge({"type": "math", "math": formula, **fields}, markdown, rules)


def test_fields() -> None:
    assert check_test({"type": "math", "math": "x"}, placed=False)["ignore_dollar_delimited"] is False
    for wrong in ({"math": "  "}, {"math": 3}, {}, {"math": "x", "ignore_dollar_delimited": 1}):
        with pytest.raises(TestError):
            check_test({"type": "math", **wrong}, placed=False)


@pytest.mark.parametrize(
    ("formula", "markdown", "olmocr", "strict"),
    [
        ("a+b", "$a + b$", True, True),
        ("x^2", "$x_2$", True, False),
        (r"\sqrt{x}", "$x$", True, False),
        (r"\mathbf{x}", "$x$", True, False),
        (r"\overline{x}", "$x$", True, False),
        ("a+b", r"a+b \begin{equation}a+b\end{equation}", False, True),
        ("a+b", r"cost is \$3 and $a+b$", False, True),
        ("5", r"It costs \$5 and \$10", False, False),
        ("5", r"It costs \$5 and then \$10", False, False),
        ("x", "`$x$`", True, False),
        (r"\nosuch{x}", "$q$", True, False),
        (r"\nosuch{x}", "q", False, False),
        (r"\nosuch{x}", r"$\nosuch{x}$", True, False),
        (r"\;", "$q$", True, False),
        ("x_{1}", r"$x\_{1}$", True, True),
        ("a<b", "$a &lt; b$", False, True),
        (r"\text{if } x", r"$\text{if}\ x$", True, True),
        ("x^2", "<math><msup><mi>x</mi><mn>2</mn></msup></math>", False, True),
        ("x^2", "<math>x^{2}</math>", False, True),
        ("x", "", False, False),
        ("x'", "$x’$", False, True),
        ("|x|", r"| $\|x\|$ | b |", False, True),
    ],
)
def test_verdicts(formula: str, markdown: str, olmocr: bool, strict: bool) -> None:
    assert math(formula, markdown, OLMOCR).passed is olmocr
    assert math(formula, markdown).passed is strict


@pytest.mark.parametrize(
    ("formula", "markdown", "code"),
    [
        ("x", "no formula", "no_formula"),
        ("x", "$y$", "not_found"),
        ("x", r"$\nosuch$", "unrenderable"),
        (r"\nosuch", "$y$", "reference_unrenderable"),
        (r"\nosuch", r"$\nosuch$", "reference_unrenderable"),
        (r"\;", "$y$", "reference_unrenderable"),
        ("x", "$x$", "found"),
    ],
)
def test_codes(formula: str, markdown: str, code: str) -> None:
    assert math(formula, markdown).code == code


def test_evidence_is_the_formula_that_is_most_alike() -> None:
    markdown = "First $x + y + z = 1$, then $x+y$."
    for rules, text in ((STRICT, "$x+y$"), (OLMOCR, "x+y")):
        evidence = math("x + y", markdown, rules).evidence
        assert evidence is not None
        assert markdown[slice(*evidence)] == text


@pytest.mark.parametrize("rules", [OLMOCR, STRICT])
def test_what_cannot_be_settled_is_undecided(rules: str) -> None:
    assert math("y+1", "$" + "x" * 30_000 + "$", rules) == Verdict(None, "step_limit")
    assert math("y" * 30_000, "$x$", rules) == Verdict(None, "step_limit")
    assert math("y", "$" + "x" * 30_000 + "$ $y$", rules).passed


@pytest.mark.parametrize("rules", [OLMOCR, STRICT])
def test_a_page_of_thousands_of_formulas(rules: str, monkeypatch: pytest.MonkeyPatch) -> None:
    page = " ".join(f"$x_{{{at}}}=1$" for at in range(3000))
    assert math("x_{2999} = 1", page, rules).passed
    assert math("x_{3000} = 1", page, rules).passed is False
    monkeypatch.setattr(judging, "MOST_FORMULAS", 10)
    judging._read.cache_clear()
    judging._olmocr_read.cache_clear()
    assert math("x_{3000}=1", page, rules).passed is None
    judging._read.cache_clear()
    judging._olmocr_read.cache_clear()


@pytest.mark.parametrize("rules", [OLMOCR, STRICT])
def test_dollars_can_be_ignored(rules: str) -> None:
    assert not math("x", "$x$ $$x$$", rules, ignore_dollar_delimited=True).passed
    assert math("x", r"$y$ \(x\)", rules, ignore_dollar_delimited=True).passed


def test_the_sample_is_read() -> None:
    folder = sample()
    page = (folder / "olmocr_pipeline" / "mathfuncs_pg1_repeat1.md").read_text(encoding="utf-8")
    for rules in (OLMOCR, STRICT):
        assert math("a^{2}+b^{2}=c^{2}", page, rules).passed
        assert not math("a^{2}+b^{3}=c^{2}", page, rules).passed


PIECES = r"""a b 1 2 + = ^ _ { } & ( ) [ ] | $ ' \\ \frac \sqrt \hat \left( \right) \begin{align} \end{align}
\begin{cases} \end{cases} \text{ \sum\limits \( \) $$ ` \tag{1} \def\a{ \a <math> </math> \\[1em] \mathbb \not"""
LATEX = st.lists(st.sampled_from([*PIECES.split(), " ", "\n"]), max_size=25).map("".join)

FORMULA = st.recursive(
    st.sampled_from(["a", "b+1", r"\alpha", r"\mathbb{R}", "x'", r"\text{if}", r"\sum_{i=1}^n", r"\ldots"]),
    lambda part: st.one_of(
        st.tuples(part, part).map(lambda two: rf"\frac{{{two[0]}}}{{{two[1]}}}"),
        st.tuples(part, part).map(lambda two: rf"{{{two[0]}}}_{{{two[1]}}}"),
        st.tuples(part, part).map(lambda two: rf"{two[0]} + {two[1]}"),
        st.tuples(part, part).map(lambda two: rf"\begin{{pmatrix}} {two[0]} & {two[1]} \end{{pmatrix}}"),
        part.map(lambda one: rf"\sqrt{{{one}}}"),
        part.map(lambda one: rf"\overline{{{one}}}"),
        part.map(lambda one: rf"\left( {one} \right)"),
    ),
    max_leaves=8,
)
FUZZ = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(LATEX.filter(str.strip), LATEX)
@FUZZ
def test_any_formula_is_judged_on_any_page(formula: str, page: str) -> None:
    for rules in (OLMOCR, STRICT):
        assert math(formula, page, rules).passed in (True, False)


@given(FORMULA, FORMULA)
@FUZZ
def test_a_formula_stands_in_itself_and_in_larger_ones(formula: str, other: str) -> None:
    for page in (f"${formula}$", rf"\[{other} = {formula}\]", rf"$$\frac{{{formula}}}{{{other}}}$$"):
        assert math(formula, page).passed
    # Within a fraction limits move, and olmOCR-bench compares places.
    assert math(formula, f"$ {formula} $", OLMOCR).passed


@given(FORMULA)
@FUZZ
def test_what_only_our_rules_see_makes_them_stricter(formula: str) -> None:
    assert not math(rf"\sqrt{{{formula}}}^2", f"${formula}^2$").passed
