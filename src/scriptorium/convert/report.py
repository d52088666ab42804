"""The corpus report: counts in one small file, and beside it a row for every page and every file without one."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scriptorium.convert.filters import Filters, without
from scriptorium.convert.outputs.documents import READ, documents, pages_of, read_settings
from scriptorium.convert.quality import quality
from scriptorium.files import whole, write_json

REVISION = 7
"""Raised when the same store gives another report."""

COLUMNS = ("document", "source", "member", "id", "page", "status", "reason")
PENDING = "not read yet, or its document was gone or changed when it was to be; run again"
MEASURES = ("attempts", "rotation", "finish_reason", "prompt_tokens", "tokens", "seconds")
MOST_PROBLEMS = 100
"""Rows without text that are in the report itself."""


def write_report(
    plan: Path, store: Path, receipts: list[Path], out: Path, filters: Filters | None = None
) -> dict[str, Any]:
    """Write report.json, and its rows one a line into report.jsonl beside it; returns what report.json has.

    That is: `files`, `pages`, `statuses` (rows of each), `prompt_tokens`, `tokens`, `seconds`, `settings`,
    `filters`: those of the outputs, so that the rows say what is left out of them and why.
    `first` (of each status its first row) and `problems` (the first 100 rows without text). It stays small
    whatever the corpus.
    """
    settings = read_settings(receipts)
    counts = Counts()
    with whole(rows_path(out)) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        for page in reported(plan, store, settings, filters):
            row = report_row(page)
            counts.add(row)
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    report = counts.totals() | {"settings": settings, "first": counts.first, "problems": counts.problems}
    write_json(out, report)
    return report


def reported(
    plan: Path, store: Path, settings: dict[str, Any], filters: Filters | None
) -> Iterator[dict[str, Any]]:
    """The pages of the plan; those that the filters leave out have status `filtered` and the reason."""
    if not filters:
        yield from pages_of(plan, store, settings)
        return
    for document in documents(plan, store, settings):
        yield from without(document, filters).pages


class Counts:
    """What is summed up while rows go by."""

    def __init__(self) -> None:
        self.files = self.pages = 0
        self.statuses = Counter[str]()
        self.sums = dict.fromkeys(("prompt_tokens", "tokens", "seconds"), 0.0)
        self.first: dict[str, dict[str, Any]] = {}
        self.problems: list[dict[str, Any]] = []
        self._last: tuple[str, ...] = ()

    def add(self, row: dict[str, Any]) -> None:
        """Count a row; those of one file follow each other."""
        file = (row["document"], row["source"], row["member"], row["id"])
        self.files += file != self._last or row["page"] == 0  # one file may be named twice
        self._last = file
        self.pages += row["page"] > 0
        self.statuses[row["status"]] += 1
        self.first.setdefault(row["status"], row)
        if row["status"] not in READ and len(self.problems) < MOST_PROBLEMS:
            self.problems.append(row)
        for name in self.sums:
            self.sums[name] += row.get(name) or 0

    def totals(self) -> dict[str, Any]:
        """The counts and sums."""
        return {
            "files": self.files,
            "pages": self.pages,
            "statuses": dict(sorted(self.statuses.items())),
            "prompt_tokens": int(self.sums["prompt_tokens"]),
            "tokens": int(self.sums["tokens"]),
            "seconds": round(self.sums["seconds"], 3),
        }


def rows_path(report: Path) -> Path:
    """Where the rows of a report lie."""
    return report.with_suffix(".jsonl")


def read_rows(report: Path) -> Iterator[dict[str, Any]]:
    """The rows of a report, in the order of the plan."""
    with rows_path(report).open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def report_row(row: dict[str, Any]) -> dict[str, Any]:
    """One row: which page, what became of it and why, and what it took."""
    measures = {key: row[key] for key in MEASURES if key in row}
    reason = row["reason"] or (PENDING if row["status"] == "pending" else "")
    columns = {key: row[key] for key in COLUMNS} | {"reason": reason}
    score = {"score": found.score} if (found := quality(row)) else {}
    return columns | {"member": row["member"] or "", "id": row["id"] or ""} | measures | score
