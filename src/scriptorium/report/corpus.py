"""A converted corpus in brief: what became of its pages, why some have no text, and a few that have."""

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
    rows = report["rows"]
    without = [row for row in rows if row["status"] not in (*WITH_TEXT, "blank")]
    statuses = sorted(report["statuses"].items(), key=lambda item: (-item[1], item[0]))
    return Corpus(
        name=name,
        files=report.get("files", len({row["source"] for row in rows})),
        count=sum(row["page"] > 0 for row in rows),
        rows=len(rows),
        seconds=float(report.get("seconds", 0.0)),
        tokens=int(report.get("tokens", 0)),
        statuses=statuses,
        reasons=[row | {"file": Path(row["source"]).name} for row in without[:MOST_REASONS]],
        left_out=max(0, len(without) - MOST_REASONS),
        pages=sample_pages(folder, most),
    )


def sample_pages(folder: Path, most: int) -> list[dict[str, Any]]:
    """Pages with text, evenly spaced over the corpus, cut to an excerpt."""
    pages = [page for page in converted_pages(folder) if page["status"] in WITH_TEXT and page["text"].strip()]
    if len(pages) > most:
        pages = [pages[round(i * (len(pages) - 1) / (most - 1))] for i in range(most)]
    return [
        page | {"file": Path(page["source"]).name, "text": page["text"].strip()[:EXCERPT], "cut": cut(page)}
        for page in pages
    ]


def cut(page: dict[str, Any]) -> int:
    """Characters of a page that an excerpt leaves out."""
    return max(0, len(page["text"].strip()) - EXCERPT)
