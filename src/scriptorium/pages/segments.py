"""Where the segments of a page store lie: below a local folder, where they grow, or in a bucket, as whole objects."""

import contextlib
import io
import os
import threading
import uuid
from pathlib import Path
from typing import Any, BinaryIO

from scriptorium.errors import HostError, ScriptoriumError
from scriptorium.objects import Bucket, Folder
from scriptorium.pages.segment_index import Entries, from_bytes, scan

SEGMENTS, INDEX = "segments", "index"
ENDING = ".jsonl"
FSYNC_EVERY = 32
KEEP_FROM = 1 << 16
"""Bytes of a segment without an index that are worth making one: those being written are looked at again soon."""
BATCH_PAGES, BATCH_BYTES, BATCH_SECONDS = 256, 4 << 20, 20.0
"""A batch of records becomes an object of a bucket when it has one of these."""


class LocalSegments:
    """Segments in a folder. Each is appended to by one process: nothing needs a lock, NFS will do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.indexes = Folder(folder / INDEX)

    def names(self) -> list[str]:
        """The names of all segments, in order."""
        return sorted(name for name in Folder(self.folder).names(SEGMENTS) if name.endswith(ENDING))

    def path(self, name: str) -> Path:
        """The file of a segment."""
        return self.folder / SEGMENTS / name

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Some bytes of a segment."""
        return Folder(self.folder).read(f"{SEGMENTS}/{name}", offset, length)

    def entries(self, name: str) -> Entries:
        """What a segment has: by its index, and behind that by reading it."""
        with self.path(name).open("rb") as file:
            entries = self._known(name, file) or Entries()
            file.seek(entries.covered)
            if scan(entries, file, name) >= KEEP_FROM:
                with contextlib.suppress(
                    OSError, HostError
                ):  # the store may be read-only: an index is a help
                    self._on_disk(name)
                    self.indexes.put(index_name(name), entries.to_bytes())
        return entries

    def _known(self, name: str, file: BinaryIO) -> Entries | None:
        """The entries of the index file, if the segment has the last of them where it should be."""
        try:
            entries = from_bytes(self.indexes.read(index_name(name)))
        except OSError:
            return None
        if entries is None or entries.covered > os.fstat(file.fileno()).st_size:
            return None
        last = entries.last()
        if last is None:
            return entries
        file.seek(last.offset)
        line = file.read(last.length)
        same = line.startswith(b'{"key": "%b"' % last.key.hex().encode()) and line.endswith(b"\n")
        return entries if same else None

    def _on_disk(self, name: str) -> None:
        """Put a segment on the disk before its index: after a power cut no index may promise more."""
        with self.path(name).open("r+b") as file:
            os.fsync(file.fileno())

    def open(self, name: str) -> "LocalSegment":
        """A new segment for the writer `name`."""
        return LocalSegment(self, name)


class LocalSegment:
    """One new segment that is appended to. A record is with the system at once, on the disk after a batch."""

    def __init__(self, home: LocalSegments, writer: str) -> None:
        self.home = home
        (home.folder / SEGMENTS).mkdir(parents=True, exist_ok=True)
        self.path, self.file = _new(home, writer)
        self.entries = Entries()
        self.unsynced = 0

    def append(self, key: str, status: str, line: bytes, record: dict[str, Any]) -> None:
        """Add a line. Raises HostError if the disk will not take it; then nothing of it stays."""
        try:
            written = self.file.write(line)
        except OSError as error:
            raise HostError(f"{self.path}: {error}; run again when the disk is well") from error
        if written != len(line):
            self.file.truncate(self.entries.covered)  # the next line must not stand behind half of this one
            self.file.seek(self.entries.covered)
            raise HostError(f"{self.path}: the disk is full; make room and run again")
        self.entries.add(key, status, len(line), record)
        self.unsynced += 1
        if self.unsynced >= FSYNC_EVERY:
            self.sync()

    def sync(self) -> None:
        """Put everything on the disk."""
        os.fsync(self.file.fileno())
        self.unsynced = 0

    def close(self) -> None:
        """Put everything on the disk, and the index beside it; a segment without a record goes."""
        self.sync()
        self.file.close()
        if self.path.stat().st_size == 0:
            self.path.unlink()
            return
        with contextlib.suppress(HostError):  # on a full disk the next reader makes it
            self.home.indexes.put(index_name(self.path.name), self.entries.to_bytes())


