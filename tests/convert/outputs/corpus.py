"""Corpora that are converted already: a plan, a store filled by hand, and a receipt."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scriptorium.convert.outputs.options import parse
from scriptorium.convert.outputs.write import Summary, write_outputs
from scriptorium.convert.plan import schema
from scriptorium.pages.store import Store, content_key

SETTINGS = {"weights": "w", "prompt": "p"}
FRONT = {
    "primary_language": "en",
    "is_rotation_valid": True,
    "rotation_correction": 0,
    "is_table": False,
    "is_diagram": False,
}
Page = tuple[str, str]
"""Status and text."""


def sha256(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def make(folder: Path, documents: Iterable[tuple[str, list[Page]]], corpus: str = "corpus") -> Path:
    """A converted corpus of sources and their pages, written one document after the other."""
    (folder / "shards").mkdir(parents=True)
    (folder / "shards" / "00000.json").write_text(json.dumps({"settings": SETTINGS}))
    columns = schema().with_metadata({"corpus": corpus})
    with (
        pq.ParquetWriter(folder / "plan.parquet", columns) as plan,
        Store(folder / "store").writer("00000") as store,
    ):
        batch: list[dict[str, Any]] = []
        for source, pages in documents:
            batch += rows(source, pages)
            for page, (status, text) in enumerate(pages, 1):
                if status != "pending":
                    record = {"document": sha256(source), "page": page, "text": text, "front": FRONT}
                    record |= {"raw": "", "finish_reason": "stop", "tokens": 5, "seconds": 0.25 * page}
                    record |= {"attempts": 1, "prompt_tokens": 10, "rotation": 0, "reason": ""}
                    store.append(content_key(sha256(source), page, SETTINGS), status, record)
            if len(batch) > 5000:
                plan.write_table(pa.Table.from_pylist(batch, schema=columns))
                batch = []
        plan.write_table(pa.Table.from_pylist(batch, schema=columns))
    return folder


def rows(source: str, pages: list[Page]) -> Iterator[dict[str, Any]]:
    for page in range(1, len(pages) + 1):
        yield {
            "document": sha256(source),
            "source": source,
            "page": page,
            "pages": len(pages),
            "shard": 0,
        } | {
            "status": "pending",
            "reason": "",
            "member": "",
            "id": "",
        }


def write(folder: Path, out: Path, **options: Any) -> Summary:
    receipts = [folder / "shards" / "00000.json"]
    return write_outputs(folder / "plan.parquet", folder / "store", receipts, out, parse(options, "test"))


def files(out: Path) -> dict[str, bytes]:
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }
