"""What there is to convert: one row for every page, and one for every file that has none to offer."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scriptorium.errors import InputError
from scriptorium.files import sha256_file, whole
from scriptorium.pages.pdf import PdfError, PdfWorker
from scriptorium.progress import track

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
    ]
)


def plan_corpus(corpus: Path, shards: int, out: Path) -> None:
    """Write the plan of `corpus` (a folder of PDFs, or one file) to the Parquet file `out`.

    Every file gets a row or more: its pages, status pending; or one row with page 0 and a final status:
    `unreadable` with the reason, or `duplicate` of a file with the same bytes. Same corpus, same bytes.
    Raises InputError if the corpus is missing or empty.
    """
    if shards < 1:
        raise InputError(f"shards: found {shards}, must be at least 1")
    files = find_files(corpus)
    first: dict[str, str] = {}
    rows: list[dict[str, Any]] = []
    with PdfWorker() as pdf:
        for path in track(files, len(files), "plan"):
            rows += plan_file(path, pdf, first, shards)
    root = corpus if corpus.is_dir() else corpus.parent
    table = pa.Table.from_pylist(rows, schema=SCHEMA.with_metadata({"corpus": root.as_posix()}))
    with whole(out) as part:
        pq.write_table(table, part, compression="zstd")


def find_files(corpus: Path) -> list[Path]:
    """The files of a corpus, sorted; those whose name, or a folder's, begins with a dot are left out."""
    if corpus.is_file():
        return [corpus]
    if not corpus.is_dir():
        raise InputError(f"corpus {corpus}: no such folder or file")
    found = sorted(walk(corpus))
    if not found:
        raise InputError(f"corpus {corpus}: the folder has no files")
    return found


def walk(folder: Path) -> Iterator[Path]:
    """Every path below `folder` that is not a folder."""
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent, name) for name in names if not name.startswith("."))


def plan_file(path: Path, pdf: PdfWorker, first: dict[str, str], shards: int) -> list[dict[str, Any]]:
    """The rows of one file. `first`: the source of each document planned so far; it is added to."""
    row: dict[str, Any] = {"document": "", "source": path.as_posix(), "page": 0, "pages": 0, "shard": 0}
    try:
        row["source"].encode()
    except UnicodeEncodeError:
        row["source"] = row["source"].encode("utf-8", "backslashreplace").decode()
        return [row | {"status": "unreadable", "reason": "missing: its name is not UTF-8; rename it"}]
    if not path.is_file():  # a broken link, a pipe, a device: opening it could hang
        return [row | {"status": "unreadable", "reason": "missing: not a file, or a link to nothing"}]
    try:
        row["document"] = sha256_file(path)
    except OSError as error:
        return [row | {"status": "unreadable", "reason": f"missing: {error.strerror}"}]
    document = row["document"]
    row["shard"] = shard_of(document, 1, shards)
    if document in first:
        return [row | {"status": "duplicate", "reason": f"same bytes as {first[document]}"}]
    first[document] = path.as_posix()
    try:
        count = len(pdf.pages(path))
    except PdfError as error:
        return [row | {"status": "unreadable", "reason": f"{error.reason}: {error}"}]
    row |= {"pages": count, "status": "pending", "reason": ""}
    return [row | {"page": p, "shard": shard_of(document, p, shards)} for p in range(1, count + 1)]


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
    """The folder whose files a plan names."""
    return (pq.read_schema(path).metadata or {}).get(b"corpus", b"").decode()
