r"""Texts mended where nothing is lost: asked before any rule rejects the page.

Dollars become `\(…\)` and `\[…\]`, Unicode's signs in formulas become LaTeX (only where KaTeX draws the same),
`\textbf` outside formulas becomes `**`, a table of pipes becomes HTML.
"""

import html
import re
from collections.abc import Callable, Iterator
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_block.table import escapedSplit
from markdown_it.token import Token

from scriptorium.bench.formulas.render import render
from scriptorium.mix.page_text import formulas, without

Repair = Callable[[str], tuple[str, int]]
"""A text to the mended text, and how many places were mended."""

SIGNS = {
    "−": "-", "×": r"\times", "÷": r"\div", "±": r"\pm", "∓": r"\mp", "⋅": r"\cdot", "≤": r"\le", "≥": r"\ge",
    "≠": r"\ne", "≈": r"\approx", "≡": r"\equiv", "∼": r"\sim", "≅": r"\cong", "∝": r"\propto", "∞": r"\infty",
    "∈": r"\in", "∉": r"\notin", "⊂": r"\subset", "⊃": r"\supset", "⊆": r"\subseteq", "⊇": r"\supseteq",
    "∅": r"\emptyset", "∪": r"\cup", "∩": r"\cap", "∀": r"\forall", "∃": r"\exists", "¬": r"\neg", "∧": r"\wedge",
    "∨": r"\vee", "⊕": r"\oplus", "⊗": r"\otimes", "⊙": r"\odot", "⊖": r"\ominus", "⊘": r"\oslash",
    "∂": r"\partial", "∇": r"\nabla", "∫": r"\int", "∬": r"\iint", "∭": r"\iiint", "∮": r"\oint", "∑": r"\sum",
    "∏": r"\prod", "⊥": r"\bot", "⊤": r"\top", "⊢": r"\vdash", "⊣": r"\dashv", "∠": r"\angle", "∡": r"\measuredangle",
    "∴": r"\therefore", "∵": r"\because", "→": r"\to", "←": r"\leftarrow", "↔": r"\leftrightarrow",
    "⇒": r"\Rightarrow", "⇐": r"\Leftarrow", "⇔": r"\Leftrightarrow", "↦": r"\mapsto", "⟨": r"\langle",
    "⟩": r"\rangle", "…": r"\ldots", "⋯": r"\cdots", "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta",
    "ϵ": r"\epsilon", "ε": r"\varepsilon", "ζ": r"\zeta", "η": r"\eta", "θ": r"\theta", "ι": r"\iota",
    "κ": r"\kappa", "λ": r"\lambda", "μ": r"\mu", "ν": r"\nu", "ξ": r"\xi", "π": r"\pi", "ρ": r"\rho",
    "σ": r"\sigma", "ς": r"\varsigma", "τ": r"\tau", "υ": r"\upsilon", "φ": r"\varphi", "ϕ": r"\phi", "χ": r"\chi",
    "ψ": r"\psi", "ω": r"\omega", "Γ": r"\Gamma", "Δ": r"\Delta", "Θ": r"\Theta", "Λ": r"\Lambda", "Ξ": r"\Xi",
    "Π": r"\Pi", "Σ": r"\Sigma", "Φ": r"\Phi", "Ψ": r"\Psi", "Ω": r"\Omega",
}  # fmt: skip
SIGN = re.compile(f"[{''.join(SIGNS)}]")
NESTED = re.compile(r"(\$\$?)([^$]+)\1")
BOLD, ITALIC = r"\textbf{", (r"\textit{", r"\emph{")


def delimiters(text: str) -> tuple[str, int]:
    r"""`$x$` as `\(x\)`, `$$x$$` as `\[x\]`, and dollars inside brackets taken out; prices stay."""
    count = 0
    for each in reversed(formulas(text)):
        written = text[each.start : each.end]
        if written.startswith("$"):
            ends = (r"\[", r"\]") if written.startswith("$$") else (r"\(", r"\)")
            mended = ends[0] + each.text + ends[1]
        elif written.startswith((r"\(", r"\[")) and (inner := NESTED.fullmatch(each.text)):
            mended = written[:2] + inner[2].strip() + written[-2:]
        else:
            continue
        count += 1
        text = text[: each.start] + mended + text[each.end :]
    return text, count


def signs(text: str) -> tuple[str, int]:
    """Unicode's signs in formulas as LaTeX, in each formula of which KaTeX then draws the same."""
    count = 0
    for each in reversed(formulas(text)):
        if each.is_mathml or not SIGN.search(each.text):
            continue
        written = text[each.start : each.end]
        mended = SIGN.sub(_sign, written)
        if mended != written and _drawn_alike(written, mended):
            count += 1
            text = text[: each.start] + mended + text[each.end :]
    return text, count


