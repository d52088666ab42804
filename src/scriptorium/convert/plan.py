"""What there is to convert: one row for every page, and one for every file that has none to offer."""

import contextlib
import hashlib
import json
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scriptorium.convert.inputs import Document, find, manifests
from scriptorium.convert.look import Found, kept, look
from scriptorium.convert.ranges import selected
from scriptorium.convert.remote import is_uri, local_path, shown
from scriptorium.errors import InputError
from scriptorium.files import whole
from scriptorium.pages.pool import DocumentPool
from scriptorium.progress import counted

if TYPE_CHECKING:  # it takes longer to load than a first page to send, and is not needed for that
    import pyarrow as pa

PAGE_BLOCK = 50
"""Pages of one document that always go to one shard: a long document is spread over several."""

COLUMNS = {
    "document": "string",
    "source": "string",
    "page": "int32",
    "pages": "int32",
    "shard": "int32",
    "status": "string",
    "reason": "string",
    "member": "string",
    "id": "string",
    "kind": "string",
    "bytes": "int64",
    "metadata": "string",
}
"""The columns of a plan and their types in Arrow."""

ROWS_AT_ONCE = 50_000
"""Rows kept in memory until they are written."""

AHEAD = 64
"""Documents that are looked at before those in front of them are done, a worker."""


def schema() -> "pa.Schema":
    """The schema of a plan."""
    import pyarrow as pa

    return pa.schema([(name, pa.type_for_alias(kind)) for name, kind in COLUMNS.items()])


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
    rows = plan_rows(corpus, shards, lists=lists, pages=pages, jobs=jobs, cache=cache, stdin=stdin)
    write_plan(rows, facts_of(corpus, lists), out)


def plan_rows(
    corpus: Path | str | Sequence[str],
    shards: int,
    *,
    lists: Sequence[str] = (),
    pages: str = "",
    jobs: int = 1,
    cache: Path | None = None,
    stdin: Iterable[str] | None = None,
    children: DocumentPool | None = None,
) -> Iterator[dict[str, Any]]:
    """The rows that `plan_corpus` writes. `children` open the files if they are given, and are left open."""
    if shards < 1:
        raise InputError(f"shards: found {shards}, must be at least 1")
    if jobs < 1:
        raise InputError(f"jobs: found {jobs}, must be at least 1")
    documents = find(sources_of(corpus), lists, pages, stdin)
    planned = False
    with contextlib.closing(looked_at(documents, jobs, cache, children)) as found:
        for row in rows_of(counted(found, "plan"), shards):
            planned = True
            yield row
    if not planned:
        raise InputError("corpus: no source names a document; give a file, a folder, a list or a URI")


def write_plan(rows: Iterable[dict[str, Any]], facts: dict[str, str], out: Path) -> None:
    """Write rows of `plan_rows` and `facts_of` their corpus as a plan's Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns, rest = schema(), iter(rows)
    with (
        whole(out) as part,
        pq.ParquetWriter(part, columns.with_metadata(facts), compression="zstd") as writer,
    ):
        while batch := list(islice(rest, ROWS_AT_ONCE)):
            writer.write_table(pa.Table.from_pylist(batch, columns))


def sources_of(corpus: Path | str | Sequence[str]) -> list[str]:
    """A source or several as a list."""
    return [str(corpus)] if isinstance(corpus, str | Path) else list(corpus)


def facts_of(corpus: Path | str | Sequence[str], lists: Sequence[str] = ()) -> dict[str, str]:
    """What a plan says of its corpus as a whole: the folder outputs are named from, and its manifests."""
    sources = sources_of(corpus)
    return {"corpus": root_of(sources, lists), "manifests": json.dumps(manifests(sources))}


def root_of(sources: Sequence[str], lists: Sequence[str] = ()) -> str:
    """The folder that outputs are named from: the corpus's own if it is one local folder or file, else none."""
    path = local_path(sources[0]) if len(sources) == 1 and not lists else None
    if path is None or not path.exists():
        return ""
    return (path if path.is_dir() else path.parent).as_posix()


def looked_at(
    documents: Iterable[Document], jobs: int, cache: Path | None, children: DocumentPool | None = None
) -> Generator[Found, None, None]:
    """What each document turned out to be, in their order, `jobs` of them looked at at a time."""
    waiting: deque[Future[list[Found]]] = deque()
    with contextlib.ExitStack() as ending:
        place = ending.enter_context(kept(cache))
        worker = children or ending.enter_context(contextlib.closing(DocumentPool(jobs)))
        pool = ThreadPoolExecutor(jobs)
        ending.callback(pool.shutdown, cancel_futures=True)
        for document in documents:
            waiting.append(pool.submit(look, document, worker, place))
            if len(waiting) > jobs * AHEAD:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


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
    import pyarrow.parquet as pq

    filters = None if shard is None else [("shard", "=", shard)]
    return pq.read_table(path, schema=schema(), filters=filters).to_pylist()


def corpus_of(path: Path) -> str:
    """The folder whose files a plan names; empty if there is no single one."""
    import pyarrow.parquet as pq

    return (pq.read_schema(path).metadata or {}).get(b"corpus", b"").decode()


def manifests_of(path: Path) -> list[str]:
    """The manifests that a plan was made from."""
    import pyarrow.parquet as pq

    return json.loads((pq.read_schema(path).metadata or {}).get(b"manifests", b"[]"))
