"""The index of a segment: which pages it has and where, so that finding them need not read their texts.

A file of the store's folder `index/`, one a segment: a head with how many of the segment's bytes it covers,
then 61 bytes a record. The segments stay the truth: an index that is missing is made again, one that covers less
than the segment is completed, one that does not fit is thrown away.
"""

import json
import struct
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

MAGIC = b"scriptorium segment index 1\n"
HEAD = struct.Struct("<Q")
ENTRY = struct.Struct("<32sBQIIId")
DTYPE = [
    ("key", "V32"),
    ("rank", "u1"),
    ("offset", "<u8"),
    ("length", "<u4"),
    ("prompt_tokens", "<u4"),
    ("tokens", "<u4"),
    ("seconds", "<f8"),
]
"""The same entry for numpy."""
MOST = 2**32 - 1
START = b'{"key": "'
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
RANKS = {status: rank for rank, status in enumerate(STATUSES)}


class Entry(NamedTuple):
    """A record: its key, the rank of its status, where its line starts and how long it is, what it took."""

    key: bytes
    rank: int
    offset: int
    length: int
    prompt_tokens: int
    tokens: int
    seconds: float


class Entries:
    """The entries of one segment, packed; `covered` bytes of it are known."""

    def __init__(self, packed: bytes = b"", covered: int = 0) -> None:
        self.packed, self.covered = bytearray(packed), covered

    def __len__(self) -> int:
        return len(self.packed) // ENTRY.size

    def __iter__(self) -> Iterator[Entry]:
        return map(Entry._make, ENTRY.iter_unpack(self.packed))

    def last(self) -> Entry | None:
        """The entry of the last record; None if there is none."""
        return (
            Entry._make(ENTRY.unpack_from(self.packed, len(self.packed) - ENTRY.size))
            if self.packed
            else None
        )

    def add(self, key: str, status: str, length: int, record: dict[str, Any]) -> None:
        """Add the record whose line of `length` bytes follows what is covered."""
        self.packed += ENTRY.pack(
            bytes.fromhex(key),
            RANKS[status],
            self.covered,
            min(length, MOST),
            min(record.get("prompt_tokens", 0), MOST),
            min(record.get("tokens", 0), MOST),
            record.get("seconds", 0.0),
        )
        self.covered += length

    def to_bytes(self) -> bytes:
        """The index file."""
        return MAGIC + HEAD.pack(self.covered) + bytes(self.packed)


def from_bytes(data: bytes) -> Entries | None:
    """The entries of an index file; None if it is none, or torn."""
    start = len(MAGIC) + HEAD.size
    if not data.startswith(MAGIC) or len(data) < start or (len(data) - start) % ENTRY.size:
        return None
    return Entries(data[start:], HEAD.unpack_from(data, len(MAGIC))[0])


def scan(entries: Entries, segment: BinaryIO, name: str) -> int:
    """Add the whole records of `segment`, which stands where `entries` end; how many bytes were read.

    A line that is no record is passed over, its page is to be read again: zeros that a power cut leaves, or a
    damaged line, which is said on stderr.
    """
    read = 0
    for line in segment:
        read += len(line)
        if not line.endswith(b"\n"):
            break
        if record := parsed(line):
            entries.add(record["key"], record["status"], len(line), record)
            continue
        if line.startswith(START):
            where = f"{name}, byte {entries.covered}"
            print(f"{where}: damaged record, passed over: its page counts as not read", file=sys.stderr)
        entries.covered += len(line)
    return read


def parsed(line: bytes) -> dict[str, Any] | None:
    """The record of a segment's line; None if it is none."""
    try:
        record = json.loads(line) if line.startswith(START) else None
        sound = record and record["status"] in RANKS and len(bytes.fromhex(record["key"])) == 32
    except (ValueError, LookupError, TypeError):
        return None
    return record if sound else None