def _sign(found: re.Match[str]) -> str:
    command = SIGNS[found[0]]
    after = found.string[found.end() : found.end() + 1]
    return f"{command} " if command.startswith("\\") and after.isascii() and after.isalpha() else command


def _drawn_alike(one: str, other: str) -> bool:
    latex = [formulas(each)[0].text for each in (one, other)]
    first, second = render([html.unescape(each) for each in latex], layout=False)
    return not first.error and not second.error and first.mathml == second.mathml


def emphasis(text: str) -> tuple[str, int]:
    r"""`\textbf{x}` as `**x**`, `\textit{x}` and `\emph{x}` as `*x*`, outside formulas and code."""
    count = 0
    plain = without(text, found=formulas(text))
    starts = [found.start() for found in re.finditer(r"\\(?:textbf|textit|emph)\{", plain)]
    for start in reversed(starts):
        opening = text.index("{", start) + 1
        end = _closing(text, opening)
        inner = text[opening:end].strip() if end >= 0 else ""
        if (
            not inner
            or inner[0] == "*"
            or inner[-1] == "*"
            or "**" in inner
            or "\n\n" in inner
            or "\\text" in inner
        ):
            continue
        mark = "**" if text.startswith(BOLD, start) else "*"
        count += 1
        text = text[:start] + mark + inner + mark + text[end + 1 :]
    return text, count


def _closing(text: str, at: int) -> int:
    """Where the brace that was opened before `at` is closed; -1 if nowhere."""
    depth = 1
    for found in re.compile(r"\\.|[{}]").finditer(text, at):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if not depth:
            return found.start()
    return -1


def tables(text: str) -> tuple[str, int]:
    """Tables of pipes as HTML, cells as they are written, where every row has as many cells as the first.

    How a column is aligned is not kept.
    """
    if "|" not in text or "-" not in text:
        return text, 0
    lines, count = text.split("\n"), 0
    for start, end, rows in reversed(list(_pipe_tables(text))):
        source = [line for line in lines[start:end] if line.strip()]
        cells = [len(_cells(line)) for line in source]
        if len(set(cells)) > 1 or any(not _whole(cell) for row in rows for cell in row):
            continue
        lines[start:end] = [_html(rows)] + ([""] if end < len(lines) and lines[end].strip() else [])
        count += 1
    return "\n".join(lines), count


@cache
def _reader() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).enable("table")


def _pipe_tables(text: str) -> Iterator[tuple[int, int, list[list[str]]]]:
    """First line, the line after the last, and the cells of each table by itself, up to a line without a pipe."""
    lines = text.split("\n")
    rows: list[list[str]] = []
    for token in _reader().parse(text):
        if token.type == "table_open" and token.level == 0 and token.map:
            first, rows = token.map[0], []
        elif token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows and _in_cell(token):
            rows[-1].append(token.content)
        elif token.type == "table_close" and token.level == 0:
            last = next((row for row in range(first, len(lines)) if "|" not in lines[row]), len(lines))
            yield first, last, rows[: last - first - 1]
            rows = []


def _in_cell(token: Token) -> bool:
    return token.level == 4  # in a cell, a row, a head or body, a table


def _cells(line: str) -> list[str]:
    return escapedSplit(line.strip().removeprefix("|").removesuffix("|"))


def _whole(cell: str) -> bool:
    """Whether no formula was cut by a pipe, and nothing of the cell would end it early."""
    dollars = len(re.findall(r"(?<!\\)\$", cell))
    return (
        dollars % 2 == 0
        and cell.count(r"\(") == cell.count(r"\)")
        and not re.search(r"</?t[dhr]\b|</?table\b", cell, re.IGNORECASE)
    )


def _html(rows: list[list[str]]) -> str:
    written = []
    for number, row in enumerate(rows):
        name = "td" if number else "th"
        written.append("<tr>" + "".join(f"<{name}>{cell}</{name}>" for cell in row) + "</tr>")
    return "\n".join(["<table>", *written, "</table>"])


REPAIRS: dict[str, Repair] = {
    "delimiters": delimiters,
    "signs": signs,
    "emphasis": emphasis,
    "markdown-tables": tables,
}
"""By name, in the order in which they are made."""


def repair(text: str) -> tuple[str, dict[str, int]]:
    """The mended text, and how many places each repair mended; those that mended none are left out.

    Mending twice changes nothing more. Raises HostError where the engine of formulas cannot be started.
    """
    counts: dict[str, int] = {}
    for name, mend in REPAIRS.items():
        text, count = mend(text)
        if count:
            counts[name] = count
    return text, counts
