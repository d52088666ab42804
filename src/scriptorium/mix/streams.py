"""One tarball of pages read as a stream: each member goes straight to its place and is checked there.

Nothing is extracted under a member's own name, so no member can be written outside its folder.
"""

import hashlib
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from isal import igzip, isal_zlib

from scriptorium.errors import InputError
from scriptorium.files import whole
from scriptorium.mix.manifest import MANIFEST
from scriptorium.mix.pairs import Page, is_safe, pdf_name, row_of
from scriptorium.mix.truths import truth
from scriptorium.pages import front_matter
from scriptorium.pages.front_matter import FrontMatterError
from scriptorium.pages.pdf import PageSize, PdfError, PdfWorker

MOST_BYTES = 1 << 29
"""The largest PDF of one page that is taken in."""

TOGETHER = 64
"""PDFs that the child process opens for one question."""

NEVER = "\U0010ffff"
"""Sorts after every name: the end of the range of places in one tarball."""

ISAL_ERROR: type[Exception] = isal_zlib.error  # type: ignore[assignment]  # its stub names an instance

Row = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """One tarball: its file and its name in the data set, the label tables, what is wanted of it and where it goes.

    `wanted`: document and row id by member. `passed`: members whose rows are not wanted. `folder` gets the
    pages, `manifest` is written last: where it is there, the tarball is done.
    """

    path: Path
    name: str
    tables: tuple[Path, ...]
    wanted: dict[str, tuple[str, str]]
    passed: set[str]
    folder: Path
    manifest: Path


class TarballError(InputError):
    """A tarball that cannot be read, or not to its end."""


@dataclass
class Unpacking:
    """A tarball while it is unpacked: its labels by member, rows of the manifest so far, pages yet to be checked."""

    job: Job
    labels: dict[str, Row]
    worker: PdfWorker
    rows: list[Row] = field(default_factory=list)
    waiting: list[tuple[Page, Path, Row, int]] = field(default_factory=list)
    folders: set[Path] = field(default_factory=set)

    def reject(self, page: Page, reason: str, label: Row | None = None) -> None:
        told = {"row": label["id"], "url": label.get("url")} if label else {}
        self.rows.append(row_of(page, "", "", "rejected", reason) | told)

    def take(self, page: Page, pdf: bytes, label: Row) -> None:
        """Write a PDF to its place; its page is kept or rejected when some of them are checked together."""
        path = self.job.folder / "pdfs" / pdf_name(page)
        if path.parent not in self.folders:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.folders.add(path.parent)
        path.write_bytes(pdf)
        self.waiting.append((page, path, label, len(pdf)))
        if len(self.waiting) == TOGETHER:
            self.check()

    def check(self) -> None:
        """Keep or reject the pages that wait."""
        found = self.worker.sizes([path for _, path, _, _ in self.waiting])
        for (page, path, label, size), sizes in zip(self.waiting, found, strict=True):
            if reason := _fault(sizes, path, page.source):
                path.unlink()
                self.reject(page, reason, label)
                continue
            try:
                self.keep(page, path, label, size)
            except (FrontMatterError, UnicodeError) as error:
                path.unlink()
                self.reject(page, f"truth not decoded: {error}", label)
        self.waiting.clear()

    def keep(self, page: Page, path: Path, label: Row, size: int) -> None:
        """Write the truth of a page beside it. Raises FrontMatterError or UnicodeError."""
        text = truth(label)
        data = text.encode()
        front, body = front_matter.decode(text)
        Path(f"{str(path).removesuffix('.pdf')}.md").write_bytes(data)
        told = {
            "row": label["id"],
            "url": label.get("url"),
            "page_number": label.get("page_number"),
            "bytes": size,
            "characters": len(body or ""),
            **vars(front),
        }
        name = f"pdfs/{page.id}"
        self.rows.append(row_of(page, f"{name}.pdf", f"{name}.md", "kept", "") | told)


