"""Formulas in Markdown, for markdown-it: kept as their LaTeX source, which Markdown would spoil."""

import html
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

PAIRS = {r"\(": r"\)", r"\[": r"\]", "$$": "$$"}
"""How a formula begins and ends. One dollar sign is money as often as not, and Markdown spoils none."""

MOST = 10_000
"""Characters of a formula: a page of beginnings without an end would take long."""


def formulas(parser: MarkdownIt) -> None:
    """Teach a parser formulas within a line and on lines of their own."""
    parser.inline.ruler.before("escape", "formula", _inline)
    interrupts = {"alt": ["paragraph", "reference", "blockquote"]}
    parser.block.ruler.before("fence", "formula", _block, interrupts)  # type: ignore[arg-type]
    parser.add_render_rule("formula", _span)
    parser.add_render_rule("formula_block", _div)


def _inline(state: StateInline, silent: bool) -> bool:
    begin = state.src[state.pos : state.pos + 2]
    if begin not in PAIRS:
        return False
    end = state.src.find(PAIRS[begin], state.pos + 2, min(state.posMax, state.pos + MOST))
    if end < 0:
        return False
    if not silent:
        state.push("formula", "", 0).content = state.src[state.pos : end + 2]
    state.pos = end + 2
    return True


def _block(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """Lines from one that begins with `$$` or `\\[` to the one that ends it; no other text beside it."""
    if state.is_code_block(first):
        return False
    start = state.bMarks[first] + state.tShift[first]
    end_mark = PAIRS.get(state.src[start : start + 2])
    if state.src[start : start + 2] == r"\(" or end_mark is None:
        return False
    end = state.src.find(end_mark, start + 2, min(state.eMarks[last - 1], start + MOST))
    line = next((n for n in range(first, last) if end >= 0 and end <= state.eMarks[n]), None)
    if line is None or state.src[end + 2 : state.eMarks[line]].strip():
        return False
    if any(state.sCount[n] < state.blkIndent and not state.isEmpty(n) for n in range(first, line + 1)):
        return False
    if not silent:
        token = state.push("formula_block", "", 0)
        token.content, token.map = state.src[start : end + 2], [first, line + 1]
        state.line = line + 1
    return True


def _span(_: Any, tokens: Sequence[Token], at: int, *__: Any) -> str:
    return f'<span class="formula">{html.escape(tokens[at].content)}</span>'


def _div(_: Any, tokens: Sequence[Token], at: int, *__: Any) -> str:
    return f'<div class="formula">{html.escape(tokens[at].content)}</div>\n'
