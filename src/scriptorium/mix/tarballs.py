"""Data sets laid out as olmOCR-mix-1025: labels in `{subset}_{split}.parquet`, pages in `pdf_tarballs/`.

A row's `pdf_relpath` is `pdf_tarballs/<tarball>.tar.gz:<member>`. Tarballs are read as streams and nothing
is extracted under a member's own name, so no member can be written outside its folder.
"""

import gzip
import hashlib
import json
import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scriptorium.errors import InputError
from scriptorium.mix.pairs import Page, Pairs, is_safe
from scriptorium.pages import front_matter
from scriptorium.pages.front_matter import FrontMatter, FrontMatterError
from scriptorium.pages.pdf import PdfError, PdfWorker
from scriptorium.progress import track

FIELDS = ("primary_language", "is_rotation_valid", "rotation_correction", "is_table", "is_diagram")
COLUMNS = ["id", "pdf_relpath", *FIELDS, "natural_text", "extras"]
MARK = ".tar.gz:"
"""Where a `pdf_relpath` is split, at its first place: a member's name may hold colons of its own."""

MOST_BYTES = 1 << 29
"""The largest PDF of one page that is taken in."""

CLOCKWISE = {90: 270, 270: 90}
"""The labels count degrees clockwise (the labelling prompt says so), front matter counter-clockwise."""

TRUE, FALSE = ("true", "1", "yes", "y"), ("false", "0", "no", "n")

Row = dict[str, Any]


class Labels:
    """The rows of some label tables, to be taken by tarball and member."""

    def __init__(self, tables: list[Path], split: str, pairs: Pairs) -> None:
        self.rows: dict[str, dict[str, tuple[str, pa.Table, int]]] = {}
        seen: set[str] = set()
        for path in tables:
            table = read_labels(path)
            subset = path.stem.removesuffix(split).rstrip("_")
            places = zip(table["id"].to_pylist(), table["pdf_relpath"].to_pylist(), strict=True)
            for number, (name, place) in enumerate(places):
                document = f"{subset}/{name}" if subset else str(name)
                reason = self._add(document, place, table, number, seen)
                if reason:
                    pairs.reject(Page(document, 0, f"{path.name}:{place}"), reason)

    def _add(self, document: str, place: Any, table: pa.Table, number: int, seen: set[str]) -> str | None:
        """Note a row; or why it cannot be used."""
        if not is_safe(document):
            return "id not usable: as a path it leaves the folder, or is too long"
        if document in seen:
            return "id twice: an earlier row has it"
        seen.add(document)
        if not isinstance(place, str) or MARK not in place:
            return f"pdf_relpath not usable: expected <tarball>{MARK}<member>"
        archive, member = place.split(MARK, 1)
        tarball = f"{archive}.tar.gz"
        if not is_safe(tarball) or not is_safe(member):
            return "pdf_relpath not usable: it leaves the folder"
        members = self.rows.setdefault(tarball, {})
        if member in members:
            return "pdf_relpath twice: an earlier row has it"
        members[member] = (document, table, number)
        return None


def unpack(fetched: Path, tables: list[Path], split: str, pairs: Pairs, worker: PdfWorker) -> None:
    """Keep or reject every page of a split. Raises InputError for a split or columns that are not there."""
    chosen = [path for path in tables if path.stem == split or path.stem.endswith(f"_{split}")]
    if not chosen:
        names = ", ".join(path.stem for path in tables)
        raise InputError(f"{fetched}: no table of split {split!r}; there are {names}")
    labels = Labels(chosen, split, pairs)
    for tarball, rows in track(sorted(labels.rows.items()), len(labels.rows), "tarballs unpacked"):
        _unpack_tarball(fetched, tarball, rows, pairs, worker)


def read_labels(path: Path) -> pa.Table:
    """A table of labels with its columns, `extras` filled in if there is none. Raises InputError."""
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{path}: cannot be read ({error}); fetch the data set anew") from error
    if "extras" not in table.column_names:
        table = table.append_column("extras", pa.nulls(len(table), pa.string()))
    if missing := [name for name in COLUMNS if name not in table.column_names]:
        raise InputError(f"{path}: no column {missing[0]!r}; it is not laid out as olmOCR-mix-1025")
    return table.select(COLUMNS)


