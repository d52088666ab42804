"""A page as the text view gives it: its text, the pieces of it that are marked, and the way back."""

import bisect
from dataclasses import dataclass, field

from scriptorium.bench.text.composed import places_composed


@dataclass(frozen=True)
class Mark:
    """A piece of the view that is a heading, bold or italic: its kind, and its span in `View.text`.

    `level` is a heading's, from 1.
    """

    kind: str
    start: int
    end: int
    level: int = 0


@dataclass(frozen=True)
class Note:
    """A footnote's mark: the marker or markers written there, its span in `View.text` (may be empty).

    `origin` is its span in the Markdown.
    """

    marker: str
    start: int
    end: int
    origin: tuple[int, int]


@dataclass(frozen=True)
class View:
    """The text of a page as a reader sees it; `origins` maps places in it back to the Markdown."""

    text: str
    marks: tuple[Mark, ...]
    notes: tuple[Note, ...] = ()
    origins: tuple[tuple[int, int, int, int], ...] = field(repr=False, default=())
    source: str = field(repr=False, default="")

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The span of the Markdown that the view's `start` to `end` comes from."""
        return self.as_written(self._origin(start)[0], self._origin(max(end - 1, start))[1])

    def as_written(self, low: int, high: int) -> tuple[int, int]:
        """A span of the Markdown's composed form (NFC), which the view reads, as one of the Markdown."""
        places = places_composed(self.source)
        return (low, high) if places is None else (places[low], places[min(high, len(places) - 1)])

    def _origin(self, at: int) -> tuple[int, int]:
        index = bisect.bisect_right(self.origins, at, key=lambda origin: origin[0]) - 1
        if index < 0:
            return 0, 0
        start, end, low, high = self.origins[index]
        if end - start == high - low:
            return low + at - start, min(low + at - start + 1, high)
        return low, high
