"""Where a text stands in a page, letting a number of characters differ."""

import bisect
import itertools

import numpy as np
from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from scriptorium.bench.judges.steps import OutOfSteps, Steps

MAX_MATCHES = 200_000
"""Places of one text that are kept: more than that on a page are no reading of it."""

MAX_AREA = 100_000_000
"""Characters of a text times those of a needle that a search for near places goes through: about a second."""

CALL_COST, PAIR_COST = 1500, 15
"""What a row of `_ends` and a pair of `_by_pairs` cost, in characters of a row: measured, to choose between."""

MAX_WORK = 10_000_000_000
"""What `bounded` lets a search for the best window cost at worst: 12 s (measured). Needles of 1,000 characters
may be searched for in 600,000."""

Match = tuple[int, int, int]
"""Start, end and distance of a place that matches."""


def exact_matches(needle: str, text: str) -> list[Match]:
    """Every place where `needle` stands in `text`, overlapping ones too; none for an empty needle.

    Raises OutOfSteps where there are more than MAX_MATCHES.
    """
    found: list[Match] = []
    spend = Steps(MAX_MATCHES)
    at = text.find(needle) if needle else -1
    while at >= 0:
        spend()
        found.append((at, at + len(needle), 0))
        at = text.find(needle, at + 1)
    return found


def best_window(needle: str, text: str, most: int) -> tuple[int, int, int] | None:
    """The window of the needle's length with the fewest characters that differ, if they are at most `most`.

    Returns start, end and the number of needle characters that are not in the window in order (the length
    less the longest common subsequence), in whole numbers. The text is padded by characters that match
    nothing, so a text shorter than the needle loses what it lacks.
    """
    size = len(needle)
    at = text.find(needle)
    if at >= 0:
        return at, at + size, 0
    if most <= 0 or len(text) < size - most:
        return None
    pad = "\x00" * size
    # The cut-off leaves room for one rounding error of the float; the whole number below decides.
    cutoff = max(0.0, 100.0 * (size - most) / size - 1e-6)
    place = fuzz.partial_ratio_alignment(
        needle.replace("\x00", "\x01"), bounded(needle, pad + text + pad), score_cutoff=cutoff
    )
    if place is None:
        return None
    differing = size - round(place.score * size / 100.0)
    if differing > most:
        return None
    start = min(max(place.dest_start - size, 0), len(text))
    return start, min(max(place.dest_end - size, start), len(text)), differing


def bounded(needle: str, text: str) -> str:
    """`text`, if rapidfuzz's search for the best window of `needle` in it will end in time, however it goes.

    Each window costs at worst a bit-parallel comparison of `needle` with itself. Raises OutOfSteps.
    """
    size = min(len(needle), len(text))
    if max(len(needle), len(text)) * size * (size // 64 + 1) > MAX_WORK:
        raise OutOfSteps
    return text


def near_matches(needle: str, text: str, most: int) -> list[Match]:
    """The places, in order and apart, where `needle` stands within a Levenshtein distance of `most`.

    Of places that overlap, the one with the smallest distance stands, then the longest. Time is bounded by
    the length of the needle times that of the text: one of `most` + 1 pieces of the needle must stand there
    unchanged, so only the surroundings of such pieces are looked at. Raises OutOfSteps past MAX_AREA.
    """
    if most <= 0:
        return exact_matches(needle, text)
    hits = _hits(needle, text, most)
    parts = _surroundings(hits, len(needle) + most, most, len(text))
    area = len(needle) * (CALL_COST + sum(high - low for low, high in parts))
    if hits is not None and len(hits) * (2 * most + 1) ** 2 * PAIR_COST < area:
        found = _by_pairs(needle, text, most, hits)
    elif area > MAX_AREA:
        raise OutOfSteps
    else:
        found = [
            (start + low, end + low, distance)
            for low, high in parts
            for start, end, distance in _ends(needle, text[low:high], most)
        ]
    chosen: list[Match] = []
    for match in sorted(found, key=lambda m: (m[2], m[0] - m[1], m[0])):
        at = bisect.bisect(chosen, match)
        clear_before = at == 0 or chosen[at - 1][1] <= match[0]
        if clear_before and (at == len(chosen) or match[1] <= chosen[at][0]):
            chosen.insert(at, match)
    return chosen


def apart(matches: list[Match]) -> list[Match]:
    """Of matches in order, the first and then each that does not overlap the one taken before."""
    taken: list[Match] = []
    for match in matches:
        if not taken or match[0] >= taken[-1][1]:
            taken.append(match)
    return taken


def _hits(needle: str, text: str, most: int) -> list[int] | None:
    """Where a match would start if nothing before a piece of the needle that stands there were changed.

    One of `most` + 1 pieces stands unchanged in every match. None where a piece is empty: all places count.
    """
    size = len(needle)
    spend = Steps(MAX_MATCHES)
    starts = set()
    for low, high in itertools.pairwise(size * i // (most + 1) for i in range(most + 2)):
        if low == high:
            return None
        piece = needle[low:high]
        at = text.find(piece)
        while at >= 0:
            spend()
            starts.add(at - low)
            at = text.find(piece, at + 1)
    return sorted(starts)


def _surroundings(hits: list[int] | None, reach: int, most: int, size: int) -> list[tuple[int, int]]:
    """The parts of a text of `size` characters that can hold a match, apart from each other and in order."""
    if hits is None:
        return [(0, size)]
    merged: list[tuple[int, int]] = []
    for hit in hits:
        start, end = max(0, hit - most), min(size, hit + reach)
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _by_pairs(needle: str, text: str, most: int, hits: list[int]) -> list[Match]:
    """What `_ends` finds in the surroundings, by trying each start with each end: quicker where hits are few."""
    size = len(needle)
    best: dict[int, tuple[int, int]] = {}
    for hit in hits:
        around = text[max(0, hit - most) : hit + size + most]
        # A match lacks at most 3 * most characters of the surroundings, besides its own distance.
        if Levenshtein.distance(needle, around, score_cutoff=4 * most) > 4 * most:
            continue
        for start in range(max(0, hit - most), hit + most + 1):
            for end in range(max(start + size - most, 1), min(start + size + most, len(text)) + 1):
                distance = Levenshtein.distance(needle, text[start:end], score_cutoff=most)
                if distance <= most and (end not in best or (distance, start) < best[end]):
                    best[end] = distance, start
    return [(start, end, distance) for end, (distance, start) in sorted(best.items())]


def _ends(needle: str, text: str, most: int) -> list[Match]:
    """For every end in `text` that a match within `most` has: its start (the earliest of the best), distance.

    Sellers' algorithm, a row of the table at a time. A cell holds distance * unit + start, so that the
    minimum prefers the smaller distance, then the earlier start.
    """
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    unit = len(text) + 1
    steps = np.arange(unit, dtype=np.int64) * unit
    row = np.arange(unit, dtype=np.int64)
    for character in needle:
        across = row[:-1] + np.where(codes == ord(character), 0, unit)
        below = row + unit
        below[1:] = np.minimum(below[1:], across)
        row = np.minimum.accumulate(below - steps) + steps
    distance, start = np.divmod(row, unit)
    return [
        (int(start[end]), int(end), int(distance[end])) for end in np.flatnonzero(distance <= most) if end
    ]