def unpack_tarball(job: Job) -> None:
    """Write the pages of a tarball below `job.folder`, and its manifest. Rows whose member does not come are
    rejected, and so are members that no row is about."""
    with PdfWorker() as worker:
        labels = dict(_labels(job))
        work = Unpacking(job, labels, worker)
        left, why = dict(job.wanted), "member missing: the tarball has no such file"
        try:
            for name, data, problem in members(job.path):
                _member(work, name, data, problem, left)
        except TarballError as error:
            why = str(error)
            if not left:  # its pages are taken, but its checksum is wrong: one of them may be another
                work.reject(Page(Path(job.name).name, 0, job.name), why)
        work.check()
    for member, (document, _) in left.items():
        work.reject(Page(document, 0, f"{job.name}:{member}"), why, labels.get(member))
    with whole(job.manifest) as part:
        pq.write_table(pa.Table.from_pylist(work.rows, MANIFEST), part)


def _member(work: Unpacking, name: str, data: bytes, problem: str, left: dict[str, Any]) -> None:
    """Take, pass over or reject one member."""
    source = f"{work.job.name}:{name}"
    if name in work.job.passed:
        return
    if name not in left:
        work.reject(Page(name, 0, source), problem or _unwanted(name, work.job))
        return
    document, _ = left.pop(name)
    page = Page(document, 1, source, hashlib.sha256(data).hexdigest())
    label = work.labels.get(name)
    if label is None:
        work.reject(page, "label missing: the table has changed since it was read")
    elif problem:
        work.reject(page, problem, label)
    else:
        work.take(page, data, label)


def _unwanted(name: str, job: Job) -> str:
    """Why a member that nobody waits for is left out."""
    if not is_safe(name):
        return "member not usable: it leaves the folder"
    return (
        "member twice: an earlier one was taken"
        if name in job.wanted
        else "label missing: no row is about it"
    )


def _fault(found: list[PageSize] | PdfError, path: Path, source: str) -> str:
    """What is wrong with a PDF that should have one page; named by its source: the path is another in each run."""
    if isinstance(found, PdfError):
        return f"document {found.reason}: {str(found).replace(str(path), source)}"
    if len(found) != 1:
        return f"not one page: the PDF has {len(found)}"
    return "" if min(found[0]) > 0 else "page damaged: it has no size"


def _labels(job: Job) -> Iterator[tuple[str, Row]]:
    """The label rows of a tarball's wanted members; only its own rows are read of tables that name the place."""
    ids = {name: member for member, (_, name) in job.wanted.items()}
    places = {f"{job.name}:{member}": member for member in job.wanted}
    taken: set[str] = set()
    for path in job.tables:
        data = ds.dataset(path)
        placed = "pdf_relpath" in data.schema.names
        low, key = f"{job.name}:", pc.field("pdf_relpath")
        mine = (key >= low) & (key < low + NEVER) if placed else pc.field("id").isin(list(ids))
        for batch in data.to_batches(filter=mine, batch_size=512):
            for row in batch.to_pylist():
                member = places.get(row["pdf_relpath"]) if placed else ids.get(row["id"])
                if member is None or member in taken or job.wanted[member][1] != str(row["id"]):
                    continue
                taken.add(member)
                yield member, row | {"id": str(row["id"])}


def members(path: Path) -> Iterator[tuple[str, bytes, str]]:
    """Name, bytes and problem ("" if none) of a tarball's members, folders left out.

    Raises TarballError where it cannot be read on.
    """
    try:
        with igzip.open(path) as stream, tarfile.open(fileobj=stream, mode="r|", bufsize=1 << 20) as archive:
            for member in archive:
                if not member.isdir():
                    yield member.name.removeprefix("./"), *_content(archive, member)
            while stream.read(1 << 20):  # the checksum stands behind the last member
                pass
    except FileNotFoundError as error:
        raise TarballError("tarball missing: it was not fetched") from error
    except (OSError, EOFError, zlib.error, ISAL_ERROR, tarfile.TarError) as error:
        raise TarballError(f"tarball damaged: {error}") from error


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> tuple[bytes, str]:
    """Bytes and problem of one member."""
    if member.size > MOST_BYTES:
        return b"", f"member not usable: {member.size} bytes, more than {MOST_BYTES}"
    file = archive.extractfile(member) if member.isreg() else None
    if file is None:
        return b"", "member not usable: not a plain file"
    return file.read(), ""
