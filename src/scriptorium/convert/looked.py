"""What files turned out to be, kept on the disk: a plan that is made again looks at new files only.

The file is SQLite's, since ten million entries fit no memory. It may be removed at any time.
"""

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any

REVISION = 1
"""Raised when the same file is looked at with another result."""

SETTLED_NS = 2_000_000_000
"""A file that was changed less than this before it was looked at may change again without its times showing it."""

COMMIT_EVERY = 1000
"""Entries that a killed plan loses at most."""

CACHE_KIB = 64 << 10
"""Memory for each of the two tables; what is beyond lies on the disk."""

Stamp = tuple[int, int, int]
"""Size in bytes, and the times of the last change of content and of anything, in nanoseconds."""

Entry = list[dict[str, Any]]
"""What was found: for a file one row, for an archive one a member."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS made_by (name TEXT);
CREATE TABLE IF NOT EXISTS files (
    source BLOB PRIMARY KEY, size INTEGER, changed INTEGER, touched INTEGER, entry TEXT
) WITHOUT ROWID;
"""


def stamp_of(status: os.stat_result) -> Stamp:
    """The stamp of a file."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


class Looked:
    """Entries by source and stamp; a context manager. Without a path, or where none can be kept, it is empty."""

    def __init__(self, path: Path | None) -> None:
        self._path, self._new = path, 0
        self._db: sqlite3.Connection | None = None

    def __enter__(self) -> "Looked":
        return self

    def __exit__(self, *_: object) -> None:
        if self._db:
            with contextlib.suppress(sqlite3.Error):  # the disk is full: what is lost is looked at again
                self._db.commit()
            self._db.close()

    def get(self, source: str, stamp: Stamp) -> Entry | None:
        """What the file was found to be, if it has not changed since."""
        if self._path:  # it is opened with the first file: a corpus without one leaves nothing behind
            self._db, self._path = _opened(self._path), None
        if not self._db:
            return None
        row = self._db.execute(
            "SELECT entry FROM files WHERE source = ? AND size = ? AND changed = ? AND touched = ?",
            (_key(source), *stamp),
        ).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, source: str, stamp: Stamp, entry: Entry) -> None:
        """Keep what a file that had `stamp` before it was looked at was found to be."""
        if not self._db or time.time_ns() - max(stamp[1:]) < SETTLED_NS:
            return
        with contextlib.suppress(sqlite3.OperationalError):  # the disk is full: it is looked at again
            row = (_key(source), *stamp, json.dumps(entry, ensure_ascii=False))
            self._db.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", row)
            self._new += 1
            if self._new % COMMIT_EVERY == 0:
                self._db.commit()


class Twins:
    """The first document of each kind of bytes: 64 MiB in memory, the rest in a temporary file."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", check_same_thread=False)
        self._db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("CREATE TABLE first (bytes BLOB PRIMARY KEY, name TEXT) WITHOUT ROWID")

    def first(self, document: str, name: str) -> str | None:
        """The name that `document` came with before; None, and `name` is kept, if it is new."""
        key = _key(document)
        if self._db.execute("INSERT OR IGNORE INTO first VALUES (?, ?)", (key, name)).rowcount:
            return None
        return str(self._db.execute("SELECT name FROM first WHERE bytes = ?", (key,)).fetchone()[0])

    def close(self) -> None:
        """Give memory and file back."""
        self._db.close()


@contextlib.contextmanager
def twins() -> Iterator[Twins]:
    """Twins for as long as the block lasts."""
    with contextlib.closing(Twins()) as found:
        yield found


def _key(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _opened(path: Path) -> sqlite3.Connection | None:
    """The database, made anew where it is damaged or by other versions; None where none can be had."""
    made_by = f"{REVISION} pypdfium2 {version('pypdfium2')} pillow {version('pillow')}"
    for _ in range(2):
        with contextlib.suppress(OSError, sqlite3.Error):
            path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(path, timeout=0, check_same_thread=False)
            try:
                if _made_by(db, made_by) == made_by:
                    return db
            except sqlite3.OperationalError:  # another plan is at it, or the file system has no locks
                db.close()
                return None
            except sqlite3.DatabaseError:
                db.close()
            db.close()
            path.unlink(missing_ok=True)
    return None


def _made_by(db: sqlite3.Connection, ours: str) -> str:
    """Whose entries these are; `ours` if there were none. Nobody else can open the database from now on."""
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    db.executescript(SCHEMA)
    row = db.execute("SELECT name FROM made_by").fetchone()
    if row:
        return str(row[0])
    db.execute("INSERT INTO made_by VALUES (?)", (ours,))
    db.commit()
    return ours
