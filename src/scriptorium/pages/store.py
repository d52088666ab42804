"""Where converted pages are kept: append-only segments, shared by any number of writers.

A segment, `segments/<writer>-<number>.jsonl`, has one JSON object a line, `key` and `status` first. Each
writer makes segments of its own and never touches another's, so nothing needs a lock. What a killed writer
leaves at a segment's end without a newline is no record. The same page may be there more than once: the
best status wins. `index/` says what each segment has; it is made from the segments and can go at any time.
In a bucket a segment is an object: a batch of records, written whole.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from scriptorium.errors import InputError
from scriptorium.files import sha256_json
from scriptorium.objects import Bucket
from scriptorium.pages.segment_index import STATUSES, Entry
from scriptorium.pages.segments import BucketSegment, BucketSegments, LocalSegment, LocalSegments

__all__ = ["STATUSES", "Place", "Store", "Writer", "content_key", "content_keys", "writer_name"]

SHARD = re.compile(r"(\d{5,})-of-(\d{5,})-")
"""How the segments of one shard's writers begin: `writer_name`."""


def content_key(document: str, page: int, settings: dict[str, Any]) -> str:
    """The key of a page's result: what it was read from, and everything that shapes the reading.

    `document` is the SHA-256 of the file's bytes, `page` counts from 1, and `settings` hold render settings,
    the weights' hash, the prompt's hash, sampling and attempt policy.
    """
    return sha256_json({"document": document, "page": page, **settings})


def content_keys(settings: dict[str, Any]) -> Callable[[str, int], str]:
    """`content_key` for many pages of one setting: the JSON of the settings is made once."""
    places = ("\x01document", "\x01page")
    text = json.dumps(
        {**settings, "document": places[0], "page": places[1]}, sort_keys=True, ensure_ascii=False
    )
    head, _, rest = text.partition(json.dumps(places[0]))
    middle, _, tail = rest.partition(json.dumps(places[1]))

    def key(document: str, page: int) -> str:
        name = json.dumps(document, ensure_ascii=False)
        return sha256(f"{head}{name}{middle}{page}{tail}".encode()).hexdigest()

    return key


def writer_name(shard: int, shards: int) -> str:
    """The name of a writer that stores pages of one shard of so many and of no other."""
    return f"{shard:05d}-of-{shards:05d}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record lies: its segment, and where its line starts and how long it is, in bytes.

    `times`: how many records the page has; tokens and seconds are those of this one.
    """

    segment: str
    offset: int
    length: int
    status: str
    prompt_tokens: int = field(default=0, compare=False)
    tokens: int = field(default=0, compare=False)
    seconds: float = field(default=0.0, compare=False)
    times: int = field(default=1, compare=False)


class Store:
    """The page store in a folder, or in a bucket."""

    def __init__(self, where: Path | Bucket):
        self.segments: LocalSegments | BucketSegments = (
            BucketSegments(where) if isinstance(where, Bucket) else LocalSegments(where)
        )

    def find(self, wanted: Iterable[str], writer: str = "") -> dict[str, Place]:
        """The best record of each key in `wanted` that has one. Memory grows with `wanted` alone.

        `writer`: that of the shard whose pages these are (`writer_name`): segments of the other shards of
        the same division are passed over.
        """
        keys = {bytes.fromhex(key): key for key in wanted}
        found: dict[bytes, tuple[Entry, str, int]] = {}
        for segment in self.segments.names():
            if keys and may_hold(segment, writer):
                for entry in self.segments.entries(segment):
                    if entry.key in keys:
                        best, where, times = found.get(entry.key, (entry, segment, 0))
                        if entry.rank < best.rank:
                            best, where = entry, segment
                        found[entry.key] = (best, where, times + 1)
        return {keys[key]: _place(*each) for key, each in found.items()}

    def scan(self, segment: str) -> Iterator[tuple[str, Place]]:
        """The keys and places of a segment's whole records, in order."""
        for entry in self.segments.entries(segment):
            yield entry.key.hex(), _place(entry, segment, 1)

    def read(self, place: Place) -> dict[str, Any]:
        """The record at `place`. Raises InputError if its bytes are damaged."""
        line = self.segments.read(place.segment, place.offset, place.length)
        try:
            return json.loads(line)
        except ValueError as error:
            where = f"{place.segment}, byte {place.offset}"
            raise InputError(
                f"{where}: damaged record: {error}; remove the store's folder index and convert again"
            ) from error

    def writer(self, name: str) -> "Writer":
        """A writer with a new segment of its own; a context manager."""
        return Writer(self.segments.open(name))


def may_hold(segment: str, writer: str) -> bool:
    """Whether a segment may have pages of the shard of `writer`."""
    other = SHARD.match(segment)
    mine = SHARD.match(f"{writer}-")
    return not (other and mine and other[2] == mine[2] and other[1] != mine[1])


def _place(entry: Entry, segment: str, times: int) -> Place:
    return Place(
        segment,
        entry.offset,
        entry.length,
        STATUSES[entry.rank],
        entry.prompt_tokens,
        entry.tokens,
        entry.seconds,
        times,
    )


class Writer:
    """Adds records. On a disk a record is with the system at once; in a bucket after a batch."""

    def __init__(self, segment: LocalSegment | BucketSegment):
        self.segment = segment

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self.segment.close()

    def append(self, key: str, status: str, record: dict[str, Any]) -> None:
        """Add one finished page. Raises HostError if the disk will not take it, ServerError if the bucket."""
        if status not in STATUSES:
            raise ValueError(f"{status!r} is not a final status")
        line = json.dumps({"key": key, "status": status, **record}, ensure_ascii=False).encode() + b"\n"
        self.segment.append(key, status, line, record)
