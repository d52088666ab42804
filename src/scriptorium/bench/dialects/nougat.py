r"""Nougat: `.mmd`, Markdown with LaTeX.

Shape: `#` headings, formulas in `\(` and `\[`, tables as `\begin{table}\begin{tabular}...`, now and then `\title{...}`.
A page on which it failed says `[MISSING_PAGE_FAIL:1]`, `[MISSING_PAGE_EMPTY:1]` or `[MISSING_PAGE_POST]`: an error.
"""

import re

from scriptorium.bench.dialects import latex
from scriptorium.pages.answers.errors import DialectError

NAME = "nougat"
VERSION = 1
_MISSING = re.compile(r"\[MISSING_PAGE[A-Z_]*(?::\d+)?\]")


def adapt(text: str) -> str:
    """The Markdown of one page. Raises DialectError for a page that Nougat gave up."""
    if missing := _MISSING.search(text):
        raise DialectError(f"Nougat gave the page up: {missing[0]}")
    return latex.markdown_of(text)
