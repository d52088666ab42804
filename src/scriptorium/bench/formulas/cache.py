"""Rendered formulas kept between runs, errors among them, in one SQLite file that processes may share.

The file is `formulas.sqlite` in `$SCRIPTORIUM_CACHE`, else in `~/.cache/scriptorium`. A file that is corrupt or
of an older make is replaced; where none can be written, nothing is kept.
"""

import hashlib
import logging
import os
import sqlite3
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

LOGGER = logging.getLogger(__name__)
SCHEMA = 1
_SIDES = ("", "-wal", "-shm")
_CHUNK = 500


def folder() -> Path:
    """Where caches lie."""
    given = os.environ.get("SCRIPTORIUM_CACHE")
    return Path(given) if given else Path.home() / ".cache" / "scriptorium"


class Cache:
    """Texts by text, under keys that hold the versions of what made them. One connection, one process."""

    def __init__(self, path: Path, versions: str) -> None:
        self.path = path
        self.versions = versions.encode()
        self.connection = self._open()

    def _open(self) -> sqlite3.Connection | None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                return self._connect()
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                LOGGER.warning("%s is replaced: %s", self.path, error)
                for side in _SIDES:
                    Path(f"{self.path}{side}").unlink(missing_ok=True)
                return self._connect()
        except (OSError, sqlite3.Error) as error:
            LOGGER.warning("%s cannot be used, formulas are kept in memory only: %s", self.path, error)
            return None

    def _connect(self) -> sqlite3.Connection:
        """Raises sqlite3.DatabaseError for a file that is no cache of this make."""
        connection = sqlite3.connect(self.path, timeout=10, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = OFF")  # a cache that is lost is made again
            make = connection.execute("PRAGMA user_version").fetchone()[0]
            if make not in (0, SCHEMA):
                raise sqlite3.DatabaseError(f"it is of make {make}, not {SCHEMA}")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS formulas (key BLOB PRIMARY KEY, value BLOB NOT NULL)"
            )
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
            connection.execute("SELECT key, value FROM formulas LIMIT 1").fetchall()
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _key(self, text: str) -> bytes:
        return hashlib.blake2b(
            text.encode("utf-8", "surrogatepass"), digest_size=16, key=self.versions
        ).digest()

    def get(self, texts: Iterable[str]) -> dict[str, bytes]:
        """The values that are kept for `texts`."""
        if self.connection is None:
            return {}
        keys = {self._key(text): text for text in texts}
        order = list(keys)
        found: dict[str, bytes] = {}
        try:
            for at in range(0, len(order), _CHUNK):
                chunk = order[at : at + _CHUNK]
                marks = ",".join("?" * len(chunk))
                rows = self.connection.execute(
                    f"SELECT key, value FROM formulas WHERE key IN ({marks})", chunk
                )
                found.update((keys[key], zlib.decompress(value)) for key, value in rows)
        except (sqlite3.Error, zlib.error) as error:
            self._give_up(error)
        return found

    def put(self, values: Mapping[str, bytes]) -> None:
        """Keep `values`, all of them or none."""
        if self.connection is None:
            return
        rows = [(self._key(text), zlib.compress(value, 1)) for text, value in values.items()]
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            self.connection.executemany("INSERT OR REPLACE INTO formulas VALUES (?, ?)", rows)
            self.connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        """A cache that fails while in use is left alone: the results stand without it."""
        LOGGER.warning("%s is no longer used, formulas are kept in memory only: %s", self.path, error)
        self.close()

    def close(self) -> None:
        """Close the file."""
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.close()
