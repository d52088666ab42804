"""The corpus report: a row for every page, and for every file that has none."""

from collections import Counter
from pathlib import Path
from typing import Any

from scriptorium.convert.outputs.documents import pages_of, read_settings
from scriptorium.files import write_json

REVISION = 3
"""Raised when the same store gives another report."""

COLUMNS = ("document", "source", "member", "id", "page", "status", "reason")
PENDING = "its document was gone or changed when the page was to be read; run again"
MEASURES = ("attempts", "rotation", "finish_reason", "prompt_tokens", "tokens", "seconds")


def write_report(plan: Path, store: Path, receipts: list[Path], out: Path) -> dict[str, Any]:
    """Write report.json: counts by status and the rows; the report is also returned."""
    settings = read_settings(receipts)
    rows = list(pages_of(plan, store, settings))
    report = {
        "files": len({(row["source"], row["member"], row["id"]) for row in rows}),
        "pages": sum(row["page"] > 0 for row in rows),
        "statuses": dict(sorted(Counter(row["status"] for row in rows).items())),
        "prompt_tokens": sum(row.get("prompt_tokens", 0) for row in rows),
        "tokens": sum(row.get("tokens", 0) for row in rows),
        "seconds": round(sum(row.get("seconds", 0.0) for row in rows), 3),
        "settings": settings,
        "rows": [report_row(row) for row in rows],
    }
    write_json(out, report)
    return report


def report_row(row: dict[str, Any]) -> dict[str, Any]:
    """One row: which page, what became of it and why, and what it took."""
    measures = {key: row[key] for key in MEASURES if key in row}
    reason = row["reason"] or (PENDING if row["status"] == "pending" else "")
    return {key: row[key] for key in COLUMNS} | {"reason": reason} | measures
