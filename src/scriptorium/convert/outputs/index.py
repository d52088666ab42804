"""Where each record of a page store lies, for callers that go through all of them: sorted arrays.

A record takes 46 bytes, so that a million pages are 46 MB. `Store.find` scans all segments for each call;
this is one scan, and then a search.
"""

from array import array
from collections.abc import Iterable, Iterator

import numpy as np

from scriptorium.pages.store import STATUSES, Place, Store, scan


class Index:
    """The best record of every key in a store, as it was when the index was made."""

    def __init__(self, store: Store) -> None:
        self.segments = sorted(store.segments.glob("*.jsonl"))
        keys, numbers, ranks = bytearray(), array("I"), array("B")
        offsets, lengths = array("Q"), array("Q")
        for number, segment in enumerate(self.segments):
            for key, place in scan(segment):
                keys += bytes.fromhex(key)
                numbers.append(number)
                ranks.append(STATUSES.index(place.status))
                offsets.append(place.offset)
                lengths.append(place.length)
        every = np.frombuffer(bytes(keys), dtype="V32").view("S32")
        rank = np.frombuffer(ranks, dtype="u1")
        order = np.lexsort((rank, every))  # stable: of equals the first stays first
        best = order[_first_of_each(every[order])]
        self.keys, self.rank = every[best], rank[best]
        self.number = np.frombuffer(numbers, dtype=f"u{numbers.itemsize}")[best]
        self.offset = np.frombuffer(offsets, dtype="u8")[best]
        self.length = np.frombuffer(lengths, dtype="u8")[best]

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
