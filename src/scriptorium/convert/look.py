"""A look at a document: its bytes' hash, its kind, its pages; of an archive, those of every member."""

import contextlib
import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scriptorium.convert import archives, remote
from scriptorium.convert.cache import Cache
from scriptorium.convert.inputs import Document
from scriptorium.convert.looked import Looked
from scriptorium.convert.ranges import Ranges
from scriptorium.errors import blame_host
from scriptorium.files import sha256_file, sha256_json
from scriptorium.pages.pdf import PdfError
from scriptorium.pages.pool import DocumentPool

BLOCK = 1 << 18
"""Bytes read at a time; nearly every page fits in one."""
OWN = ("document", "kind", "bytes", "pages", "member")
"""Columns that a file's bytes decide."""
PASSING = ("missing", "timeout", "memory")
"""Reasons that may be gone at the next look."""


@dataclass(frozen=True)
class Found:
    """What is known of a document: columns of the plan, its ranges, or the reason why it has no page."""

    row: dict[str, Any]
    ranges: Ranges
    reason: str = ""


def row_of(document: Document) -> dict[str, Any]:
    """The columns of a document that was not looked at yet."""
    row = {"document": "", "source": document.source, "pages": 0, "member": "", "id": document.id}
    return row | {"kind": "", "bytes": 0, "metadata": document.metadata}


def look_all(documents: Sequence[Document], pdf: DocumentPool, cache: Cache) -> list[list[Found]]:
    """Look at several documents. Plain files are opened by one request for all of them."""
    found: list[list[Found]] = [[] for _ in documents]
    plain: list[tuple[int, Path, dict[str, Any]]] = []
    for number, document in enumerate(documents):
        path = remote.local_path(document.source)
        try:
            read = None if document.reason or path is None else read_plain(path)
        except OSError as error:
            blame_host(error, remote.shown(document.source))
            found[number] = [Found(row_of(document), document.ranges, f"missing: {error.strerror}")]
            continue
        if path and read:
            plain.append((number, path, row_of(document) | {"document": read[0], "bytes": read[1]}))
        else:
            found[number] = look(document, pdf, cache)
    counts = pdf.count([(path, documents[number].password) for number, path, _ in plain]) if plain else []
    for (number, path, row), count in zip(plain, counts, strict=True):
        found[number] = [counted(path, row, documents[number].ranges, count)]
    return found


def read_plain(path: Path) -> tuple[str, int] | None:
    """The SHA-256 and the bytes of a file; None for an archive, which is looked at in another way."""
    with path.open("rb", buffering=0) as file:
        block = file.read(BLOCK)
        if archives.kind_of(block):
            return None
        size, digest = len(block), hashlib.sha256(block)
        while block := file.read(BLOCK):
            digest.update(block)
            size += len(block)
    return digest.hexdigest(), size


def counted(path: Path, row: dict[str, Any], ranges: Ranges, count: tuple[str, int] | PdfError) -> Found:
    """What a plain file was found to be by its kind and number of pages, or by what is wrong with it."""
    if isinstance(count, PdfError):
        where = remote.shown(row["source"]) + (f"::{row['member']}" if row["member"] else "")
        return Found(row, ranges, f"{count.reason}: {count}".replace(str(path), where))
    return Found(row | {"kind": count[0], "pages": count[1]}, ranges)


def recalled(document: Document, looked: Looked) -> list[Found] | None:
    """What a local file was found to be when it was last looked at, if it has not changed since."""
    if document.stamp is None or document.password is not None or document.reason:
        return None
    entry = looked.get(document.source, document.stamp)
    if entry is None:
        return None
    return [Found(row_of(document) | each["row"], document.ranges, each["reason"]) for each in entry]


def remember(document: Document, found: list[Found], looked: Looked) -> None:
    """Keep what a local file was found to be, unless that may be otherwise the next time."""
    if document.stamp is None or document.password is not None or document.reason:
        return
    if any(each.reason.partition(":")[0] in PASSING for each in found):
        return
    entry = [{"row": {key: each.row[key] for key in OWN}, "reason": each.reason} for each in found]
    looked.put(document.source, document.stamp, entry)


def look(document: Document, pdf: DocumentPool, cache: Cache) -> list[Found]:
    """Look at a file, or at every member of an archive. Nothing is raised for what is wrong with a file.

    Raises HostError where this host is short of something.

    What had to be fetched or unpacked stays in `cache` while there is room.
    """
    row = row_of(document)
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
        blame_host(error, remote.shown(document.source))
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
    return counted(path, row, document.ranges, pdf.count([(path, document.password)])[0])


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
