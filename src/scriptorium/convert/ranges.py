"""Page ranges as people write them: `1-5,7,10-`."""

import re
from collections.abc import Sequence

from scriptorium.errors import InputError

RANGE = re.compile(r"\s*([0-9]{1,7})\s*(-)?\s*([0-9]{1,7})?\s*")

Ranges = tuple[tuple[int, int | None], ...]
"""First and last page of each range; None for a range without an end. Empty: every page."""


def parse_ranges(text: str) -> Ranges:
    """The ranges in `text`, in its order; nothing but white space is every page. Raises InputError."""
    if not text.strip():
        return ()
    return tuple(_range(part, text) for part in text.split(","))


def _range(part: str, text: str) -> tuple[int, int | None]:
    match = RANGE.fullmatch(part)
    if not match or (match[3] and not match[2]):
        raise InputError(f"pages {text!r}: found {part.strip()!r}; write ranges such as 1-5,7,10-")
    first = int(match[1])
    last = int(match[3]) if match[3] else None if match[2] else first
    if first < 1 or (last is not None and last < first):
        raise InputError(f"pages {text!r}: found {part.strip()!r}; pages count from 1, the smaller one first")
    return first, last


def selected(ranges: Ranges, count: int) -> tuple[list[int], list[int]]:
    """The pages of a document of `count` pages that are in `ranges`, sorted; and the ranges' first pages
    that it does not have. A range that only ends too late is cut short."""
    if not ranges:
        return list(range(1, count + 1)), []
    pages = {page for first, last in ranges for page in range(first, min(last or count, count) + 1)}
    return sorted(pages), sorted({first for first, _ in ranges if first > count})


def shown(pages: Sequence[int]) -> str:
    """Sorted pages as ranges: `1-3,7`."""
    runs: list[list[int]] = []
    for page in pages:
        if runs and page == runs[-1][-1] + 1:
            runs[-1][1:] = [page]
        else:
            runs.append([page])
    return ",".join("-".join(map(str, run)) for run in runs)
