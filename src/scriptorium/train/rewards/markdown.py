"""pdf-ocr-rl's rewards, as it published them and mended: words, form, headings, reading order.

As published, an empty answer earns 0.275 of their mix, a heading's text counts for nothing, comments in code are
headings, two tables of different widths are a fault, and order is perfect with two pieces out of a hundred.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise

from rapidfuzz import fuzz
from rapidfuzz.distance import Indel

from scriptorium.train.rewards.alignment import likeness
from scriptorium.train.rewards.answer import Answer

HEADING = re.compile(r"^(#{1,6})\s+(.+)$", re.MULTILINE)
PIPES = re.compile(r"^\|.*\|$", re.MULTILINE)
FENCE = re.compile(r"^ {0,3}(?:```|~~~)")
SINGLE_STAR = re.compile(r"(?<!\*)\*(?!\*)")
CODE = re.compile(r"`[^`\n]*`")
BULLET = re.compile(r"^\s*\*\s+")
FAULT = 0.15
"""What a whole fault of form costs."""
SAME = 0.6
"""Two pieces of text more alike than this are the same piece."""


def similarity(answer: Answer, published: bool) -> float:
    """The share of letters (published) or of words that stand in both texts in the same order."""
    if published:
        if not answer.wanted:
            return float(not answer.without_thoughts)
        return fuzz.ratio(answer.without_thoughts, answer.wanted) / 100
    return float(Indel.normalized_similarity(answer.text.split(), answer.wanted.split()))


def structure(answer: Answer, published: bool) -> float:
    """1, less 0.15 for each fault of Markdown: open fences, headings that skip a level, ragged tables, lone marks."""
    faults = _published_faults(answer.without_thoughts) if published else _faults(answer.text)
    return max(0.0, 1.0 - FAULT * faults)


def headings(answer: Answer, published: bool) -> float:
    """How like the headings are: number and levels in order (published), or level and words, aligned."""
    if not published:
        return likeness(_headings(answer.text), _headings(answer.wanted), _heading_likeness)
    found = [len(marks) for marks, _ in HEADING.findall(answer.without_thoughts)]
    wanted = [len(marks) for marks, _ in HEADING.findall(answer.wanted)]
    if not wanted:
        return 0.5 if found else 1.0
    count = 1 - min(1.0, abs(len(found) - len(wanted)) / len(wanted))
    levels = sum(a == b for a, b in zip(found, wanted, strict=False)) / len(wanted)
    return 0.5 * count + 0.5 * levels


def order(answer: Answer, published: bool) -> float:
    """Whether the truth's lines come in their order.

    Published: of the lines found at all, the share of neighbours that ascend. Mended: the longest run in order,
    each line found once, as a share of all the lines that there should be.
    """
    text = answer.without_thoughts if published else answer.text
    wanted, found = _chunks(answer.wanted), _chunks(text)
    if not wanted:
        return 1.0
    if published:
        places = [place for chunk in wanted if (place := _best(chunk, found)) is not None]
        if len(places) < 2:
            return 0.5
        return sum(a < b for a, b in pairwise(places)) / (len(places) - 1)
    free = dict(enumerate(found))
    once = []
    for chunk in wanted:
        if (place := _nearest(chunk, free)) is not None:
            once.append(place)
            del free[place]
    return _longest_rise(once) / len(wanted)


def _published_faults(text: str) -> float:
    levels = [len(marks) for marks, _ in HEADING.findall(text)]
    widths = {row.count("|") for row in PIPES.findall(text)}
    odd = text.count("```") % 2 + 0.3 * (text.count("**") % 2) + 0.3 * (len(SINGLE_STAR.findall(text)) % 2)
    return odd + 0.5 * _skips(levels) + 0.5 * (len(widths) > 1)


def _faults(text: str) -> float:
    prose = list(_prose(text))
    fences = sum(bool(FENCE.match(line)) for line in text.splitlines())
    plain = [BULLET.sub("", CODE.sub("", line)) for line in prose]
    bold = sum(line.count("**") for line in plain)
    stars = sum(len(SINGLE_STAR.findall(line)) for line in plain)
    faults = fences % 2 + 0.3 * (bold % 2) + 0.3 * (stars % 2)
    return faults + 0.5 * _skips([level for level, _ in _headings(text)]) + 0.5 * _ragged(prose)


def _skips(levels: list[int]) -> int:
    """Headings more than one level deeper than the one before."""
    return sum(after > before + 1 for before, after in pairwise(levels))


def _ragged(lines: list[str]) -> int:
    """Markdown tables whose rows have different numbers of columns."""
    ragged = 0
    widths: set[int] = set()
    for line in [*lines, ""]:
        if PIPES.match(line.strip()):
            widths.add(line.replace("\\|", "").count("|"))
        else:
            ragged += len(widths) > 1
            widths = set()
    return ragged


def _prose(text: str) -> Iterator[str]:
    """The lines outside blocks of code."""
    inside = False
    for line in text.splitlines():
        if FENCE.match(line):
            inside = not inside
        elif not inside:
            yield line


def _headings(text: str) -> list[tuple[int, str]]:
    found = [match for line in _prose(text) if (match := HEADING.match(line))]
    return [(len(match[1]), match[2].strip()) for match in found]


def _heading_likeness(one: tuple[int, str], other: tuple[int, str]) -> float:
    alike = Indel.normalized_similarity(one[1], other[1])
    return alike * (1.0 if one[0] == other[0] else 0.5) if alike > SAME else 0.0


def _chunks(text: str) -> list[str]:
    """The beginnings of the lines of some length, without marks."""
    plain = (re.sub(r"[#*|`\-=]", "", line).strip() for line in text.splitlines())
    return [line[:50] for line in plain if len(line) > 10]


def _best(chunk: str, found: list[str]) -> int | None:
    return _nearest(chunk, dict(enumerate(found)))


def _nearest(chunk: str, found: dict[int, str]) -> int | None:
    """The place of the text most like `chunk`, if it is the same piece; the first of equals."""
    place, best = None, SAME
    for at, other in found.items():
        alike = fuzz.ratio(chunk, other, score_cutoff=100 * best) / 100
        if alike > best:
            place, best = at, alike
    return place


def _longest_rise(places: list[int]) -> int:
    """The length of the longest strictly rising subsequence."""
    ends: list[int] = []
    for place in places:
        at = bisect_left(ends, place)
        ends[at : at + 1] = [place]
    return len(ends)