class BucketSegments:
    """Segments as objects of a bucket: written whole, a batch of pages each, and never again."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket

    def names(self) -> list[str]:
        """The names of all segments, in order."""
        return sorted(name for name in self.bucket.names(SEGMENTS) if name.endswith(ENDING))

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Some bytes of a segment."""
        return self.bucket.read(f"{SEGMENTS}/{name}", offset, length)

    def entries(self, name: str) -> Entries:
        """What a segment has: by its index, else by reading it."""
        with contextlib.suppress(FileNotFoundError):
            entries = from_bytes(self.bucket.read(f"{INDEX}/{index_name(name)}"))
            if entries is not None:
                return entries
        entries = entries_of(self.bucket.read(f"{SEGMENTS}/{name}"), name)
        self.bucket.put(f"{INDEX}/{index_name(name)}", entries.to_bytes())
        return entries

    def open(self, name: str) -> "BucketSegment":
        """Segments for the writer `name`."""
        return BucketSegment(self.bucket, name)


class BucketSegment:
    """Gathers records and puts them into the bucket in batches; safe to use from several threads.

    A killed process loses the batch that it was gathering: those pages are read again.
    """

    def __init__(self, bucket: Bucket, writer: str, seconds: float = BATCH_SECONDS) -> None:
        self.bucket, self.writer, self.seconds = bucket, writer, seconds
        self.lines, self.entries = bytearray(), Entries()
        self.fault: ScriptoriumError | None = None
        self._turn = threading.Lock()
        self._closed = threading.Event()
        self._clock = threading.Thread(target=self._now_and_then, daemon=True)
        self._clock.start()

    def append(self, key: str, status: str, line: bytes, record: dict[str, Any]) -> None:
        """Add a line. Raises ServerError or ConfigError where the bucket does not take the batch."""
        with self._turn:
            if self.fault:
                raise self.fault
            self.lines += line
            self.entries.add(key, status, len(line), record)
            full = len(self.entries) >= BATCH_PAGES or len(self.lines) >= BATCH_BYTES
        if full:
            self.sync()

    def sync(self) -> None:
        """Put the batch into the bucket."""
        with self._turn:
            if not self.entries.covered:
                return
            name = f"{self.writer}-{uuid.uuid4().hex}{ENDING}"
            self.bucket.create(f"{SEGMENTS}/{name}", bytes(self.lines))
            self.bucket.put(f"{INDEX}/{index_name(name)}", self.entries.to_bytes())
            self.lines, self.entries = bytearray(), Entries()

    def _now_and_then(self) -> None:
        while not self._closed.wait(self.seconds):
            try:
                self.sync()
            except ScriptoriumError as error:
                self.fault = error
                return

    def close(self) -> None:
        """Put what is left into the bucket."""
        self._closed.set()
        self._clock.join()
        self.sync()


def entries_of(data: bytes, name: str) -> Entries:
    """What a whole segment has."""
    entries = Entries()
    scan(entries, io.BytesIO(data), name)
    return entries


def index_name(segment: str) -> str:
    """The name of a segment's index."""
    return segment.removesuffix(ENDING) + ".idx"


def _new(home: LocalSegments, writer: str) -> tuple[Path, BinaryIO]:
    """Create the writer's next segment, unbuffered; nobody else can get the same one."""
    number = 0
    while True:
        path = home.path(f"{writer}-{number:04d}{ENDING}")
        try:
            return path, path.open("xb", buffering=0)
        except FileExistsError:
            number += 1
