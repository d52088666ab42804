r"""The rules that a page's text must keep to be learnt from, each by its name.

A model learns to write what its pages have: a table that is no HTML, a formula that KaTeX refuses, LaTeX that
leaked out of a formula. The rules are those of olmOCR's training (docs/how-to/filter-your-data.md says where ours
differ). Formulas are drawn by the engine that the bench uses; where it cannot be started there is an error, and
no page is blamed.
"""

import re
from collections import Counter
from collections.abc import Callable

from scriptorium.bench.formulas.find import Formula, readings
from scriptorium.bench.formulas.render import render
from scriptorium.mix.page_text import CODE, TABLE, formulas, without
from scriptorium.pages.signals import CLOSING, OPENING

Rule = Callable[[str, list[Formula]], str]
"""A text and its formulas to what is wrong with it, "" if nothing is."""

PIPES = re.compile(r"^[ \t]*\|.*\|.*\|[ \t]*$")
TABLE_TAG = re.compile(r"<(/?)(table|caption|colgroup|thead|tbody|tfoot|tr|th|td)\b[^<>]*>", re.IGNORECASE)
IMPLIED = {"td", "th", "tr", "thead", "tbody", "tfoot", "caption", "colgroup"}
"""Parts of a table whose end HTML takes as said where the next begins."""
INSIDE = {
    "caption": 1, "colgroup": 1, "thead": 1, "tbody": 1, "tfoot": 1, "tr": 2, "td": 3, "th": 3
}  # fmt: skip
"""How deep a part of a table stands: a part ends those as deep or deeper."""

UNICODE = re.compile("[∈∉⊂⊃⊆⊇∅∪∩∀∃¬⊕⊗⊙⊖⊘⊚⊛⊜⊝∂∇∆∫∬∭∮∏∑√∛∜⊥⊤⊢⊣∠∡∴∵∶∷∝≅≆≇≊≋]")
"""The signs of mathematics that olmOCR's rule names; × ± ≤ and arrows stand in prose too."""

LATEX_TABLE = re.compile(
    r"\\begin\{(?:tabular[x*]?|longtable|table\*?)\}|\\(?:hline|toprule|midrule|bottomrule|multicolumn)(?![A-Za-z])"
)
LEAKED = re.compile(
    r"\\(?:begin|end)\{(?:itemize|enumerate|description|figure\*?|equation\*?|align\*?|center|document)\}"
    r"|\\(?:item|includegraphics|caption|label|ref|eqref|cite[tp]?|section|subsection|textit|textbf|emph|mathbb|mathcal"
    r"|mathrm|frac|dfrac|sum|int|sqrt|prod|lim|binom|to|varphi|cdot|langle|rangle)(?![A-Za-z])"
    r"|\\[(\[]"
)
PLACEHOLDER = re.compile(r"__(?:MATH|LATEX|FORMULA|TABLE|CODE)_?PLACEHOLDER\w*__")
BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)


def markdown_tables(text: str, found: list[Formula]) -> str:
    """A table of pipes: three or more in a row beside a row of dashes."""
    lines = CODE.sub(" ", text).split("\n")
    for above, line, below in zip(["", *lines], lines, [*lines[1:], ""], strict=False):
        if PIPES.match(line) and any(
            each.lstrip().startswith("|") and "-" in each for each in (above, below)
        ):
            return _short(line)
    return ""


def html_tables(text: str, found: list[Formula]) -> str:
    """Tables of HTML without an end, parts outside a table, ends of nothing."""
    stack: list[str] = []
    for tag in TABLE_TAG.finditer(without(text, found=found)):
        name = tag[2].lower()
        if problem := (_close if tag[1] else _open)(stack, name):
            return f"{problem} at {_short(text[tag.start() :])}"
    return f"<{stack[0]}> has no end" if stack else ""


def _open(stack: list[str], name: str) -> str:
    if name != "table":
        while stack and stack[-1] != "table" and INSIDE[stack[-1]] >= INSIDE[name]:
            stack.pop()
        if not stack:
            return f"<{name}> stands in no table"
    stack.append(name)
    return ""


def _close(stack: list[str], name: str) -> str:
    while stack and stack[-1] != name and stack[-1] in IMPLIED and name in stack:
        stack.pop()
    if not stack or stack[-1] != name:
        return f"</{name}> ends nothing"
    stack.pop()
    return ""


def html(text: str, found: list[Formula]) -> str:
    """Tags, other than a table's parts, that have no other end."""
    plain = without(text, found=found)
    opened = Counter(name.lower() for name in OPENING.findall(plain))
    closed = Counter(name.lower() for name in CLOSING.findall(plain))
    odd = {
        name: opened[name] - closed[name]
        for name in sorted(opened.keys() | closed.keys())
        if name not in IMPLIED and name != "table" and opened[name] != closed[name]
    }
    return f"{', '.join(f'<{name}> {count:+d}' for name, count in odd.items())}" if odd else ""


def latex_tables(text: str, found: list[Formula]) -> str:
    """A table written in LaTeX, wherever it stands."""
    table = LATEX_TABLE.search(CODE.sub(" ", text))
    return _short(table[0]) if table else ""


def leaked_latex(text: str, found: list[Formula]) -> str:
    r"""Commands of LaTeX outside formulas, and formulas without an end; `\today` is not `\to`."""
    leak = LEAKED.search(without(text, found=found))
    return leak[0] if leak else ""


def unicode_maths(text: str, found: list[Formula]) -> str:
    """Signs of mathematics in prose, where a formula should be; in tables they are let be."""
    sign = UNICODE.search(without(text, found=found, tables=True))
    return sign[0] if sign else ""


def placeholders(text: str, found: list[Formula]) -> str:
    """What another program forgot to put its formulas back for."""
    mark = PLACEHOLDER.search(text)
    return mark[0] if mark else ""


def line_breaks(text: str, found: list[Formula]) -> str:
    """`<br>` in a cell. Not among `rules`: olmOCR's authors found that it takes too much."""
    tables = (table[0] for table in TABLE.finditer(text))
    return "<br>" if any(BREAK.search(table) for table in tables) else ""


def unrenderable(text: str, found: list[Formula]) -> str:
    """Formulas that KaTeX refuses. MathML is not asked about."""
    written = [readings(each.text, each.in_table)[0] for each in found if not each.is_mathml]
    for latex, drawn in zip(written, render(written, layout=False), strict=True):
        if drawn.error:
            return f"{_short(latex)}: {drawn.error}"
    return ""


RULES: dict[str, Rule] = {
    "placeholders": placeholders,
    "markdown-tables": markdown_tables,
    "html-tables": html_tables,
    "html": html,
    "latex-tables": latex_tables,
    "leaked-latex": leaked_latex,
    "unicode-maths": unicode_maths,
    "line-breaks": line_breaks,
    "formulas": unrenderable,
}
"""By name, in the order in which they are asked: what costs most comes last."""

USUAL = tuple(name for name in RULES if name != "line-breaks")
"""What `rules` stands for."""


def judge(text: str, rules: tuple[str, ...] = USUAL) -> tuple[str, str]:
    """The first rule that a text breaks and how; two empty texts if it keeps them all.

    Raises HostError where the engine of formulas cannot be started.
    """
    found = formulas(text)
    for name, rule in RULES.items():
        if name in rules and (problem := rule(text, found)):
            return name, problem
    return "", ""


def _short(text: str) -> str:
    line = " ".join(text[:200].split())
    return line if len(line) <= 60 else f"{line[:59]}…"
