"""Files fetched or unpacked on this machine, named by the hash of their bytes, within a limit of size."""

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from scriptorium.files import sha256_json
from scriptorium.locks import lock

LIMIT = 20 << 30
"""Bytes, unless the caller says otherwise."""
SPOOL_SECONDS = 24 * 3600.0
"""Age at which an unfinished file has nobody any more who writes it."""
KEPT = 0.8
"""The share of the limit that is left after those used longest ago have gone."""


class Cache:
    """A folder shared by processes: a file appears whole or not at all, and may go when it is not in use."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self.folder, self.limit = folder, limit
        self.spool = folder / "spool"
        self.files = folder / "files"
        self._size: int | None = None
        self._turn = threading.RLock()
        self._sweep()

    def _sweep(self) -> None:
        """Remove what killed processes left in the spool long ago."""
        for path in self.spool.glob("*"):
            with contextlib.suppress(FileNotFoundError):  # another process was first
                if time.time() - path.stat().st_mtime > SPOOL_SECONDS:
                    path.unlink()

    def path(self, document: str) -> Path:
        """Where the file with this SHA-256 lies, if it is there."""
        return self.files / document[:2] / document

    def has(self, document: str) -> bool:
        """Whether the file is there; it counts as used now."""
        try:
            os.utime(self.path(document))
        except FileNotFoundError:
            return False
        return True

    @staticmethod
    def archive(source: str) -> str:
        """The name that an archive fetched from `source` has among the files."""
        return sha256_json(["archive", source])

    def room(self) -> int:
        """Bytes that fit without anything going."""
        with self._turn:
            return self.limit - self._used()

    def add(self, found: Path, document: str) -> Path:
        """Move a file of the spool, whose SHA-256 is `document`, to its place; others go if it is full."""
        place = self.path(document)
        place.parent.mkdir(parents=True, exist_ok=True)
        with self._turn:
            used, size = self._used(), 0 if place.exists() else found.stat().st_size
            found.replace(place)
            self._size = used + size
            if self._size > self.limit:
                self._trim(keep=place)
        return place

    def _used(self) -> int:
        if self._size is None:
            self._size = sum(size for _, size, _ in self._listed())
        return self._size

    def _listed(self) -> list[tuple[float, int, Path]]:
        """When used, size and path of every file."""
        found = []
        for path in self.files.glob("*/*"):
            with contextlib.suppress(FileNotFoundError):  # another process took it away
                status = path.stat()
                found.append((status.st_mtime, status.st_size, path))
        return sorted(found)

    def _trim(self, keep: Path) -> None:
        listed = self._listed()
        left = sum(size for _, size, _ in listed)
        for _, size, path in listed:
            if left <= self.limit * KEPT:
                break
            if path != keep:
                path.unlink(missing_ok=True)
                left -= size
        self._size = left

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold the lock `name` against the other processes of this machine: nobody fetches what another does.

        Only saves work: without it all is right as well.
        """
        folder = self.folder / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / name[:32]).open("w") as file:
            lock(file)
            yield

    def clear(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._size = None
