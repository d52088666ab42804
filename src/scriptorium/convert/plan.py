"""What there is to convert: one row for every page, and one for every file that has none to offer."""

import contextlib
import hashlib
import json
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scriptorium.convert.inputs import Document, find, manifests
from scriptorium.convert.look import Found, kept, look
from scriptorium.convert.ranges import selected
from scriptorium.convert.remote import is_uri, local_path, shown
from scriptorium.errors import InputError
from scriptorium.files import whole
from scriptorium.pages.document import DocumentWorker
from scriptorium.progress import counted

PAGE_BLOCK = 50
"""Pages of one document that always go to one shard: a long document is spread over several."""

SCHEMA = pa.schema(
    [
        ("document", pa.string()),
        ("source", pa.string()),
        ("page", pa.int32()),
        ("pages", pa.int32()),
        ("shard", pa.int32()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("member", pa.string()),
        ("id", pa.string()),
        ("kind", pa.string()),
        ("bytes", pa.int64()),
        ("metadata", pa.string()),
    ]
)

ROWS_AT_ONCE = 50_000
"""Rows kept in memory until they are written."""

AHEAD = 64
"""Documents that are looked at before those in front of them are done, a worker."""


def plan_corpus(
    corpus: Path | str | Sequence[str],
    shards: int,
    out: Path,
    *,
    lists: Sequence[str] = (),
    pages: str = "",
    jobs: int = 1,
    cache: Path | None = None,
    stdin: Iterable[str] | None = None,
) -> None:
    """Write the plan of `corpus`, a source or several as `inputs.find` takes them, to the Parquet file `out`.

    Every file gets a row or more: its pages, status pending; or one row with page 0 and a final status:
    `unreadable` with the reason, or `duplicate` of a file with the same bytes. Same corpus, same bytes,
    whatever `jobs`, the processes that open files. `pages`: ranges for all that have none of their own.
    Raises InputError if the corpus is missing or empty.
    """
    if shards < 1:
        raise InputError(f"shards: found {shards}, must be at least 1")
    if jobs < 1:
        raise InputError(f"jobs: found {jobs}, must be at least 1")
    sources = (
        [corpus] if isinstance(corpus, str) else [str(corpus)] if isinstance(corpus, Path) else list(corpus)
    )
    documents = find(sources, lists, pages, stdin)
    facts = {"corpus": root_of(sources, lists), "manifests": json.dumps(manifests(sources))}
    with (
        whole(out) as part,
        pq.ParquetWriter(part, SCHEMA.with_metadata(facts), compression="zstd") as writer,
        contextlib.closing(looked_at(documents, jobs, cache)) as found,
    ):
        batch: list[dict[str, Any]] = []
        planned = False
        for row in rows_of(counted(found, "plan"), shards):
            batch.append(row)
            planned = True
            if len(batch) == ROWS_AT_ONCE:
                writer.write_table(pa.Table.from_pylist(batch, SCHEMA))
                batch.clear()
        if batch:
            writer.write_table(pa.Table.from_pylist(batch, SCHEMA))
        if not planned:
            raise InputError("corpus: no source names a document; give a file, a folder, a list or a URI")


def root_of(sources: Sequence[str], lists: Sequence[str] = ()) -> str:
    """The folder that outputs are named from: the corpus's own if it is one local folder or file, else none."""
    path = local_path(sources[0]) if len(sources) == 1 and not lists else None
    if path is None or not path.exists():
        return ""
    return (path if path.is_dir() else path.parent).as_posix()


def looked_at(documents: Iterable[Document], jobs: int, cache: Path | None) -> Generator[Found, None, None]:
    """What each document turned out to be, in their order, `jobs` of them looked at at a time."""
    workers = threading.local()
    opened: list[DocumentWorker] = []

    def one(document: Document) -> list[Found]:
        if not hasattr(workers, "pdf"):
            workers.pdf = DocumentWorker()
            opened.append(workers.pdf)
        return look(document, workers.pdf, place)

    waiting: deque[Future[list[Found]]] = deque()
    ending = contextlib.ExitStack()
    place = ending.enter_context(kept(cache))
    pool = ThreadPoolExecutor(jobs)
    try:
        for document in documents:
            waiting.append(pool.submit(one, document))
            if len(waiting) > jobs * AHEAD:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        for worker in opened:
            worker.close()
        ending.close()


def rows_of(found: Iterable[Found], shards: int) -> Iterator[dict[str, Any]]:
    """The rows of the plan. Of every document that opens, some 200 bytes are kept, to know its twins."""
    first: dict[bytes, str] = {}
    for each in found:
        name = label(each.row)
        twin = hashlib.sha256(repr((each.row["document"], each.ranges)).encode()).digest()
        row = each.row | {"page": 0, "shard": shard_of(each.row["document"], 1, shards)}
        if each.reason:
            yield row | {"status": "unreadable", "reason": each.reason}
        elif twin in first:
            yield row | {"pages": 0, "status": "duplicate", "reason": f"same bytes as {first[twin]}"}
        else:
            first[twin] = name
            yield from page_rows(row, each, shards)


def page_rows(row: dict[str, Any], found: Found, shards: int) -> Iterator[dict[str, Any]]:
    """A row for every page that is wanted, and one for each that is wanted and not there."""
    count, document = row["pages"], row["document"]
    there, missing = selected(found.ranges, count)
    for page in there:
        shard = shard_of(document, page, shards)
        yield row | {"page": page, "shard": shard, "status": "pending", "reason": ""}
    for page in missing:
        reason = f"bad_page: no page {page}; the document has {count}"
        yield row | {
            "page": page,
            "shard": shard_of(document, page, shards),
            "status": "unreadable",
            "reason": reason,
        }


def label(row: dict[str, Any]) -> str:
    """A document's name for people: its source, and behind `::` its member if that is an archive."""
    source = shown(row["source"]) if is_uri(row["source"]) else row["source"]
    return f"{source}::{row['member']}" if row["member"] else source


def shard_of(document: str, page: int, shards: int) -> int:
    """A page's shard: the same, whatever else is in the corpus."""
    block = (page - 1) // PAGE_BLOCK
    return int.from_bytes(hashlib.sha256(f"{document}:{block}".encode()).digest()[:8], "big") % shards


def read_plan(path: Path, shard: int | None = None) -> list[dict[str, Any]]:
    """The rows of a plan, all or one shard's, in the plan's order."""
    if not path.is_file():
        raise InputError(f"plan {path}: no such file")
    filters = None if shard is None else [("shard", "=", shard)]
    return pq.read_table(path, schema=SCHEMA, filters=filters).to_pylist()


def corpus_of(path: Path) -> str:
    """The folder whose files a plan names; empty if there is no single one."""
    return (pq.read_schema(path).metadata or {}).get(b"corpus", b"").decode()


def manifests_of(path: Path) -> list[str]:
    """The manifests that a plan was made from."""
    return json.loads((pq.read_schema(path).metadata or {}).get(b"manifests", b"[]"))
