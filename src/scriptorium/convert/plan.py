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
from scriptorium.convert.look import Found, kept, look_all, recalled, remember
from scriptorium.convert.looked import Looked, twins
from scriptorium.convert.ranges import selected
from scriptorium.convert.remote import is_uri, local_path, shown
from scriptorium.convert.shards import DIGEST, by_shard, read_shard, write_by_shard
from scriptorium.errors import InputError
from scriptorium.files import whole
from scriptorium.pages.pool import DocumentPool
from scriptorium.progress import counted

if TYPE_CHECKING:  # it takes longer to load than a first page to send, and is not needed for that
    import pyarrow as pa

    from scriptorium.convert.filters import Filters

SHARDS = b"shards"
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

IDENTITY = ("document", "source", "member", "page", "shard", "status")
"""Columns that tell one plan from another."""

ROWS_AT_ONCE = 50_000
"""Rows kept in memory until they are written."""

BATCH = 16
"""New files that one job looks at, with one request to its child."""
BATCH_BYTES = 16 << 20
"""Bytes after which a batch is full: a folder of books is spread over all jobs."""
RECALLED = 512
"""Files known from before that are passed on together."""
AHEAD = 4
"""Batches that are looked at before those in front of them are done, a job."""


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
    filters: "Filters | None" = None,
) -> None:
    """Write the plan of `corpus`, a source or several as `inputs.find` takes them, to the Parquet file `out`.

    Every file gets a row or more: its pages, status pending; or one row with page 0 and a final status:
    `unreadable` with the reason, or `duplicate` of a file with the same bytes. Same corpus, same bytes,
    whatever `jobs`, the processes that open files. `pages`: ranges for all that have none of their own.
    What local files were found to be is kept beside the plan, so that the next one only looks at new files.
    `filters`: documents that are not wanted get status `filtered`.
    With several shards the rows are written by shard too, for jobs of one. Raises InputError if the corpus is
    missing or empty.
    """
    more: dict[str, Any] = {"lists": lists, "pages": pages, "jobs": jobs, "cache": cache, "stdin": stdin}
    rows = plan_rows(corpus, shards, looked=looked_path(out), **more)
    facts = facts_of(corpus, lists)
    write_plan(wanted(rows, filters, facts, out, jobs, cache), facts, out, shards)


def statuses(plan: Path) -> dict[str, int]:
    """Rows of a plan by status, pages and files that are not read alike."""
    import pyarrow.parquet as pq

    found = pq.read_table(plan, columns=["status"])["status"].value_counts().to_pylist()
    return {each["values"]: each["counts"] for each in sorted(found, key=lambda each: str(each["values"]))}


def wanted(
    rows: Iterator[dict[str, Any]],
    filters: "Filters | None",
    facts: dict[str, str],
    out: Path,
    jobs: int = 1,
    cache: Path | None = None,
) -> Iterator[dict[str, Any]]:
    """The rows of the plan `out`; those of documents that the filters leave out have status `filtered`."""
    if not filters:
        return rows
    from scriptorium.convert.filters import facts_path, filtered

    return filtered(rows, filters, facts["manifests"], jobs=jobs, cache=cache, facts=facts_path(out))


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
    looked: Path | None = None,
) -> Iterator[dict[str, Any]]:
    """The rows that `plan_corpus` writes. `children` open the files if they are given, and are left open.

    `looked`: where what files were found to be is kept, see `looked_path`.
    """
    if shards < 1:
        raise InputError(f"shards: found {shards}, must be at least 1")
    if jobs < 1:
        raise InputError(f"jobs: found {jobs}, must be at least 1")
    documents = find(sources_of(corpus), lists, pages, stdin)
    planned = False
    with contextlib.closing(looked_at(documents, jobs, cache, children, looked)) as found:
        for row in rows_of(counted(found, "plan"), shards):
            planned = True
            yield row
    if not planned:
        raise InputError("corpus: no source names a document; give a file, a folder, a list or a URI")


