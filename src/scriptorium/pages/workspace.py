"""Workspaces of olmOCR pipelines, and Dolma folders of ours: what was asked for, what is done, what came out."""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import zstandard

from scriptorium.errors import InputError

ENDINGS = ("*.jsonl", "*.jsonl.gz", "*.jsonl.zst")
INDEX = "work_index_list.csv.zstd"
NO_TEXT = ("gave_up", "unreadable", "pending")
"""What our own page_status calls a page without a text."""
FRONT = ("primary_language", "is_rotation_valid", "rotation_correction", "is_table", "is_diagram")


class Page(NamedTuple):
    """A page of a result: its number from 1, its text (None: it failed), front matter and status where told."""

    number: int
    text: str | None
    front: dict[str, Any] | None
    status: str | None = None


class Group(NamedTuple):
    """A group of sources that a pipeline takes as one piece of work, and whether it has finished it."""

    name: str
    sources: list[str]
    done: bool


class Result(NamedTuple):
    """A document that came out: where it is told (file and line), the source, its pages, its metadata."""

    where: tuple[Path, int]
    source: str
    pages: list[Page]
    metadata: dict[str, Any]


def result_files(workspace: Path) -> list[Path]:
    """The files of JSON lines in a workspace, sorted. Raises InputError if there are none."""
    for folder in (workspace / "results", workspace / "dolma", workspace):
        if found := sorted(path for ending in ENDINGS for path in folder.glob(ending)):
            return found
    raise InputError(f"{workspace}: no results/*.jsonl in it; name the folder that the pipeline worked in")


def results(workspace: Path) -> Iterator[Result]:
    """Every result of a workspace in the order of its files, one in memory at a time. Raises InputError.

    A pipeline that was started again adds to its files: of two results for one source the later one counts.
    """
    for path in result_files(workspace):
        for number, record in _records(path):
            try:
                source, metadata = str(record["metadata"]["Source-File"]), record["metadata"]
                yield Result((path, number), source, list(_pages(record)), metadata)
            except (KeyError, TypeError, ValueError) as error:
                raise InputError(
                    f"{path}:{number}: not a document of a pipeline (text, metadata.Source-File): {error!r}"
                ) from error


def groups(workspace: Path) -> list[Group]:
    """The groups of a workspace's index; none where there is no index. Raises InputError for a damaged one."""
    path = workspace / INDEX
    if not path.is_file():
        return []
    try:
        with path.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as file:
            rows = list(csv.reader(io.TextIOWrapper(file, "utf-8", newline="")))
    except (zstandard.ZstdError, csv.Error, ValueError) as error:
        raise InputError(f"{path}: not a CSV file in UTF-8 under zstd: {error}") from error
    flags = workspace / "done_flags"
    return [Group(row[0], row[1:], (flags / f"done_{row[0]}.flag").exists()) for row in rows if row]


def _opened(path: Path) -> AbstractContextManager[BinaryIO]:
    if path.suffix == ".gz":
        return cast(AbstractContextManager[BinaryIO], gzip.open(path, "rb"))
    if path.suffix == ".zst":
        return cast(AbstractContextManager[BinaryIO], zstandard.open(path, "rb"))
    return path.open("rb")


def _records(path: Path) -> Iterator[tuple[int, Any]]:
    try:
        with _opened(path) as raw:
            for number, line in enumerate(io.BufferedReader(cast(Any, raw)), 1):
                if line.strip():
                    yield number, json.loads(line.decode("utf-8"))
    except (OSError, EOFError, ValueError, zstandard.ZstdError) as error:
        raise InputError(f"{path}: not JSON lines in UTF-8: {error}") from error


def _pages(record: dict[str, Any]) -> Iterator[Page]:
    """The pages of a document; one that says nothing of pages is page 1."""
    text = record["text"]
    if not isinstance(text, str):
        raise TypeError(f"text is {type(text).__name__}")
    attributes = record.get("attributes") or {}
    spans = attributes.get("pdf_page_numbers") or [[0, len(text), 1]]
    states = attributes.get("page_status") or [None] * len(spans)
    told = all(len(attributes.get(key) or ()) == len(spans) for key in FRONT)
    for at, ((start, end, page), state) in enumerate(zip(spans, states, strict=True)):
        front = {key: attributes[key][at] for key in FRONT} if told else None
        own = text[start:end] if at == len(spans) - 1 else text[start:end].removesuffix("\n")
        yield Page(int(page), None if state in NO_TEXT else own, front, state)
