"""Sets of page images with transcripts, as pairs: a CSV, JSONL or Parquet file, and which column means what."""

import csv
import json
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scriptorium.errors import ConfigError, InputError
from scriptorium.files import whole
from scriptorium.mix.offers import Unusable, document_name, offer, with_front
from scriptorium.mix.pairs import Page, Pairs
from scriptorium.mix.store_pairs import check_new, counts
from scriptorium.pages import front_matter
from scriptorium.pages.document import DocumentWorker
from scriptorium.progress import counted

Row = dict[str, Any]

BATCH = 64
"""Rows of a Parquet file in memory: each may hold an image."""


class Fields(BaseModel):
    """Which column of a table means what.

    `image`: a path, from the table's folder or `images`, or in Parquet the image itself. `text`: the transcript,
    with front matter or without. `where`: columns and the value that each must have for a row to be taken.
    `default_language` stands where there is no column or value.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    image: str = "image"
    text: str = "text"
    page: str | None = Field(default=None, description="column with the page of a PDF or TIFF, from 1")
    language: str | None = None
    url: str | None = None
    group: str | None = Field(default=None, description="column whose equal values are not to be parted")
    where: dict[str, str] = {}
    default_language: str | None = None


PDF_OCR_RL = Fields(image="image", text="markdown", language="language", group="doc_id")
"""The columns of pdf-ocr-rl's set."""


def read_fields(path: Path) -> Fields:
    """The field map in a YAML file. Raises ConfigError."""
    try:
        return Fields.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (yaml.YAMLError, ValidationError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not a field map: {error}") from error


def transcript_pairs(
    tables: list[Path], out: Path, fields: Fields | None = None, images: Path | None = None
) -> dict[str, int]:
    """The rows of `tables` as pairs in the folder `out`; pages kept and rejected.

    Raises ConfigError if `out` is there, InputError for a table that cannot be read or lacks a column.
    """
    check_new(out)
    with whole(out) as part:
        return write_pairs(tables, part, fields or Fields(), images)


def write_pairs(tables: list[Path], out: Path, fields: Fields, images: Path | None = None) -> dict[str, int]:
    """As transcript_pairs, into a folder that nobody looks at yet."""
    with DocumentWorker() as worker, tempfile.TemporaryDirectory() as scratch:
        pairs = Pairs(out)
        names: set[str] = set()
        for table in tables:
            for number, row in counted(enumerate(rows(table, fields), 1), "transcripts read"):
                if all(str(row.get(key)) == value for key, value in fields.where.items()):
                    _row(pairs, worker, table, number, row, fields, images, Path(scratch), names)
        pairs.close()
    return counts(pairs)


def rows(table: Path, fields: Fields) -> Iterator[Row]:
    """The rows of a CSV, JSONL or Parquet file. Raises InputError for what cannot be read, or lacks a column."""
    try:
        for number, row in enumerate(_read(table)):
            if number == 0 and (missing := [key for key in (fields.image, fields.text) if key not in row]):
                raise InputError(
                    f"{table}: no column {missing[0]!r}; there are {', '.join(map(str, row))}; say which is which"
                )
            yield row
    except (OSError, ValueError, csv.Error, pa.ArrowInvalid) as error:
        raise InputError(f"{table}: cannot be read: {error}") from error


def _read(table: Path) -> Iterator[Row]:
    if table.suffix == ".parquet":
        with pq.ParquetFile(table) as file:
            for batch in file.iter_batches(BATCH):
                yield from batch.to_pylist()
        return
    csv.field_size_limit(1 << 26)  # a page may be longer than the module's 128 kB
    with table.open(encoding="utf-8-sig", newline="") as lines:
        if table.suffix == ".csv":
            yield from csv.DictReader(lines, strict=True)
        elif table.suffix == ".tsv":
            yield from csv.DictReader(lines, delimiter="\t", strict=True)
        else:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    row = json.loads(line)
                    if not isinstance(row, dict):
                        raise ValueError(f"line {number} is not a JSON object")
                    yield row


def _row(
    pairs: Pairs,
    worker: DocumentWorker,
    table: Path,
    number: int,
    row: Row,
    fields: Fields,
    images: Path | None,
    scratch: Path,
    names: set[str],
) -> None:
    """Keep or reject one row."""
    where = f"{table.name}:{number}"
    group = str(row.get(fields.group) or "") if fields.group else ""
    try:
        source, path, digest = _image(row[fields.image], images or table.parent, scratch, where)
        page = int(row[fields.page]) if fields.page and row.get(fields.page) else 1
    except (Unusable, ValueError, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        return pairs.reject(Page(f"{table.stem}-{number}", 0, where, group=group), f"image missing: {why}")
    place = Page(document_name(source, digest), page, source, digest, group)
    if place.id in names:
        return pairs.reject(
            Page(f"{table.stem}-{number}", 0, where, digest, group), f"page twice: {place.id}"
        )
    names.add(place.id)
    offer(pairs, place, path, page, worker, lambda: _truth(row, fields))
    return None


def _image(value: Any, folder: Path, scratch: Path, where: str) -> tuple[str, Path, str]:
    """Name, file and SHA-256 of a row's image. Raises Unusable."""
    data = value.get("bytes") if isinstance(value, dict) else value
    if isinstance(value, dict) and data is None:
        value = value.get("path")
    if isinstance(data, bytes):
        digest = sha256(data).hexdigest()
        for old in scratch.iterdir():
            old.unlink()
        path = scratch / digest  # a name of its own: the worker keeps a document open by its path
        path.write_bytes(data)
        return where, path, digest
    if not isinstance(value, str) or not value:
        raise Unusable(f"{value!r} is no path")
    if "://" in value:
        raise Unusable(f"{value} is a URL; fetch the images first")
    path = (folder / value).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise Unusable(f"{value} leaves {folder.name or 'the folder'}")
    return value, path, sha256(path.read_bytes()).hexdigest()


def _truth(row: Row, fields: Fields) -> str:
    """The truth of a row. Raises Unusable or FrontMatterError."""
    text = row.get(fields.text)
    if text is not None and not isinstance(text, str):
        raise Unusable(f"text missing: {type(text).__name__} in column {fields.text!r}")
    text = (text or "").removeprefix("\ufeff").replace("\r\n", "\n")
    if text.startswith("---\nprimary_language:"):
        front, body = front_matter.decode(text)
        return front_matter.encode(front, body)
    told = row.get(fields.language) if fields.language else None
    return with_front(text, str(told) if told else fields.default_language)
