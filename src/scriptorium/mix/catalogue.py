"""The index of a folder of pairs `X.pdf` and `X.md`: each is looked at once, and again only when it has changed.

It makes any folder of pairs one that the workflow takes: `pages.parquet` says of every pair whether it can be
used. `index.parquet` also keeps the files' sizes and times. Rows go through in the order of their names, so
memory does not grow with the folder.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path, PurePath
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from scriptorium.errors import InputError
from scriptorium.files import whole
from scriptorium.mix.pairs import COLUMNS, Page, is_safe, row_of
from scriptorium.pages import front_matter
from scriptorium.pages.front_matter import FrontMatterError
from scriptorium.pages.pdf import PageSize, PdfError, PdfWorker
from scriptorium.progress import counted

REVISION = 1
"""Raised when a pair is judged otherwise: an older index is then made anew."""

STAMPS = ("md_bytes", "md_time", "pdf_bytes", "pdf_time")
INDEX = pa.schema([*COLUMNS, *((name, pa.int64()) for name in STAMPS)], metadata={"revision": str(REVISION)})
BATCH = 512
"""Pairs in memory, and PDFs that are opened for one question."""

Row = dict[str, Any]


class Found(NamedTuple):
    """A pair in a folder: its name's parts, and sizes and times of its text and its PDF (zeros: not there)."""

    parts: tuple[str, ...]
    stamps: tuple[int, int, int, int]

    @property
    def name(self) -> str:
        return "/".join(self.parts)


def index(folder: Path) -> Counter[str]:
    """Write `pages.parquet` and `index.parquet` of a folder of pairs; how many are kept, rejected, and were known.

    A pair whose files have the sizes and times that they had is not opened again. Raises InputError for a folder
    without pairs.
    """
    counts: Counter[str] = Counter()
    before = _known(folder / "index.parquet")
    found = counted(_pairs(folder, ()), "pairs indexed")
    with (
        whole(folder / "index.parquet") as full,
        whole(folder / "pages.parquet") as plain,
        PdfWorker() as worker,
    ):
        with (
            pq.ParquetWriter(full, INDEX, compression="zstd") as all_columns,
            pq.ParquetWriter(plain, COLUMNS, compression="zstd") as columns,
        ):
            known = next(before, None)
            while batch := list(islice(found, BATCH)):
                rows: list[Row] = []
                new: list[Found] = []
                for each in batch:
                    while known and known[0].parts < each.parts:
                        known = next(before, None)
                    if known and known[0] == each:
                        rows.append(known[1])
                    else:
                        new.append(each)
                counts["known"] += len(rows)
                rows = sorted(rows + _looked(folder, new, worker), key=lambda row: row["document"].split("/"))
                counts.update(row["verdict"] for row in rows)
                table = pa.Table.from_pylist(rows, INDEX)
                all_columns.write_table(table)
                columns.write_table(table.select(COLUMNS.names).replace_schema_metadata())
        if not counts["kept"] + counts["rejected"]:
            raise InputError(f"{folder}: no pair in it; expected X.pdf beside X.md at any depth")
    print(f"{counts['kept']} pairs kept, {counts['rejected']} rejected", file=sys.stderr)
    return counts


def _pairs(folder: Path, parts: tuple[str, ...]) -> Iterator[Found]:
    """The pairs below a folder in the order of their names; a text or a PDF by itself is one too."""
    here: dict[str, dict[str, os.stat_result | None]] = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            stem, ending = PurePath(entry.name).stem, PurePath(entry.name).suffix
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                here.setdefault(entry.name, {})["/"] = None
            elif ending in (".md", ".pdf"):
                here.setdefault(stem, {})[ending] = entry.stat()
    for name in sorted(here):
        md, pdf = here[name].get(".md"), here[name].get(".pdf")
        if md or pdf:
            yield Found((*parts, name), (*_stamp(md), *_stamp(pdf)))
        if "/" in here[name]:
            yield from _pairs(folder / name, (*parts, name))


def _stamp(stat: os.stat_result | None) -> tuple[int, int]:
    return (stat.st_size, stat.st_mtime_ns) if stat else (0, 0)


def _known(path: Path) -> Iterator[tuple[Found, Row]]:
    """The rows of an index that is there, in order; none of one that is damaged or of another revision."""
    try:
        with pq.ParquetFile(path) as file:
            if (file.schema_arrow.metadata or {}).get(b"revision") != str(REVISION).encode():
                return
            for batch in file.iter_batches(BATCH):
                for row in batch.to_pylist():
                    yield Found(tuple(row["document"].split("/")), tuple(row[name] for name in STAMPS)), row
    except (OSError, pa.ArrowInvalid, KeyError):  # made anew below
        return


def _looked(folder: Path, found: list[Found], worker: PdfWorker) -> list[Row]:
    """The rows of some pairs, opened."""
    sizes = list(worker.sizes([folder / f"{each.name}.pdf" for each in found])) if found else []
    return [_row(folder, each, size) for each, size in zip(found, sizes, strict=True)]


def _row(folder: Path, found: Found, sizes: list[PageSize] | PdfError) -> Row:
    name = found.name
    pdf, md = folder / f"{name}.pdf", folder / f"{name}.md"
    digest = ""
    reason = (
        ""
        if is_safe(name)
        else "name not usable: too long, or of characters that not every file system takes"
    )
    try:
        digest = sha256(pdf.read_bytes()).hexdigest()
        if isinstance(sizes, PdfError):
            reason = reason or f"document {sizes.reason}: {str(sizes).replace(str(pdf), pdf.name)}"
        elif len(sizes) != 1:
            reason = reason or f"not one page: the PDF has {len(sizes)}"
        elif min(sizes[0]) <= 0:
            reason = reason or "page damaged: it has no size"
        front_matter.decode(md.read_bytes().decode("utf-8"))
    except (FrontMatterError, UnicodeDecodeError) as error:
        reason = reason or f"truth not decoded: {error}"
    except OSError as error:
        reason = reason or f"file missing: {Path(error.filename).name}: {error.strerror}"
    page = Page(name, 1, pdf.name, digest)
    kept = not reason
    told = row_of(
        page,
        f"{name}.pdf" if kept else "",
        f"{name}.md" if kept else "",
        "kept" if kept else "rejected",
        reason,
    )
    return told | dict(zip(STAMPS, found.stamps, strict=True))
