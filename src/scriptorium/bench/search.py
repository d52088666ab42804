"""Where a text stands in a page, letting a number of characters differ."""

import bisect
import itertools

import numpy as np
from rapidfuzz import fuzz

from scriptorium.bench.steps import OutOfSteps, Steps

MAX_MATCHES = 200_000
"""Places of one text that are kept: more than that on a page are no reading of it."""

MAX_AREA = 100_000_000
"""Characters of a text times those of a needle that a search for near places goes through: about a second."""

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
        needle.replace("\x00", "\x01"), pad + text + pad, score_cutoff=cutoff
    )
    if place is None:
        return None
    differing = size - round(place.score * size / 100.0)
    if differing > most:
        return None
    start = min(max(place.dest_start - size, 0), len(text))
    return start, min(max(place.dest_end - size, start), len(text)), differing


def near_matches(needle: str, text: str, most: int) -> list[Match]:
    """The places, in order and apart, where `needle` stands within a Levenshtein distance of `most`.

    Of places that overlap, the one with the smallest distance stands, then the longest. Time is bounded by
    the length of the needle times that of the text: one of `most` + 1 pieces of the needle must stand there
    unchanged, so only the surroundings of such pieces are looked at. Raises OutOfSteps past MAX_AREA.
    """
    if most <= 0:
        return exact_matches(needle, text)
    parts = _surroundings(needle, text, most)
    if len(needle) * sum(high - low for low, high in parts) > MAX_AREA:
        raise OutOfSteps
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


def _surroundings(needle: str, text: str, most: int) -> list[tuple[int, int]]:
    """The parts of `text` that can hold a match, apart from each other and in order."""
    size = len(needle)
    spend = Steps(MAX_MATCHES)
    bounds = [size * i // (most + 1) for i in range(most + 2)]
    spans = []
    for low, high in itertools.pairwise(bounds):
        if low == high:
            return [(0, len(text))]
        piece = needle[low:high]
        at = text.find(piece)
        while at >= 0:
            spend()
            spans.append((max(0, at - low - most), min(len(text), at - low + size + most)))
            at = text.find(piece, at + 1)
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


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
