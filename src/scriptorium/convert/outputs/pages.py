"""One row a page, for programs: a JSON file of its own, or a row of a Parquet file."""

import json
from typing import Any

from scriptorium.convert.outputs.documents import Document, page_text
from scriptorium.convert.outputs.dolma import FRONT
from scriptorium.convert.quality import quality

HIDDEN = (
    "key",
    "raw",
    "seconds",
    "shard",
    "front",
    "text",
    "document",
    "source",
    "member",
    "id",
    "kind",
    "bytes",
)
"""Not shown as they are. `seconds` would differ from run to run, `raw` is the text with its head."""


def row(document: Document, page: dict[str, Any]) -> dict[str, Any]:
    """A page: where it is from, what became of it, its text, and all else that its record says."""
    front = page.get("front") or {}
    return {
        "source": document.source,
        "member": document.member,
        "id": document.id,
        "document": document.sha256,
        "page": page["page"],
        "pages": page["pages"],
        "status": page["status"],
        "reason": page.get("reason") or "",
        "text": page_text(page),
        "score": found.score if (found := quality(page)) else None,
        **{key: front.get(key) for key in FRONT},
        **{
            key: value
            for key, value in page.items()
            if key not in (*HIDDEN, "page", "pages", "status", "reason")
        },
    }


def as_json(document: Document, page: dict[str, Any]) -> str:
    """The JSON file of a page."""
    return json.dumps(row(document, page), indent=2, ensure_ascii=False) + "\n"
