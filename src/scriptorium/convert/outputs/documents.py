"""The documents of a plan, one after the other, each with what the store says of its pages."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from scriptorium.convert.outputs.index import Index
from scriptorium.errors import InputError
from scriptorium.files import sha256_json
from scriptorium.pages.store import Store, content_keys

READ = ("ok", "ok_rotated", "blank", "salvaged", "fallback_text")
"""Statuses of pages that have a text, or have none to lose."""
FAILED = ("gave_up", "unreadable", "pending")
"""Statuses of pages that should have a text."""
BATCH = 4096
"""Rows of the plan in memory at a time, besides the pages of one document."""


@dataclass(frozen=True)
class Document:
    """A source and its pages in order. `pages` has one row with page 0 where there are no pages to read.

    `name` is its path in the outputs without an ending. `settings` is the hash of what it was read with.
    """

    sha256: str
    source: str
    member: str
    id: str
    pages: list[dict[str, Any]]
    name: str = ""
    settings: str = ""
    weights: str = ""
    prompt: str = ""

    @property
    def origin(self) -> str:
        """The source as outputs name it: `archive::member` for a file of an archive."""
        return f"{self.source}::{self.member}" if self.member else self.source

    @property
    def was_read(self) -> bool:
        """Whether at least one page was read."""
        return any(page["status"] in READ for page in self.pages)

    @property
    def failed(self) -> int:
        """How many pages should have a text and have none."""
        return sum(page["status"] in FAILED for page in self.pages)


def read_settings(receipts: list[Path]) -> dict[str, Any]:
    """The settings that all shards were read with. Raises InputError if they differ."""
    if not receipts:
        raise InputError("shard receipts: none given")
    settings = [json.loads(path.read_text(encoding="utf-8"))["settings"] for path in receipts]
    for path, found in zip(receipts, settings, strict=True):
        if found != settings[0]:
            raise InputError(f"{path}: read with other settings than {receipts[0]}; convert that shard again")
    return settings[0]


def pages_of(plan: Path, store: Path, settings: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every row of the plan with what the store says of it; pages without a result stay pending."""
    if not plan.is_file():
        raise InputError(f"plan {plan}: no such file")
    pages = Store(store)
    index, key = Index(pages), content_keys(settings)
    with pq.ParquetFile(plan) as table:
        for batch in table.iter_batches(BATCH):
            rows = batch.to_pylist()
            keys = [key(row["document"], row["page"]) for row in rows]
            for row, place in zip(rows, index.find(keys), strict=True):
                yield row | pages.read(place) if place and row["status"] == "pending" else row


def documents(plan: Path, store: Path, settings: dict[str, Any]) -> Iterator[Document]:
    """Every document of the plan, in its order; also those of which no page was read."""
    shared = {
        "settings": sha256_json(settings),
        "weights": str(settings.get("weights", "")),
        "prompt": str(settings.get("prompt", "")),
    }
    for key, group in itertools.groupby(pages_of(plan, store, settings), key=_identity):
        yield Document(*key, pages=list(group), **shared)


def _identity(row: dict[str, Any]) -> tuple[str, str, str, str]:
    return row["document"], row["source"], row.get("member") or "", row.get("id") or ""


def page_text(page: dict[str, Any]) -> str:
    """The text of a page that was read, with \\n, no space at its ends; empty for any other page."""
    if page["status"] not in READ:
        return ""
    return str(page["text"]).replace("\r\n", "\n").replace("\r", "\n").strip()
