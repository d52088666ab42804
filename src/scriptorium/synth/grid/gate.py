"""The gate: a generated page is kept only if its drawing, its truth and its tests agree."""

import re
from dataclasses import dataclass

import pypdfium2

from scriptorium.bench.rules import RULES, judge_page
from scriptorium.synth.grid import markdown
from scriptorium.synth.grid.document import Page, segments
from scriptorium.synth.grid.tests import Test
from scriptorium.synth.grid.typst import layout

TOKENS_AT_MOST = 120
"""Longest truth, in tokens as `count_tokens` counts: what the embedded model's context has room for."""


@dataclass(frozen=True)
class Sample:
    """A page with its tests."""

    page: Page
    tests: tuple[Test, ...]


def count_tokens(text: str) -> int:
    """Tokens of a truth: one for a line of front matter, one for an HTML tag, one for any other character."""
    head, body = text.split("\n---\n", 1)
    return head.count("\n") + 2 + len(re.sub(r"</?\w+>", "#", body))


def reject(sample: Sample, text_layer: str) -> str | None:
    """Why a page is not fit to be used, given the text layer of its PDF; None if it is."""
    tokens = count_tokens(markdown.truth(sample.page))
    if tokens > TOKENS_AT_MOST:
        return f"truth too long: {tokens} tokens, {TOKENS_AT_MOST} at most"
    return _off_grid(sample.page) or _not_drawn(sample.page, text_layer) or _misjudged(sample)


def _off_grid(page: Page) -> str | None:
    taken: set[tuple[int, int]] = set()
    for run in layout(page)[0]:
        cells = {(run.row, run.column + k) for k in range(len(run.text))}
        if run.row >= page.rows or run.column + len(run.text) > page.columns:
            return f"off the grid: {run.text!r} on row {run.row} from column {run.column}"
        if cells & taken:
            return f"drawn over another text: {run.text!r} on row {run.row}"
        taken |= cells
    return None


def _not_drawn(page: Page, text_layer: str) -> str | None:
    text = " ".join(text_layer.split())
    missing = [segment for segment in segments(page) if segment not in text]
    return f"not in the text layer: {missing[0]!r}" if missing else None


def _misjudged(sample: Sample) -> str | None:
    """Under either rule set, the truth passes every test, and an empty text only `absent`."""
    tests, text = list(sample.tests), markdown.body(sample.page)
    content = [test for test in tests if test["type"] != "absent"]
    for rules in RULES:
        for test, verdict in zip(tests, judge_page(tests, text, rules), strict=True):
            if not verdict.passed:
                return f"a test fails on the truth: {test['type']} under {rules} ({verdict.code})"
        for test, verdict in zip(content, judge_page(content, "", rules), strict=True):
            if verdict.passed:
                return f"a test passes on an empty text: {test['type']} under {rules}"
    return None


def text_layers(pdf: bytes) -> list[str]:
    """The text layer of every page of a PDF that we made ourselves (so no child process guards it)."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.get_textpage().get_text_range() for page in document]
