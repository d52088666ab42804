r"""Each rule of a text, as a table of text, verdict and reason; and the repairs that come before them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.files import sha256_json
from scriptorium.mix.filters import REVISION
from scriptorium.mix.page_text import formulas, without
from scriptorium.mix.repairs import repair
from scriptorium.mix.text_rules import RULES, USUAL, judge

CASES = [
    ("plain prose, nothing else", "", ""),
    # Markdown tables: a row of three pipes beside a row of dashes
    ("| a | b |\n|---|---|\n| 1 | 2 |", "markdown-tables", "| a | b |"),
    ("a | b", "", ""),
    ("|x| is a norm and |y| another", "", ""),
    ("```\n| a | b |\n|---|---|\n```", "", ""),
    # HTML tables
    ("<table><tr><td>1</td></tr></table>", "", ""),
    ("<table><tr><td>1<td>2<tr><td>3</table>", "", ""),
    ("<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>", "", ""),
    ("<table><tr><td><table><tr><td>1</td></tr></table></td></tr></table>", "", ""),
    ("<table><tr><td>1</td></tr>", "html-tables", "<table> has no end"),
    ("x</table>", "html-tables", "</table> ends nothing at </table>"),
    ("<table><tr>1</td></tr></table>", "html-tables", "</td> ends nothing at </td></tr></table>"),
    ("<td>1</td>", "html-tables", "<td> stands in no table at <td>1</td>"),
    ("<table><tr><td>a<br>b</td></tr></table>", "", ""),
    # other HTML
    ("x<sup>2</sup> and H<sub>2</sub>O", "", ""),
    ("x<sup>2 and no end", "html", "<sup> +1"),
    ("a</b> and <i>b", "html", "<b> -1, <i> +1"),
    # tables of LaTeX
    (r"\begin{tabular}{ll} a & b \end{tabular}", "latex-tables", r"\begin{tabular}"),
    ("a & b \\\\ \\hline", "latex-tables", r"\hline"),
    # leaked LaTeX, at the border of a word
    (r"\today and \total and \tools", "", ""),
    (r"C:\temp\report", "", ""),
    (r"x \to y", "leaked-latex", r"\to"),
    (r"so \frac{a}{b} is", "leaked-latex", r"\frac"),
    ("\\begin{itemize}\n\\item a\n\\end{itemize}", "leaked-latex", r"\begin{itemize}"),
    (r"as in \cite{knuth}", "leaked-latex", r"\cite"),
    (r"half of \( x is open", "leaked-latex", r"\("),
    ("`\\frac{a}{b}` in code", "", ""),
    (r"$x\frac{a}{b}$", "", ""),
    (r"\(x\frac{a}{b}\)", "", ""),
    # Unicode's mathematics
    ("let x ∈ A", "unicode-maths", "∈"),
    ("let \\(x ∈ A\\)", "", ""),
    ("<table><tr><td>∑</td></tr></table>", "", ""),
    ("5 × 4 ± 1 ≤ 30 → done", "", ""),
    # formulas
    (r"\(\frac{a\)", "formulas", r"\frac{a: KaTeX parse error"),
    (r"\[ a \( b \) \]", "formulas", r"a \( b \): KaTeX parse error"),
    (r"\(\notacommand x\)", "formulas", r"\notacommand x: KaTeX parse error"),
    ("it costs $5 and $7, or US$5/US$7", "", ""),
    ("from $5-$7 a piece, $3 million in all", "", ""),
    (r"<table><tr><td>\(a &lt; b\)</td></tr></table>", "", ""),
    # what another program left behind
    ("so __MATH_PLACEHOLDER_0_0__ holds", "placeholders", "__MATH_PLACEHOLDER_0_0__"),
]


@pytest.mark.parametrize(("text", "rule", "reason"), CASES, ids=[case[0][:40] for case in CASES])
def test_verdicts(text: str, rule: str, reason: str) -> None:
    found = judge(text)
    assert found[0] == rule
    assert found[1].startswith(reason)


def test_line_breaks_are_asked_about_by_name_alone() -> None:
    table = "<table><tr><td>a<br/>b</td></tr></table>"
    assert judge(table) == ("", "")
    assert judge(table, ("line-breaks",)) == ("line-breaks", "<br>")
    assert judge("a<br>b", ("line-breaks",)) == ("", "")
    assert set(RULES) - set(USUAL) == {"line-breaks"}


def test_a_rule_that_is_not_asked_about_says_nothing() -> None:
    assert judge("x ∈ A and \\frac", ("formulas",)) == ("", "")


REPAIRS = [
    (r"so $x\frac{a}{b}$ holds", r"so \(x\frac{a}{b}\) holds", {"delimiters": 1}),
    ("$$E=mc^2$$ and $a$", r"\[E=mc^2\] and \(a\)", {"delimiters": 2}),
    (r"\($$x$$\) \[$y$\]", r"\(x\) \[y\]", {"delimiters": 2}),
    ("it costs $5 and $7 or US$5/US$7", "it costs $5 and $7 or US$5/US$7", {}),
    ("$5 … $7", "$5 … $7", {}),
    ("echo $HOME/$PATH", "echo $HOME/$PATH", {}),
    ("$5 million and 6 per$", "$5 million and 6 per$", {}),
    (r"\(a∈B, αx\)", r"\(a\in B, \alpha x\)", {"signs": 1}),
    (r"\(a−b\) but a−b", r"\(a-b\) but a−b", {"signs": 1}),
    (r"\(\text{5 × 4}\)", r"\(\text{5 × 4}\)", {}),
    (r"\textbf{a \textit{b} c} and \emph{d}", "**a *b* c** and *d*", {"emphasis": 3}),
    (r"\(\textbf{a}\) stays", r"\(\textbf{a}\) stays", {}),
    (r"\textbf{never closed", r"\textbf{never closed", {}),
    ("| a | b |\n|---|:-:|\n| 1 | $x$ |", None, {"delimiters": 1, "markdown-tables": 1}),
    ("| a | b |\n|---|---|\n| 1 | 2 | 3 |", "| a | b |\n|---|---|\n| 1 | 2 | 3 |", {}),
    ("```\n| a | b |\n|---|---|\n```", "```\n| a | b |\n|---|---|\n```", {}),
]


@pytest.mark.parametrize(("text", "mended", "counts"), REPAIRS, ids=[case[0][:40] for case in REPAIRS])
def test_repairs(text: str, mended: str | None, counts: dict[str, int]) -> None:
    table = "<table>\n<tr><th>a</th><th>b</th></tr>\n<tr><td>1</td><td>\\(x\\)</td></tr>\n</table>"
    assert repair(text) == (table if mended is None else mended, counts)


def test_text_after_a_table_stays_out_of_it() -> None:
    mended, _ = repair(
        "before\n\n| a | b |\n|---|---|\n| 1 | 2 |\nafter\n\n| c | d |\n|--|--|\n| \\| | <b>4</b> |"
    )
    assert mended.startswith("before\n\n<table>\n<tr><th>a</th>")
    assert "</table>\n\nafter\n\n<table>\n<tr><th>c</th>" in mended
    assert mended.endswith("<tr><td>|</td><td><b>4</b></td></tr>\n</table>")
    assert judge(mended) == ("", "")


SIGNS = [
    "$",
    "$$",
    "\\(",
    "\\)",
    "\\[",
    "\\]",
    "x",
    " ",
    "5",
    "\n",
    "\n\n",
    "|",
    "-",
    "|---|---|",
    "`",
    "```",
    "∈",
    "*",
]
LONGER = ["\\textbf{", "}", "\\frac{a}{b}", "<table>", "</table>", "<tr>", "<td>", "α", "word", "__", "\\"]
PIECES = st.lists(st.sampled_from([*SIGNS, *LONGER]), max_size=14).map("".join)


@given(PIECES)
def test_mending_twice_is_mending_once_and_what_is_blanked_keeps_its_length(text: str) -> None:
    mended, _ = repair(text)
    twice, _ = repair(mended)
    assert len(without(text, found=formulas(text), tables=True)) == len(text)
    assert judge(twice)[0] in ("", *RULES)
    assert twice == mended


def test_results_and_their_revision_change_together() -> None:
    results = [judge(case[0]) for case in CASES] + [repair(case[0]) for case in REPAIRS]
    assert (REVISION, sha256_json(results)[:16]) == (1, "768336ccb839dfbc")
