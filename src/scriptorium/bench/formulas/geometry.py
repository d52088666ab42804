"""Whether one formula stands in another by the look of it, as olmOCR-bench decides.

Every symbol of the reference gets a symbol of its own in the hypothesis: the same character, with the same
neighbours above, below, to the left and to the right. What no assignment can hold is ruled out before any is
tried, and the trying is bounded; where it ends, the answer is the one that trying everything would give.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

import numpy as np

NEAR = 5.0
"""px by which the centres of neighbours may be out of line."""

WORK = 300_000
"""Assignments tried, times the reference's symbols, before the answer is given up: about a second."""

MOST_PAIRS = 1_000_000
"""Pairs of equal characters of the largest formulas that are compared."""

MOST_SYMBOLS = 8000
"""Characters of the largest formula that is compared: finding neighbours takes the square of it."""

_BLOCK = 1 << 18
"""Distances computed at a time."""

_BLANKS = re.compile(r"[\s\u200a-\u200d\u2060\ufeff]+")
_SPACES = re.compile("<mtext>([\u2005\u2009\u200a\u205f\u2063]+)</mtext>")
"""KaTeX's thin spaces: text in an element of its own where written out, bare text in a browser's tree."""

_NONE = -1


class Layout:
    """A rendered formula in the form that is compared: its MathML without blanks, its single characters."""

    def __init__(self, mathml: str, symbols: Sequence[tuple[str, float, float, float, float]]) -> None:
        self.mathml = _BLANKS.sub("", _SPACES.sub(r"\1", mathml))
        seen = [(_BLANKS.sub("", text), x, y, width, height) for text, x, y, width, height in symbols]
        self.boxes = [symbol for symbol in seen if symbol[0]]
        self.characters = "".join(symbol[0] for symbol in self.boxes)
        self.counts = Counter(self.characters)

    @cached_property
    def neighbours(self) -> np.ndarray:
        """For each character (n), the next one up, down, left and right: (n, 4) whole numbers, -1 for none.

        A piece's characters share its width. The nearest counts, of equally near ones the first.
        """
        centres = [
            (x + width / len(text) * (at + 0.5), y + height / 2)
            for text, x, y, width, height in self.boxes
            for at in range(len(text))
        ]
        points = np.array(centres, dtype=np.float64).reshape(-1, 2)
        step = max(1, _BLOCK // max(1, len(points)))
        blocks = [_nearest(points[at : at + step], points) for at in range(0, len(points), step)]
        return np.concatenate(blocks) if blocks else np.empty((0, 4), dtype=np.int64)


def _nearest(some: np.ndarray, points: np.ndarray) -> np.ndarray:
    """For some of the points (m, 2), the nearest of all (n, 2) up, down, left and right: (m, 4)."""
    across, down = (points[None, :, axis] - some[:, None, axis] for axis in (0, 1))
    column, line = np.abs(across) <= NEAR, np.abs(down) <= NEAR
    sides = []
    for distance, aligned in ((-down, column), (down, column), (-across, line), (across, line)):
        far = np.where(aligned & (distance > 0), distance, np.inf)
        nearest = far.argmin(axis=1)
        sides.append(np.where(np.isfinite(far[np.arange(len(some)), nearest]), nearest, _NONE))
    return np.stack(sides, axis=1)


def contains(hypothesis: Layout, reference: Layout) -> bool | None:
    """Whether the reference stands in the hypothesis; None where a limit ended the search.

    A reference without symbols stands in everything.
    """
    if not reference.characters or reference.mathml in hypothesis.mathml:
        return True
    if not reference.counts <= hypothesis.counts:
        return False
    pairs = sum(count * hypothesis.counts[character] for character, count in reference.counts.items())
    if len(hypothesis.characters) > MOST_SYMBOLS or pairs > MOST_PAIRS:
        return None
    return _Search(hypothesis, reference).run()


class _TooMany(Exception):
    """The steps are used up."""


class _Search:
    """The assignment as a problem of constraints.

    A neighbour that comes earlier in the reference's order must be assigned to the neighbour in the
    hypothesis (a link); one that comes later must only be of the same character, which depends on one symbol
    alone, like the character itself.
    """

    def __init__(self, hypothesis: Layout, reference: Layout) -> None:
        self.next = hypothesis.neighbours.tolist()
        self.around = reference.neighbours.tolist()
        self.work = 0
        characters, wanted = hypothesis.characters, reference.characters
        places: dict[str, list[int]] = {}
        for at, character in enumerate(characters):
            places.setdefault(character, []).append(at)

        def fits(symbol: int, place: int) -> bool:
            for side, other in enumerate(self.around[symbol]):
                there = self.next[place][side]
                if other != _NONE and (there == _NONE or characters[there] != wanted[other]):
                    return False
            return True

        self.domains = [
            {place for place in places[character] if fits(symbol, place)}
            for symbol, character in enumerate(wanted)
        ]
        self.links: list[list[tuple[int, int, bool]]] = [[] for _ in wanted]
        for symbol, sides in enumerate(self.around):
            for side, other in enumerate(sides):
                if other != _NONE and other < symbol:
                    self.links[symbol].append((other, side, True))
                    self.links[other].append((symbol, side, False))
        self.linked = [symbol for symbol, links in enumerate(self.links) if links]
        groups: dict[str, list[int]] = {}
        for symbol, character in enumerate(wanted):
            groups.setdefault(character, []).append(symbol)
        self.group = [groups[character] for character in wanted]
        self.groups = list(groups.values())

    def run(self) -> bool | None:
        """Whether there is an assignment; None where the work allowed is used up."""
        try:
            domains = self._settled(self.domains, range(len(self.domains)))
            return domains is not None and self._search(domains)
        except _TooMany:
            return None

    def _settled(self, domains: list[set[int]], changed: Iterable[int]) -> list[set[int]] | None:
        """The domains without the places that links and places taken rule out; None if one is left empty."""
        waiting = list(changed)
        while waiting:
            symbol = waiting.pop()
            own = domains[symbol]
            if not own:
                return None
            for other, side, is_neighbour in self.links[symbol]:
                if is_neighbour:
                    kept = domains[other] & {self.next[place][side] for place in own}
                else:
                    kept = {place for place in domains[other] if self.next[place][side] in own}
                if len(kept) < len(domains[other]):
                    domains[other] = kept
                    waiting.append(other)
            if len(own) == 1:
                for other in self.group[symbol]:
                    if other != symbol and own <= domains[other]:
                        domains[other] = domains[other] - own
                        waiting.append(other)
        return domains if all(_matched(domains, group) for group in self.groups) else None

    def _search(self, domains: list[set[int]]) -> bool:
        """Assign linked symbols, the one with the fewest places first; the rest is settled by matching."""
        stack = [iter([domains])]
        while stack:
            domains_now = next(stack[-1], None)
            if domains_now is None:
                stack.pop()
                continue
            open_symbols = [at for at in self.linked if len(domains_now[at]) > 1]
            if not open_symbols:
                return True
            stack.append(self._branches(domains_now, min(open_symbols, key=lambda at: len(domains_now[at]))))
        return False

    def _branches(self, domains: list[set[int]], symbol: int) -> Iterator[list[set[int]]]:
        """What is left of the domains for each place that the symbol can take."""
        for place in sorted(domains[symbol]):
            self.work += len(domains)
            if self.work > WORK:
                raise _TooMany
            tried = domains.copy()
            tried[symbol] = {place}
            settled = self._settled(tried, [symbol])
            if settled is not None:
                yield settled


def _matched(domains: list[set[int]], group: list[int]) -> bool:
    """Whether each symbol of a group can have a place of its own."""
    holder: dict[int, int] = {}
    return all(_placed(symbol, domains, holder) for symbol in sorted(group, key=lambda at: len(domains[at])))


def _placed(symbol: int, domains: list[set[int]], holder: dict[int, int]) -> bool:
    """Give the symbol a place; those that hold one move on where they must (an augmenting path)."""
    wants: dict[int, int] = {}
    reached = [symbol]
    for one in reached:
        for place in domains[one]:
            if place in wants:
                continue
            wants[place] = one
            if place in holder:
                reached.append(holder[place])
                continue
            held = {other: mine for mine, other in holder.items()} if one != symbol else {}
            free: int | None = place
            while free is not None:
                mover = wants[free]
                holder[free] = mover
                free = held.get(mover)
            return True
    return False