def _unpack_tarball(
    fetched: Path, tarball: str, rows: dict[str, tuple[str, pa.Table, int]], pairs: Pairs, worker: PdfWorker
) -> None:
    """Read a tarball once, front to back; rows whose member does not come are rejected."""
    left, why = dict(rows), "member missing: the tarball has no such file"
    try:
        for name, data, problem in members(fetched / tarball):
            source = f"{tarball}:{name}"
            if name not in left:
                pairs.reject(Page(name, 0, source), problem or _unwanted(name, rows))
                continue
            document, table, number = left.pop(name)
            page = Page(document, 1, source, hashlib.sha256(data).hexdigest())
            if problem:
                pairs.reject(page, problem)
            else:
                _take(page, data, table.slice(number, 1), pairs, worker)
    except TarballError as error:
        why = str(error)
        if not left:  # its pages are taken, but its checksum is wrong: one of them may be another
            pairs.reject(Page(Path(tarball).name, 0, tarball), why)
    for name, (document, _, _) in left.items():
        pairs.reject(Page(document, 0, f"{tarball}:{name}"), why)


def _unwanted(name: str, rows: dict[str, Any]) -> str:
    """Why a member that nobody waits for is left out."""
    if not is_safe(name):
        return "member not usable: it leaves the folder"
    return "member twice: an earlier one was taken" if name in rows else "label missing: no row is about it"


class TarballError(InputError):
    """A tarball that cannot be read, or not to its end."""


def members(path: Path) -> Iterator[tuple[str, bytes, str]]:
    """Name, bytes and problem ("" if none) of a tarball's members, folders left out.

    Raises TarballError where it cannot be read on.
    """
    try:
        with gzip.open(path) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                if not member.isdir():
                    yield member.name.removeprefix("./"), *_content(archive, member)
            while stream.read(1 << 20):  # the checksum stands behind the last member
                pass
    except FileNotFoundError as error:
        raise TarballError("tarball missing: it was not fetched") from error
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise TarballError(f"tarball damaged: {error}") from error


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> tuple[bytes, str]:
    """Bytes and problem of one member."""
    if member.size > MOST_BYTES:
        return b"", f"member not usable: {member.size} bytes, more than {MOST_BYTES}"
    file = archive.extractfile(member) if member.isreg() else None
    if file is None:
        return b"", "member not usable: not a plain file"
    return file.read(), ""


def _take(page: Page, pdf: bytes, label: pa.Table, pairs: Pairs, worker: PdfWorker) -> None:
    """Keep or reject the page of one label (a table of one row)."""
    try:
        text = truth(label.to_pylist()[0])
        text.encode()
        sizes = pairs.sizes(page, pdf, worker)
    except (FrontMatterError, UnicodeError) as error:
        return pairs.reject(page, f"truth not decoded: {error}")
    except PdfError as error:
        return pairs.reject(page, f"document {error.reason}: {error}")
    if len(sizes) != 1:
        return pairs.reject(page, f"not one page: the PDF has {len(sizes)}")
    if min(sizes[0]) <= 0:
        return pairs.reject(page, "page damaged: it has no size")
    return pairs.keep(page, pdf, text, [])


def truth(row: Row) -> str:
    """The truth that a row stands for, front matter and text. Raises FrontMatterError.

    Null text, or blank, is a blank page; null labels take their defaults; `extras` (JSON) goes over both.
    """
    row = row | _extras(row["extras"])
    text = row["natural_text"]
    if text is not None and not isinstance(text, str):
        raise FrontMatterError(f"natural_text {text!r}; expected a text or null")
    front = FrontMatter(
        _language(row["primary_language"]),
        _flag(row, "is_rotation_valid", True),
        _rotation(row["rotation_correction"]),
        _flag(row, "is_table", False),
        _flag(row, "is_diagram", False),
    )
    return front_matter.encode(front, text.strip() if text and text.strip() else None)


def _extras(value: Any) -> Row:
    try:
        extras = json.loads(value) if value else {}
    except (ValueError, TypeError) as error:
        raise FrontMatterError(f"extras {value!r} is not JSON") from error
    if not isinstance(extras, dict):
        raise FrontMatterError(f"extras {value!r} is not a JSON object")
    return extras


def _language(value: Any) -> str | None:
    if value is None or value == "":
        return None
    match = re.match(r"[a-z]{2}(?![a-z])", str(value).lower())
    if not match:
        raise FrontMatterError(f"primary_language {value!r}; expected two letters")
    return match[0]


def _flag(row: Row, key: str, default: bool) -> bool:
    value = row[key]
    if value is None:
        return default
    if (word := str(value).lower()) not in TRUE + FALSE:
        raise FrontMatterError(f"{key} {value!r}; expected true or false")
    return word in TRUE


def _rotation(value: Any) -> int:
    if value is None:
        return 0
    if str(value) not in map(str, front_matter.ROTATIONS):
        raise FrontMatterError(f"rotation_correction {value!r}; expected one of {front_matter.ROTATIONS}")
    return CLOCKWISE.get(int(value), int(value))
