"""Where converted pages are kept: append-only segments, shared by any number of writers.

A segment, `segments/<writer>-<number>.jsonl`, has one JSON object a line, `key` and `status` first. Each
writer makes segments of its own and never touches another's, so nothing needs a lock. What a killed writer
leaves at a segment's end without a newline is no record. The same page may be there more than once: the
best status wins. The index is read from the segments, so it cannot disagree with them.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from scriptorium.errors import HostError, InputError
from scriptorium.files import sha256_json

STATUSES = (
    "ok",
    "ok_rotated",
    "blank",
    "salvaged",
    "fallback_text",
    "filtered",
    "duplicate",
    "unreadable",
    "gave_up",
)
"""Final statuses of a page, best first. A page without one is pending."""

FSYNC_EVERY = 32
HEAD = re.compile(rb'\{"key": "([0-9a-f]{64})", "status": "([a-z_]+)".*\}\n', re.DOTALL)


def content_key(document: str, page: int, settings: dict[str, Any]) -> str:
    """The key of a page's result: what it was read from, and everything that shapes the reading.

    `document` is the SHA-256 of the file's bytes, `page` counts from 1, and `settings` hold render settings,
    the weights' hash, the prompt's hash, sampling and attempt policy.
    """
    return sha256_json({"document": document, "page": page, **settings})


@dataclass(frozen=True)
class Place:
    """Where a record lies: its segment, and where its line starts and how long it is, in bytes."""

    segment: Path
    offset: int
    length: int
    status: str


class Store:
    """The page store in a folder."""

    def __init__(self, folder: Path):
        self.segments = folder / "segments"

    def find(self, wanted: Iterable[str]) -> dict[str, Place]:
        """The best record of each key in `wanted` that has one. Memory grows with `wanted` alone."""
        keys = {bytes.fromhex(key) for key in wanted}
        found: dict[str, Place] = {}
        for segment in sorted(self.segments.glob("*.jsonl")):
            for key, place in scan(segment):
                if bytes.fromhex(key) in keys and (key not in found or better(place, found[key])):
                    found[key] = place
        return found

    def read(self, place: Place) -> dict[str, Any]:
        """The record at `place`. Raises InputError if its bytes are damaged."""
        with place.segment.open("rb") as file:
            file.seek(place.offset)
            line = file.read(place.length)
        try:
            return json.loads(line)
        except ValueError as error:
            where = f"{place.segment}, byte {place.offset}"
            raise InputError(
                f"{where}: damaged record: {error}; remove the segment and convert again"
            ) from error

    def writer(self, name: str) -> "Writer":
        """A writer with a new segment of its own; a context manager."""
        return Writer(self.segments, name)


def scan(segment: Path) -> Iterator[tuple[str, Place]]:
    """The keys and places of a segment's whole records, in order."""
    offset = 0
    with segment.open("rb") as file:
        for line in file:
            if head := HEAD.fullmatch(line):
                yield head[1].decode(), Place(segment, offset, len(line), head[2].decode())
            offset += len(line)


def better(one: Place, other: Place) -> bool:
    """Whether the status of `one` is better than that of `other`."""
    return STATUSES.index(one.status) < STATUSES.index(other.status)


class Writer:
    """Appends records to one new segment. A record is with the system at once, on the disk after a batch."""

    def __init__(self, segments: Path, name: str):
        segments.mkdir(parents=True, exist_ok=True)
        self.path, self.file = new_segment(segments, name)
        self.unsynced = 0

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self.sync()
        self.file.close()
        if self.path.stat().st_size == 0:
            self.path.unlink()

    def append(self, key: str, status: str, record: dict[str, Any]) -> None:
        """Add one finished page. Raises HostError if the disk will not take it."""
        if status not in STATUSES:
            raise ValueError(f"{status!r} is not a final status")
        line = json.dumps({"key": key, "status": status, **record}, ensure_ascii=False).encode() + b"\n"
        try:
            written = self.file.write(line)
        except OSError as error:
            raise HostError(f"{self.path}: {error}; run again when the disk is well") from error
        if written != len(line):
            raise HostError(f"{self.path}: the disk is full; make room and run again")
        self.unsynced += 1
        if self.unsynced >= FSYNC_EVERY:
            self.sync()

    def sync(self) -> None:
        """Put everything on the disk."""
        os.fsync(self.file.fileno())
        self.unsynced = 0


def new_segment(segments: Path, name: str) -> tuple[Path, BinaryIO]:
    """Create the writer's next segment, unbuffered; nobody else can get the same one."""
    number = 0
    while True:
        path = segments / f"{name}-{number:04d}.jsonl"
        try:
            return path, path.open("xb", buffering=0)
        except FileExistsError:
            number += 1
