"""A converted corpus in brief: what became of its pages, why some have no text, and a few that have."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scriptorium.errors import InputError
from scriptorium.report.results import converted_pages, read_json

WITH_TEXT = ("ok", "ok_rotated", "salvaged", "fallback_text")
MOST_REASONS = 12
EXCERPT = 1200
"""Characters shown of a page."""


@dataclass(frozen=True)
class Corpus:
    """`rows`: of pages and of files without any; `statuses` of rows, most first; `reasons`: rows without text."""

    name: str
    files: int
    count: int
    rows: int
    seconds: float
    tokens: int
    statuses: list[tuple[str, int]]
    reasons: list[dict[str, Any]]
    left_out: int
    pages: list[dict[str, Any]]


def read_corpus(results: Path, name: str, most: int) -> Corpus:
    """The corpus `name` with at most `most` sample pages. Raises InputError if it has no report."""
    folder = results / "corpus" / name
    report = read_json(folder / "report.json")
    if not report:
        raise InputError(f"{folder / 'report.json'}: no such file; convert the corpus first")
    without = sum(
        count for status, count in report["statuses"].items() if status not in (*WITH_TEXT, "blank")
    )
    statuses = sorted(report["statuses"].items(), key=lambda item: (-item[1], item[0]))
    problems = report["problems"][:MOST_REASONS]
    reasons = [row | {"file": Path(row["source"]).name} for row in problems]
    return Corpus(
        name=name,
        files=report["files"],
        count=report["pages"],
        rows=sum(report["statuses"].values()),
        seconds=float(report.get("seconds", 0.0)),
        tokens=int(report.get("tokens", 0)),
        statuses=statuses,
        reasons=reasons,
        left_out=without - len(reasons),
        pages=sample_pages(folder, most),
    )


def sample_pages(folder: Path, most: int) -> list[dict[str, Any]]:
    """Pages with text, evenly spaced over the corpus, cut to an excerpt."""
    count = sum(1 for _ in pages_with_text(folder))  # read twice: a corpus fits no memory
    chosen = (
        set(range(count)) if count <= most else {round(i * (count - 1) / (most - 1)) for i in range(most)}
    )
    return [
        page | {"file": Path(page["source"]).name, "text": page["text"].strip()[:EXCERPT], "cut": cut(page)}
        for number, page in enumerate(pages_with_text(folder))
        if number in chosen
    ]


def pages_with_text(folder: Path) -> Iterator[dict[str, Any]]:
    """The pages of a corpus that have a text."""
    for page in converted_pages(folder):
        if page["status"] in WITH_TEXT and page["text"].strip():
            yield page


def cut(page: dict[str, Any]) -> int:
    """Characters of a page that an excerpt leaves out."""
    return max(0, len(page["text"].strip()) - EXCERPT)
