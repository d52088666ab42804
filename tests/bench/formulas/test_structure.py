"""What counts as the same formula under scriptorium-1, and what does not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scriptorium.bench.formulas.render import render
from scriptorium.bench.formulas.structure import DEEPEST, Structure, structure

SAME = [
    ("x'", "x^{'}"),
    ("x'_1", "x_1^{'}"),
    (r"\frac{a}{b}", r"\dfrac{a}{b}"),
    (r"\frac{a}{b}", r"\tfrac ab"),
    (r"\left(a\right)", "(a)"),
    (r"\sum_{i}^n a", r"\sum\limits_i^n a"),
    (r"\sum\nolimits_i a", r"\sum_i a"),
    (r"\mathrm{sin}x", r"\operatorname{sin}x"),
    (r"\text{sin}x", r"\sin x"),
    (r"a \le b", r"a\leq b"),
    (r"\lvert x\rvert", "|x|"),
    (r"\left|x\right|", "|x|"),
    (r"a,\dots,b", r"a,\ldots,b"),
    (r"a+\cdots+b", "a+...+b"),
    ("{x}^{{2}}", "x^2"),
    ("f'", r"f^{\prime}"),
    ("f''", r"f^{\prime\prime}"),
    (r"\color{red}{x}+1", "x+1"),
    (r"\textcolor{red}{x}+1", "x+1"),
    (r"\Large x", "x"),
    (r"x\tag{3}", "x"),
    ("x_i^2", "x^2_i"),
    ("{x_i}^2", "x_i^2"),
    (r"\lim_{x\to 0}", r"\lim\limits_{x \rightarrow 0}"),
    (r"\underset{x}{\min}", r"\min_x"),
    (r"\operatorname*{argmax}_x", r"\underset{x}{\arg\max}"),
    (r"\operatorname*{argmax}_x", r"\underset{x}{\operatorname{argmax}}"),
    (r"\mathop{\mathrm{argmin}}_x", r"\mathop{\rm argmin}\limits_x"),
    (r"\begin{align}a&=b\\&=c\end{align}", r"\begin{aligned}a&=b\\&=c\end{aligned}"),
    (r"\begin{equation}a=b\end{equation}", "a=b"),
    (r"\begin{align*}a&=b\end{align*}", "a=b"),
    (r"\begin{cases}x & y\\z & w\end{cases}", r"\left\{\begin{array}{ll}x & y\\z & w\end{array}\right."),
    (r"\left\{\begin{array}{l}x\\y\end{array}\right.", r"\begin{cases}x\\y\end{cases}"),
    (
        r"\left\{\begin{aligned}x&=1\\y&=2\end{aligned}\right.",
        r"\left\{\begin{array}{l}x=1\\y=2\end{array}\right.",
    ),
    (r"\begin{pmatrix}a&b\\c&d\end{pmatrix}", r"\left(\begin{array}{cc}a&b\\c&d\end{array}\right)"),
    (r"\binom{n}{k}", r"\begin{pmatrix}n\\k\end{pmatrix}"),
    (r"\begin{vmatrix}a&b\\c&d\end{vmatrix}", r"\left|\begin{matrix}a&b\\c&d\end{matrix}\right|"),
    (r"90^\circ", r"90\degree"),
    (r"90^{\circ}", "90°"),
    (r"\neq", r"\not="),
    (r"\mathbf{x}", r"\boldsymbol{x}"),
    (r"\mathbf{x}", r"\bm{x}"),
    (r"\mathrm{d}x", "dx"),
    (r"a\quad b", "a b"),
    (r"\displaystyle x", "x"),
    (r"\big( x \big)", "(x)"),
    (r"\boxed{x=1}", "x=1"),
    (r"x \to y", r"x\rightarrow y"),
    (r"x\mid y", "x|y"),
    (r"\|x\|", r"\lVert x\rVert"),
    (r"\hat x", r"\widehat{x}"),
    (r"\vec x", r"\overrightarrow{x}"),
    (r"a\cdot b", r"a \cdotp b"),
    (r"\{a\}", r"\lbrace a\rbrace"),
    (r"\left\{a\right\}", r"\{a\}"),
    (r"\mathcal{L}", r"\mathscr{L}"),
    (r"\int_{0}^{1}", r"\int\limits_0^1"),
    ("1{,}000", "1,000"),
    (r"\text{if } x", r"\mathrm{if}\ x"),
    ("a:b", r"a\colon b"),
    (r"x\ge y", r"x\geqslant y"),
    (r"\cfrac{1}{2}", r"\frac12"),
    (r"\stackrel{a}{=}", r"\overset{a}{=}"),
    (r"A^\top", r"A^{\top}"),
    (r"\langle x\rangle", r"\left\langle x\right\rangle"),
    (r"a\\b", "ab"),
    (r"\begin{array}{rcl}a&=&b\\c&=&d\end{array}", r"\begin{aligned}a&=b\\c&=d\end{aligned}"),
    (r"x^{\prime}_i", "x_i'"),
    (r"\pmod{n}", r"\ (\text{mod } n)"),
    (r"a \bmod b", r"a \mathbin{\mathrm{mod}} b"),
    (r"\mathbb{R}^n", r"\mathbb R^{n}"),
    (r"\sum_{\substack{i\\j}}", r"\sum_{\begin{subarray}{c}i\\j\end{subarray}}"),
    (r"\sqrt[2]{x}", r"\sqrt[2] x"),
    (r"\epsilon", "ϵ"),
    ("α+β", r"\alpha+\beta"),
    ("x²", "x^2"),
    (r"\ne", "≠"),
    (r"\phantom{x}a", "a"),
    ("a~b", "ab"),
    (r"\mathit{diff}", "diff"),
    ("T^{a}{}_{b}", "T^a_b"),
    (r"\dot{x}", r"\dot x"),
    (r"\iff", r"\Leftrightarrow"),
    ("{}_2F_1", "_2F_1"),
    (r"\mathop{\sum}_{i}", r"\sum_i"),
    ("e^{-x}", r"\mathrm{e}^{-x}"),
    (r"\hat{\mathbf x}", r"\mathbf{\hat x}"),
    (r"\begin{split}a&=b\end{split}", "a=b"),
    (r"\begin{gathered}a\\b\end{gathered}", r"\begin{aligned}a\\b\end{aligned}"),
    (r"a\hspace{1em}b", "ab"),
    (r"\smash{x}", "x"),
    (r"\bigg|_{x=0}", "|_{x=0}"),
    (r"\left.x\right|_0", "x|_0"),
    (r"\bigcup_{i}", r"\bigcup\limits_{i}"),
    (r"\nexists", r"\not\exists"),
    (r"\not\in", r"\notin"),
    (r"\mathrm{Re}", r"\operatorname{Re}"),
    (r"\tilde x", r"\widetilde x"),
]

OTHER = [
    ("x^2", "x_2"),
    ("x^2", "x2"),
    ("2x", "x^2"),
    (r"\frac{n}{k}", r"\binom nk"),
    (r"\sqrt{x}", "x"),
    (r"\sqrt[3]{x}", r"\sqrt{x}"),
    (r"\overline{x}", "x"),
    (r"\vec{x}", "x"),
    (r"\cancel{x}", "x"),
    (r"\int_0^1", r"\int_1^0"),
    (r"\mathbf{x}", "x"),
    (r"\mathbb{R}", "R"),
    (r"\mathcal{L}", "L"),
    (r"\hat x", r"\bar x"),
    (r"\underline{x}", "x"),
    (r"\overset{a}{b}", "b^a"),
    (r"\frac{a}{b}", "a/b"),
    (r"\frac ab", r"\frac ba"),
    (r"\begin{pmatrix}a&b\\c&d\end{pmatrix}", r"\begin{pmatrix}a&c\\b&d\end{pmatrix}"),
    (r"\begin{pmatrix}a\\b\end{pmatrix}", "(ab)"),
    (r"\begin{pmatrix}a&b\end{pmatrix}", r"\begin{pmatrix}a\\b\end{pmatrix}"),
    (r"\dot x", r"\ddot x"),
    (r"\epsilon", r"\varepsilon"),
    (r"\mathfrak{g}", "g"),
    (r"\bar x", r"\overline{x}"),
    (r"\underbrace{x}", "x"),
    (r"\overbrace{x}", r"\underbrace{x}"),
    (r"\xrightarrow{f}", r"\to"),
    ("x_{i_j}", "x_{ij}"),
    ("x^{a^b}", "x^{ab}"),
    (r"\widehat{AB}", r"A\widehat{B}"),
    (r"\sqrt{a+b}", r"\sqrt{a}+b"),
    (r"\sout{x}", "x"),
    (r"\cancel{x}", r"\bcancel{x}"),
    ("f'", "f"),
    (r"\ll", "<<"),
    ("x-y", "xy"),
    (r"\sum_i^n", r"\sum_n^i"),
    (r"\mathbf{0}", "0"),
    (r"a\ne b", "a=b"),
]
"""A reference, and what must not stand for it."""

WITHIN = [
    ("3x^{2}", r"\int_0^1 3x^2\,dx = 1"),
    ("a+b", r"\frac{a+b}{c}"),
    ("a+b", r"\sqrt{1+a+b}"),
    ("i=1", r"\sum_{i=1}^{n} a_i"),
    ("c=d", r"\begin{aligned} a &= b \\ c &= d \end{aligned}"),
    ("y>0", r"f = \begin{cases} 1 & y > 0 \\ 0 & \text{else} \end{cases}"),
    ("b", r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}"),
    ("E=mc^2", r"E=mc^2 \tag{4}"),
    (r"E=mc^2 \tag{4}", r"E=mc^2 \tag{4}"),
    ("x", r"\cancel{x}"),
    (r"\overline{AB}", r"\bar{AB}"),
]
"""A reference, and a formula that holds it."""


def seen(formula: str) -> Structure:
    """The structure of a formula that renders."""
    rendered = render([formula])[0]
    assert rendered.error is None, rendered.error
    return rendered.structure


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_that_look_the_same_are_the_same(one: str, other: str) -> None:
    assert seen(one).body == seen(other).body


@pytest.mark.parametrize(("reference", "other"), OTHER)
def test_other_formulas_are_told_apart(reference: str, other: str) -> None:
    assert not seen(other).holds(seen(reference))


@pytest.mark.parametrize(("reference", "larger"), WITHIN)
def test_a_reference_may_be_part_of_a_formula(reference: str, larger: str) -> None:
    assert seen(larger).holds(seen(reference))


@pytest.mark.parametrize(
    ("reference", "larger"),
    [
        (r"E=mc^2 \tag{4}", "E=mc^2"),
        (r"E=mc^2 \tag{4}", r"E=mc^2 \tag{5}"),
        ("a+c", r"a+\frac{c}{b}"),
        ("ab", r"\frac{a}{b}"),
        ("xy", r"\sqrt{x}y"),
        ("bc", r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}"),
    ],
)
def test_a_part_does_not_go_over_the_edge_of_a_construct(reference: str, larger: str) -> None:
    assert not seen(larger).holds(seen(reference))


@given(st.text(max_size=60) | st.text(alphabet='<>/&;mionrwsuptable "=', max_size=120))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_as_mathml(text: str) -> None:
    found = structure(f"<math>{text}</math>")
    assert isinstance(found.body, str)


def test_what_lies_too_deep_is_said_to() -> None:
    deep = DEEPEST + 1
    assert structure("<math>" + "<mrow>" * deep + "<mi>x</mi>" + "</mrow>" * deep + "</math>").too_deep
    assert not structure("<math>" + "<mrow>" * 50 + "<mi>x</mi>" + "</mrow>" * 50 + "</math>").too_deep


def test_mathml_written_by_hand_equals_katex() -> None:
    by_hand = "<math><msup><mi>x</mi><mn>2</mn></msup><mo>+</mo><mfrac><mn>1</mn><mi>n</mi></mfrac></math>"
    assert structure(by_hand).body == seen(r"x^2 + \frac{1}{n}").body


def test_letters_of_unicodes_alphabets_equal_katex() -> None:
    assert (
        structure("<math><mi>ℝ</mi><mi>𝐱</mi><mi>𝔤</mi></math>").body
        == seen(r"\mathbb{R}\mathbf{x}\mathfrak{g}").body
    )
