"""A workspace of an olmOCR pipeline as plan, store and receipt of ours: outputs and report are made from those."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scriptorium.convert.plan import schema
from scriptorium.errors import ConfigError, InputError
from scriptorium.files import whole, write_json
from scriptorium.pages.store import Store, content_key
from scriptorium.pages.workspace import Result, groups, results

SETTINGS = {"imported": "olmOCR workspace", "revision": 1}
"""What stands for the settings of pages that somebody else's pipeline read."""
ROWS = 5000
"""Rows of the plan in memory."""
Row = dict[str, Any]


def import_workspace(workspace: Path, out: Path) -> dict[str, int]:
    """Write plan.parquet, store/ and shards/00000.json of `workspace` into the new folder `out`.

    A document's hash is that of its source's name: its bytes are elsewhere. A page without a text is `blank`.
    Sources of the index without a result are `gave_up` where their group is done (the pipeline dropped them), else
    `pending`. Returns the pages by status. Raises ConfigError if `out` is there, InputError for no workspace.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"--out {out}: is there already; name a new folder")
    counts = Counter[str]()
    with whole(out) as part:
        (part / "shards").mkdir(parents=True)
        with (
            pq.ParquetWriter(part / "plan.parquet", _schema(), compression="zstd") as plan,
            Store(part / "store").writer("import") as store,
        ):
            batch: list[Row] = []
            for row, record in rows(workspace):
                counts[record["status"] if record else row["status"]] += 1
                batch.append(row)
                if record:
                    key = content_key(row["document"], row["page"], SETTINGS)
                    status = record.pop("status")
                    store.append(key, status, {"document": row["document"], "page": row["page"], **record})
                if len(batch) >= ROWS:
                    plan.write_table(pa.Table.from_pylist(batch, schema=_schema()))
                    batch = []
            plan.write_table(pa.Table.from_pylist(batch, schema=_schema()))
        found = dict(sorted(counts.items()))
        receipt = {"shard": 0, "writer": "import", "pages": sum(counts.values()), "statuses": found}
        write_json(part / "shards" / "00000.json", {**receipt, "settings": SETTINGS})
    return found


def rows(workspace: Path) -> Iterator[tuple[Row, Row | None]]:
    """A row of the plan for every page and its record; for a source without a result a row and None."""
    latest = {result.source: result.where for result in results(workspace)}
    for result in results(workspace):
        if latest[result.source] == result.where:
            yield from _read(result)
    for group in groups(workspace):
        for source in group.sources:
            if source not in latest:
                status = "gave_up" if group.done else "pending"
                said = "dropped: its group is done" if group.done else "its group was not done"
                reason = f"no result in the workspace; {said}"
                yield _row(source, 0, 0) | {"status": status, "reason": reason}, None


def _read(result: Result) -> Iterator[tuple[Row, Row]]:
    """The pages of a result. The pipeline counts tokens and fallbacks by document: they stand at its first page."""
    numbers = [page.number for page in result.pages]
    if len(set(numbers)) < len(numbers):
        path, line = result.where
        raise InputError(f"{path}:{line}: two pages have one number; found {numbers}")
    fallbacks = int(result.metadata.get("total-fallback-pages") or 0)
    for at, page in enumerate(result.pages):
        some = f"{fallbacks} of {len(numbers)} pages are fallbacks" if 0 < fallbacks < len(numbers) else ""
        yield (
            _row(result.source, page.number, len(numbers)),
            {
                "status": _status(page.text, fallbacks >= len(numbers)),
                "text": _sound(page.text or ""),
                "front": page.front,
                "attempts": 0,
                "prompt_tokens": 0 if at else int(result.metadata.get("total-input-tokens") or 0),
                "tokens": 0 if at else int(result.metadata.get("total-output-tokens") or 0),
                "seconds": 0.0,
                "reason": some if not at else "",
            },
        )


def _status(text: str | None, fallback: bool) -> str:
    if text is None:
        return "gave_up"
    return "fallback_text" if fallback else "ok" if text else "blank"


def _sound(text: str) -> str:
    """`text` without halves of surrogate pairs, which JSON may have and UTF-8 may not."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _row(source: str, page: int, pages: int) -> Row:
    archive, mark, member = source.partition("::")
    if not (mark and archive.endswith((".tar.gz", ".tgz"))):
        archive, member = source, ""
    document = hashlib.sha256(f"source:{source}".encode("utf-8", "replace")).hexdigest()
    row = {"document": document, "source": _sound(archive), "page": page, "pages": pages, "shard": 0}
    return row | {"status": "pending", "reason": "", "member": _sound(member), "id": ""}


def _schema() -> pa.Schema:
    return schema().with_metadata({"corpus": ""})
