"""Corpora to look at: real PDFs and an image, planned for real, with stores filled by hand."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scriptorium.convert.plan import plan_corpus, read_plan
from scriptorium.pages.store import Store, content_key

from ...faults.world import document
from ..samples import encoded, picture

FRONT = {"primary_language": "en", "is_rotation_valid": True, "rotation_correction": 0}
FRONT |= {"is_table": False, "is_diagram": False}
BROKEN = '"><img src=x onerror="window.hacked=12">broken.pdf'
"""A name that would run, were it not for care."""

RECORD = {"front": FRONT, "raw": "", "finish_reason": "stop", "tokens": 5, "seconds": 0.25, "attempts": 1}
RECORD |= {"prompt_tokens": 10, "rotation": 0, "reason": ""}

Records = Mapping[tuple[str, int], dict[str, Any]]
"""What the store says of pages, by the name of their document and page; `status` and `text` at least."""


def make_sources(folder: Path) -> Path:
    """A letter of three pages, a report of two, a picture, and a file that is none of these."""
    files = {"in/letter.pdf": document("letter", 3), "in/deep/report.pdf": document("report", 2)}
    files |= {"in/photo.png": encoded(picture(), "png"), f"in/{BROKEN}": b"%PDF-1.4 nothing"}
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder / "in"


def convert(sources: Path, out: Path, settings: dict[str, Any], records: Records) -> Path:
    """A converted folder; pages without a record stay pending."""
    plan = out / "plan.parquet"
    plan_corpus(sources, 1, plan, cache=out / "cache")
    with Store(out / "store").writer("00000") as store:
        for row in read_plan(plan):
            record = records.get((Path(row["source"]).name, row["page"]))
            if row["status"] == "pending" and record:
                told = RECORD | {"document": row["document"], "page": row["page"]} | dict(record)
                store.append(content_key(row["document"], row["page"], settings), told.pop("status"), told)
    (out / "shards").mkdir(exist_ok=True)
    (out / "shards" / "00000.json").write_text(json.dumps({"settings": settings}))
    return out
