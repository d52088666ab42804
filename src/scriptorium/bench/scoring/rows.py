"""The rows of a score: one a test, with what it came to over the repeats of its page."""

import re
from functools import lru_cache
from typing import Any

from scriptorium.bench.folder import Bench
from scriptorium.bench.outputs import Output
from scriptorium.bench.rules import OLMOCR
from scriptorium.bench.scoring.judging import Judged
from scriptorium.bench.tests import Test

Row = dict[str, Any]
"""One test: candidate, category, pdf, page, id, type, state, and under `rules` its cell per rule set.

A baseline test that olmocr-2026.03 does not know (of a page after the first) has no cell under it.
"""

PROFILES: dict[str, tuple[str, ...]] = {"drop-headers": (), "keep-headers": ("headers_footers",)}
"""Profile to the categories that it reports apart, out of the overall score.

olmOCR-bench wants running headers and footers dropped. Who wants them kept scores with `keep-headers`.
"""

_PAGE_OF = re.compile(r"(.+?)_(?:pg|page)_?[0-9]+")


@lru_cache(maxsize=1 << 14)
def document_of(pdf: str) -> str:
    """The document that a PDF of the bench is from: its path without ending and without a final `_pgN`."""
    stem = pdf.removesuffix(".pdf")
    page = _PAGE_OF.fullmatch(stem)
    return page[1] if page else stem


def state_of(page: str, output: Output, bench: Bench) -> str:
    """An output's state; a page that should be blank may be empty."""
    return "ok" if output.state == "empty" and page in bench.blank else output.state


def make_rows(bench: Bench, judged: dict[str, list[tuple[Output, Judged]]], candidate: str) -> list[Row]:
    """One row a test, in the order of the bench's pages."""
    rows = []
    for page, tests in bench.pages.items():
        outputs = judged[page]
        states = [state_of(page, output, bench) for output, _ in outputs]
        state = next((each for each in states if each != "ok"), "ok")
        for index, (category, test) in enumerate(tests):
            cells = [cells[index] for _, cells in outputs]
            rows.append(_row(candidate, category, test, state, cells, test["id"] in bench.strict_only))
    return [row for row in rows if row["rules"]]


def _row(
    candidate: str, category: str, test: Test, state: str, repeats: list[dict[str, Row]], strict_only: bool
) -> Row:
    place = {key: test[key] for key in ("pdf", "page", "id", "type")}
    names = [name for name in repeats[0] if not (strict_only and name == OLMOCR)]
    cells = {name: _cell([each[name] for each in repeats]) for name in names}
    return {"candidate": candidate, "category": category, **place, "state": state, "rules": cells}


def _cell(repeats: list[Row]) -> Row:
    """The cell of a test over the repeats of its page: it is passed if more than half of them pass it.

    `share`: of the `repeats` that count. Code, evidence, margin and would_pass_if are those of the first
    repeat (from 0, as `repeat`) that came out as all of them together do.
    """
    if len(repeats) == 1:
        cell = repeats[0]
        return {**cell, "share": float(cell["counts"]), "repeats": 1, "repeat": 0}
    won = sum(each["passed"] is True for each in repeats)
    passed = True if 2 * won > len(repeats) else None if _all_undecided(repeats) else False
    share = sum(each["counts"] for each in repeats) / len(repeats)
    shown = next((i for i, each in enumerate(repeats) if each["passed"] is passed), 0)
    over = {"counts": share > 0.5, "share": share, "repeats": len(repeats), "repeat": shown}
    return {**repeats[shown], "passed": passed, **over}


def _all_undecided(repeats: list[Row]) -> bool:
    return all(each["passed"] is None for each in repeats)


def reason(cell: Row) -> str:
    """Why a test does not count: the verdict's code, or that the page showed no content."""
    return "no_content" if cell["passed"] and not cell["counts"] else str(cell["code"])


def differs(row: Row) -> bool:
    """Whether the test counts under one rule set and not under another."""
    return len({cell["counts"] for cell in row["rules"].values()}) > 1