def write_plan(rows: Iterable[dict[str, Any]], facts: dict[str, str], out: Path, shards: int = 1) -> None:
    """Write rows of `plan_rows` and `facts_of` their corpus as a plan's Parquet file; by shard too if several."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns, rest = schema(), iter(rows)
    digest = hashlib.sha256(json.dumps([facts, shards], sort_keys=True).encode())
    with whole(out) as part:
        with pq.ParquetWriter(part, columns.with_metadata(facts), compression="zstd") as writer:
            while batch := list(islice(rest, ROWS_AT_ONCE)):
                table = pa.table([[row[name] for row in batch] for name in columns.names], schema=columns)
                digest.update(repr([table.column(name).to_pylist() for name in IDENTITY]).encode())
                writer.write_table(table)
            writer.add_key_value_metadata({DIGEST: digest.hexdigest().encode(), SHARDS: str(shards).encode()})
        if shards > 1:
            write_by_shard(part, by_shard(out), digest.hexdigest())


def looked_path(plan: Path) -> Path:
    """Where what the files of a plan were found to be is kept."""
    return plan.with_name(".looked.sqlite")  # hidden: it may lie in the corpus


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
    documents: Iterable[Document],
    jobs: int,
    cache: Path | None,
    children: DocumentPool | None = None,
    looked: Path | None = None,
) -> Generator[Found, None, None]:
    """What each document turned out to be, in their order, `jobs` batches of them looked at at a time."""
    waiting: deque[tuple[Batch, Future[list[list[Found]]] | None]] = deque()
    with contextlib.ExitStack() as ending:
        known = ending.enter_context(Looked(looked))
        place = ending.enter_context(kept(cache))
        worker = children or ending.enter_context(contextlib.closing(DocumentPool(jobs)))
        pool = ThreadPoolExecutor(jobs)
        ending.callback(pool.shutdown, cancel_futures=True)
        for batch in batches(documents, known):
            new = [document for document, found in batch if found is None]
            waiting.append((batch, pool.submit(look_all, new, worker, place) if new else None))
            if len(waiting) > jobs * AHEAD:
                yield from landed(*waiting.popleft(), known)
        while waiting:
            yield from landed(*waiting.popleft(), known)


Batch = list[tuple[Document, list[Found] | None]]
"""Documents and what is known of them from before."""


def batches(documents: Iterable[Document], known: Looked) -> Iterator[Batch]:
    """The documents in order, in batches of about the same work; one that must be fetched ends its batch."""
    batch: Batch = []
    new = size = 0
    for document in documents:
        found = recalled(document, known)
        batch.append((document, found))
        if found is None:
            new += 1
            size += document.stamp[0] if document.stamp else BATCH_BYTES
        if new == BATCH or size >= BATCH_BYTES or len(batch) == RECALLED:
            yield batch
            batch, new, size = [], 0, 0
    if batch:
        yield batch


def landed(batch: Batch, looking: Future[list[list[Found]]] | None, known: Looked) -> Iterator[Found]:
    """What the documents of a batch turned out to be; what is new is kept."""
    looks = iter(looking.result() if looking else ())
    for document, found in batch:
        if found is None:
            found = next(looks)
            remember(document, found, known)
        yield from found


def rows_of(found: Iterable[Found], shards: int) -> Iterator[dict[str, Any]]:
    """The rows of the plan."""
    with twins() as seen:
        for each in found:
            document = each.row["document"]
            row = each.row | {"page": 0, "shard": shard_of(document, 1, shards)}
            if each.reason:
                yield row | {"status": "unreadable", "reason": each.reason}
            elif twin := seen.first(f"{document} {each.ranges}", label(each.row)):
                yield row | {"pages": 0, "status": "duplicate", "reason": f"same bytes as {twin}"}
            else:
                yield from page_rows(row, each, shards)


def page_rows(row: dict[str, Any], found: Found, shards: int) -> Iterator[dict[str, Any]]:
    """A row for every page that is wanted, and one for each that is wanted and not there."""
    count, document = row["pages"], row["document"]
    there, missing = selected(found.ranges, count)
    block = 0
    row = row | {"status": "pending", "reason": ""}
    for page in there:
        if page > block:  # the first page of another block
            block = -(-page // PAGE_BLOCK) * PAGE_BLOCK
            row["shard"] = shard_of(document, page, shards)
        yield row | {"page": page}
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
    if shard is not None:
        return read_shard(path, shard, schema())
    import pyarrow.parquet as pq

    return pq.read_table(path, schema=schema()).to_pylist()


def corpus_of(path: Path) -> str:
    """The folder whose files a plan names; empty if there is no single one."""
    import pyarrow.parquet as pq

    return (pq.read_schema(path).metadata or {}).get(b"corpus", b"").decode()


def manifests_of(path: Path) -> list[str]:
    """The manifests that a plan was made from."""
    import pyarrow.parquet as pq

    return json.loads((pq.read_schema(path).metadata or {}).get(b"manifests", b"[]"))


def shards_of(path: Path) -> int:
    """The number of shards that a plan divides its pages into."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    if not path.is_file():
        raise InputError(f"plan {path}: no such file")
    if told := (pq.read_metadata(path).metadata or {}).get(SHARDS):
        return int(told)
    return int(pc.max(pq.read_table(path, columns=["shard"])["shard"]).as_py()) + 1  # made without the number
