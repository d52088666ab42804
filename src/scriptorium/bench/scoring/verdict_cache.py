"""Verdicts that were found before, so that scoring again touches only what has changed."""

import contextlib
import hashlib
import json
import os
import platform
import sqlite3
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from scriptorium.bench.revision import REVISION, scoring_code

FOLDER = "SCRIPTORIUM_CACHE"
"""Environment variable: the folder of all caches, `~/.cache/scriptorium` by default."""

FILE = "verdicts.sqlite"
LIBRARIES = ("lxml", "markdown-it-py", "mini-racer", "numpy", "rapidfuzz")
"""What else a verdict, or a summary, depends on."""

UNUSABLE = (OSError, sqlite3.Error, ValueError)
"""What a file raises that cannot be used as a cache. A cache may always be left out: verdicts are made anew."""

WAIT_SECONDS = 10.0
BATCH = 500


def cache_folder() -> Path:
    """The folder of all caches."""
    return Path(os.environ.get(FOLDER) or Path.home() / ".cache" / "scriptorium")


@lru_cache(maxsize=1)
def scorer_version() -> str:
    """The SHA-256 over the revision, the bytes of the scoring code, the versions of LIBRARIES and Python, in hex."""
    total = hashlib.sha256(f"{REVISION}\n".encode())
    for path in scoring_code():
        total.update(path.read_bytes())
    total.update("".join(f"{name} {version(name)}\n" for name in LIBRARIES).encode())
    total.update(platform.python_version().encode())
    return total.hexdigest()


class VerdictCache:
    """Verdicts of outputs by a key of everything that they depend on, in one SQLite file.

    `path` None, or a file that cannot be used: nothing is kept, and everything is judged again.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path

    @classmethod
    def usual(cls) -> "VerdictCache":
        """The cache in the folder of all caches."""
        return cls(cache_folder() / FILE)

    @staticmethod
    def key(task: Any) -> str:
        """The key of a task (a value of JSON): equal tasks have equal verdicts."""
        return hashlib.sha256(json.dumps(task).encode()).hexdigest()

    def read(self, keys: Iterable[str]) -> dict[str, Any]:
        """The values of the keys that are known."""
        wanted = sorted(set(keys))
        try:
            with self._database() as database:
                return dict(_rows(database, wanted))
        except UNUSABLE:
            return {}

    def write(self, values: dict[str, Any]) -> None:
        """Keep values; those of another scorer are dropped."""
        if not values:
            return
        mine = scorer_version()
        rows = [(key, mine, json.dumps(value)) for key, value in values.items()]
        with contextlib.suppress(*UNUSABLE), self._database() as database:
            database.execute("DELETE FROM verdicts WHERE version != ?", [mine])
            database.executemany("INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?)", rows)

    @contextlib.contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """The database in a transaction. Raises one of UNUSABLE where there is none."""
        if self.path is None:
            raise FileNotFoundError("no cache is used")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(sqlite3.connect(self.path, timeout=WAIT_SECONDS)) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute(
                "CREATE TABLE IF NOT EXISTS verdicts (key TEXT PRIMARY KEY, version TEXT, value TEXT)"
            )
            with database:
                yield database


def _rows(database: sqlite3.Connection, keys: list[str]) -> Iterator[tuple[str, Any]]:
    """The keys that are known to this scorer, with their values."""
    for start in range(0, len(keys), BATCH):
        some = keys[start : start + BATCH]
        marks = ",".join("?" * len(some))
        query = f"SELECT key, value FROM verdicts WHERE version = ? AND key IN ({marks})"
        for key, value in database.execute(query, [scorer_version(), *some]):
            yield key, json.loads(value)
