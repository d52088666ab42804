"""Where each record of a page store lies, for callers that go through all of them: sorted arrays.

A record takes 33 bytes, and 66 while they are sorted: ten million pages are 0.7 GB. `Store.find` goes through all
segments for each call; this does so once, and then searches.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from scriptorium.pages.segment_index import DTYPE
from scriptorium.pages.store import STATUSES, Place, Store

SHORT = 16
"""Bytes of a key that are kept: a pair that shares them is to be expected among 10^19 pages."""
COLUMNS = {"key": f"S{SHORT}", "rank": "u1", "number": "u4", "offset": "u8", "length": "u4"}


class Index:
    """The best record of every key in a store, as it was when the index was made."""

    def __init__(self, store: Store) -> None:
        self.segments = store.segments.names()
        parts: dict[str, list[np.ndarray]] = {name: [] for name in COLUMNS}
        for number, name in enumerate(self.segments):
            entries = np.frombuffer(store.segments.entries(name).packed, dtype=DTYPE)
            parts["key"].append(_short(entries["key"]))
            parts["number"].append(np.full(len(entries), number, dtype="u4"))
            for column in ("rank", "offset", "length"):
                parts[column].append(entries[column].copy())
        joined = {name: np.concatenate([np.empty(0, COLUMNS[name]), *parts.pop(name)]) for name in COLUMNS}
        order = np.lexsort((joined["rank"], joined["key"]))  # stable: of equals the first stays first
        keys = joined.pop("key")[order]
        first = _first_of_each(keys)
        self.keys, best = keys[first], order[first]
        del keys, order
        self.rank, self.number = joined.pop("rank")[best], joined.pop("number")[best]
        self.offset, self.length = joined.pop("offset")[best], joined.pop("length")[best]

    def __len__(self) -> int:
        return len(self.keys)

    def find(self, wanted: Iterable[str]) -> Iterator[Place | None]:
        """The place of each key in `wanted` (hex), in order; None for a key without a record."""
        asked = np.array([bytes.fromhex(key)[:SHORT] for key in wanted], dtype=COLUMNS["key"])
        at = np.searchsorted(self.keys, asked)
        for key, row in zip(asked, at, strict=True):
            yield self._place(int(row)) if row < len(self.keys) and self.keys[row] == key else None

    def _place(self, row: int) -> Place:
        segment = self.segments[self.number[row]]
        return Place(segment, int(self.offset[row]), int(self.length[row]), STATUSES[self.rank[row]])


def _short(keys: np.ndarray) -> np.ndarray:
    """The beginnings of keys."""
    rows = np.ascontiguousarray(keys).view("u1").reshape(-1, 32)[:, :SHORT]
    return np.ascontiguousarray(rows).view(COLUMNS["key"]).reshape(-1)


def _first_of_each(keys: np.ndarray) -> np.ndarray:
    """Which of the sorted `keys` differ from the one before."""
    first = np.ones(len(keys), dtype=bool)
    first[1:] = keys[1:] != keys[:-1]
    return first
