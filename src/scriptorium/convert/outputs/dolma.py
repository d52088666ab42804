"""Dolma records: one a document, with the span of every page in its text. Ours, or olmOCR's to the byte."""

import hashlib
import json
from pathlib import Path
from typing import Any, Self

from scriptorium import __version__
from scriptorium.convert.outputs.documents import READ, Document, page_text
from scriptorium.convert.outputs.options import Options
from scriptorium.convert.outputs.records import Lines

FRONT = ("primary_language", "is_rotation_valid", "rotation_correction", "is_table", "is_diagram")
NO_FRONT = dict(zip(FRONT, (None, True, 0, False, False), strict=True))
"""What olmOCR's layout says of a page without front matter, which has values of these types for each."""
COMPAT_VERSION = "0.4.27"
"""The olmOCR release whose layout `compat_record` writes."""


class Writer:
    """Writes Dolma files into a folder."""

    def __init__(self, folder: Path, options: Options) -> None:
        self.options = options
        compat = options.dolma_compat
        self.lines = Lines(folder, options.compression or ("none" if compat else "gz"), ascii_only=compat)

    def add(self, document: Document) -> str | None:
        """Add a document; the name of its file. In olmOCR's layout a document without a text has none."""
        if not self.options.dolma_compat:
            return self.lines.write(record(document), len(document.pages))
        found = compat_record(document, self.options.date)
        return self.lines.write(found, len(document.pages)) if found else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.lines.close()


def joined(texts: list[str], pages: list[dict[str, Any]]) -> tuple[str, list[list[int]]]:
    """The text of a document and `[start, end, page]` of each page in it, in characters.

    One newline follows a page's text and belongs to its span; none follows the last page or an empty one.
    """
    parts, spans, start = [], [], 0
    for number, (text, page) in enumerate(zip(texts, pages, strict=True), 1):
        parts.append(text + "\n" if text and number < len(pages) else text)
        spans.append([start, start + len(parts[-1]), page["page"]])
        start += len(parts[-1])
    return "".join(parts), spans


def record(document: Document) -> dict[str, Any]:
    """Our record: the keys that olmOCR's tools read, and what they lack: statuses, attempts, settings.

    There are no dates and no durations: they would make every run's bytes differ.
    """
    pages = document.pages
    text, spans = joined([page_text(page) for page in pages], pages)
    fronts = [page.get("front") or {} for page in pages]
    told = pages[0].get("metadata")
    named = ({"manifest-id": document.id} if document.id else {}) | (
        {"manifest": json.loads(told)} if told else {}
    )
    return {
        "id": document.sha256,
        "text": text,
        "source": "scriptorium",
        "metadata": {
            "Source-File": document.origin,
            **named,
            "scriptorium-version": __version__,
            "settings-sha256": document.settings,
            "weights": document.weights,
            "prompt-sha256": document.prompt,
            **_totals(pages),
        },
        "attributes": {
            "pdf_page_numbers": spans,
            **{key: [front.get(key) for front in fronts] for key in FRONT},
            "page_status": [page["status"] for page in pages],
            "page_attempts": [page.get("attempts", 0) for page in pages],
            "page_finish_reason": [page.get("finish_reason", "") for page in pages],
            "page_rotation": [page.get("rotation", 0) for page in pages],
        },
    }


def compat_record(document: Document, date: str) -> dict[str, Any] | None:
    """The record as olmOCR writes it, key by key; None for a document without any text, as there."""
    pages = document.pages
    texts = [page["text"] if page["status"] in READ else "" for page in pages]
    text, spans = joined(texts, pages)
    if not text:
        return None
    fronts = [page.get("front") or NO_FRONT for page in pages]
    return {
        "id": hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(),
        "text": text,
        "source": "olmocr",
        "added": date,
        "created": date,
        "metadata": {
            "Source-File": document.origin,
            "olmocr-version": COMPAT_VERSION,
            **_totals(pages),
        },
        "attributes": {
            "pdf_page_numbers": spans,
            **{key: [front[key] for front in fronts] for key in FRONT},
        },
    }


def _totals(pages: list[dict[str, Any]]) -> dict[str, int]:
    return {
        "pdf-total-pages": len(pages),
        "total-input-tokens": sum(page.get("prompt_tokens", 0) for page in pages),
        "total-output-tokens": sum(page.get("tokens", 0) for page in pages),
        "total-fallback-pages": sum(page["status"] == "fallback_text" for page in pages),
    }
