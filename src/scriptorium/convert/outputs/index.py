"""Where each record of a page store lies, for callers that go through all of them: sorted arrays.

A record takes 49 bytes, so that a million pages are 49 MB. `Store.find` goes through all segments for each call;
this does so once, and then searches.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from scriptorium.pages.segment_index import DTYPE
from scriptorium.pages.store import STATUSES, Place, Store


class Index:
    """The best record of every key in a store, as it was when the index was made."""

    def __init__(self, store: Store) -> None:
        self.segments = store.segments.names()
        parts = [np.frombuffer(store.segments.entries(name).packed, dtype=DTYPE) for name in self.segments]
        entries = np.concatenate([np.empty(0, dtype=DTYPE), *parts])
        sizes = [len(part) for part in parts]
        del parts
        every, rank = entries["key"].view("S32"), entries["rank"]
        order = np.lexsort((rank, every))  # stable: of equals the first stays first
        best = order[_first_of_each(every[order])]
        self.keys, self.rank = every[best], rank[best]
        self.number = np.repeat(np.arange(len(sizes), dtype="u4"), sizes)[best]
        self.offset, self.length = entries["offset"][best], entries["length"][best]

    def __len__(self) -> int:
        return len(self.keys)

    def find(self, wanted: Iterable[str]) -> Iterator[Place | None]:
        """The place of each key in `wanted` (hex), in order; None for a key without a record."""
        asked = np.array([bytes.fromhex(key) for key in wanted], dtype="S32")
        at = np.searchsorted(self.keys, asked)
        for key, row in zip(asked, at, strict=True):
            yield self._place(int(row)) if row < len(self.keys) and self.keys[row] == key else None

    def _place(self, row: int) -> Place:
        segment = self.segments[self.number[row]]
        return Place(segment, int(self.offset[row]), int(self.length[row]), STATUSES[self.rank[row]])


def _first_of_each(keys: np.ndarray) -> np.ndarray:
    """Which of the sorted `keys` differ from the one before."""
    first = np.ones(len(keys), dtype=bool)
    first[1:] = keys[1:] != keys[:-1]
    return first
