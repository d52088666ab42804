"""A look at a document: its bytes' hash, its kind, its pages; of an archive, those of every member."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scriptorium.convert import archives, remote
from scriptorium.convert.cache import Cache
from scriptorium.convert.inputs import Document
from scriptorium.convert.ranges import Ranges
from scriptorium.files import sha256_file, sha256_json
from scriptorium.pages.pdf import PdfError
from scriptorium.pages.pool import DocumentPool


@dataclass(frozen=True)
class Found:
    """What is known of a document: columns of the plan, its ranges, or the reason why it has no page."""

    row: dict[str, Any]
    ranges: Ranges
    reason: str = ""


def look(document: Document, pdf: DocumentPool, cache: Cache) -> list[Found]:
    """Look at a file, or at every member of an archive. Nothing is raised for what is wrong with a file.

    What had to be fetched or unpacked stays in `cache` while there is room.
    """
    row = {"document": "", "source": document.source, "pages": 0, "member": "", "id": document.id}
    row |= {"kind": "", "bytes": 0, "metadata": document.metadata}
    if document.reason:
        return [Found(row, document.ranges, document.reason)]
    try:
        if path := remote.local_path(document.source):
            return list(_file(path, row, document, pdf, cache))
        with cache.lock(sha256_json(document.source)):
            path = remote.fetch(document.source, cache.spool)
            found = list(_file(path, row, document, pdf, cache))
            packed = archives.archive_kind(path) in ("zip", "tar")
            _keep(cache, path, cache.archive(document.source) if packed else sha256_file(path))
            return found
    except remote.FetchError as error:
        return [Found(row, document.ranges, f"{error.reason}: {error}")]
    except OSError as error:
        return [Found(row, document.ranges, f"missing: {error.strerror}")]


@contextlib.contextmanager
def kept(folder: Path | None) -> Iterator[Cache]:
    """The cache in a folder; without one, a cache that keeps nothing and lasts as long as the block."""
    if folder:
        yield Cache(folder)
        return
    with tempfile.TemporaryDirectory(prefix="scriptorium-") as passing:
        yield Cache(Path(passing), 0)


def _keep(cache: Cache, path: Path, document: str) -> None:
    """Leave a fetched or unpacked file in the cache while there is room, else remove it."""
    if path.stat().st_size <= cache.room():
        cache.add(path, document)
    else:
        path.unlink()


def _file(
    path: Path, row: dict[str, Any], document: Document, pdf: DocumentPool, cache: Cache
) -> Iterator[Found]:
    kind = archives.archive_kind(path)
    if kind in ("zip", "tar"):
        yield from _members(path, kind, row, document, pdf, cache)
    else:
        yield _one(path, row, document, pdf, kind)


def _one(path: Path, row: dict[str, Any], document: Document, pdf: DocumentPool, archive: str) -> Found:
    row = row | {"document": sha256_file(path), "bytes": path.stat().st_size}
    if archive == "office":
        return Found(row, document.ranges, "not_a_pdf: an office document or e-book; print it to PDF first")
    try:
        kind, sizes = pdf.look(path, password=document.password)
    except PdfError as error:
        where = remote.shown(row["source"]) + (f"::{row['member']}" if row["member"] else "")
        return Found(row, document.ranges, f"{error.reason}: {error}".replace(str(path), where))
    return Found(row | {"kind": kind, "pages": len(sizes)}, document.ranges)


def _members(
    path: Path, kind: str, row: dict[str, Any], document: Document, pdf: DocumentPool, cache: Cache
) -> Iterator[Found]:
    empty = True
    for member in archives.members(path, kind, cache.spool, lambda _: True):
        empty = False
        name = member.name.encode("utf-8", "backslashreplace").decode()
        if member.path is None:
            yield Found(row | {"member": name}, document.ranges, member.reason)
            continue
        try:
            found = _member(member.path, row | {"member": name}, document, pdf)
            if found.reason:
                member.path.unlink()
            else:
                _keep(cache, member.path, found.row["document"])
        finally:
            member.path.unlink(missing_ok=True)
        yield found
    if empty:
        yield Found(row, document.ranges, "no_pages: the archive has no files")


def _member(path: Path, row: dict[str, Any], document: Document, pdf: DocumentPool) -> Found:
    nested = archives.archive_kind(path)
    if nested in ("zip", "tar"):
        row = row | {"document": sha256_file(path), "bytes": path.stat().st_size}
        return Found(row, document.ranges, "nested: an archive in an archive; unpack the outer one first")
    return _one(path, row, document, pdf, nested)
