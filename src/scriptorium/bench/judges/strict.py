"""The rule set scriptorium-1: verdicts that a reader of the page would agree with, and that cannot be gamed.

Texts are compared in the text view of `view`, differences are counted in whole numbers, and nothing shorter
than the text asked for stands for it. Every search is bounded, so that any text is judged in little time.
"""

import re

from scriptorium.bench.formulas.judge import strict_math
from scriptorium.bench.judges.asked import alike, allowed, asked, asked_whole, folded
from scriptorium.bench.judges.cells import judge_table
from scriptorium.bench.judges.facts import FACTS
from scriptorium.bench.judges.footnotes import strict_footnote
from scriptorium.bench.judges.olmocr import DISALLOWED
from scriptorium.bench.judges.search import Match, best_window, near_matches
from scriptorium.bench.tests import Test
from scriptorium.bench.text.page import Page
from scriptorium.bench.text.view import view
from scriptorium.bench.verdict import Judge, Verdict

LEADER_LENGTH = 400
"""Dot leaders, rules and table lines may repeat to this many characters: more than a line of any page."""

_LEADER = re.compile(r"[\s.·…_\-–—=|:*#~+]*")
_WORDS = re.compile(r"^[A-Za-z]+ [A-Za-z]", re.MULTILINE)
_IMAGE = re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)")
_SCRIPT = re.compile(r"\^|_(?=\d)")
"""The marks of scripts in the text view."""

_CLOSING_TAGS = re.compile(r"(?:\s*>[a-zA-Z0-9]+/<)+")
"""Closing tags that end a text, read from its end: from the front, a page of tags would take forever."""


def _windows(test: Test, size: int) -> list[tuple[int, int]]:
    """The parts of a text of `size` characters that a test looks at, each by itself."""
    first, last = test["first_n"], test["last_n"]
    windows = [(0, min(first, size))] if first else []
    windows += [(max(0, size - last), size)] if last else []
    return windows or [(0, size)]


def _find(test: Test, page: Page) -> tuple[int, int, int] | None:
    """Start and end in the text view, and the differences, of the best place for the test's text."""
    text, wanted = page.view.text, asked(test["text"])
    if not test["case_sensitive"]:
        text, wanted = folded(text), folded(wanted)
    places = []
    for low, high in _windows(test, len(text)):
        place = best_window(wanted, text[low:high], allowed(test, wanted))
        if place:
            places.append((place[0] + low, place[1] + low, place[2]))
    return min(places, key=lambda place: place[2], default=None)


def present(test: Test, page: Page) -> Verdict:
    """The text stands on the page, or in its first or last part, but for `max_diffs` of its characters."""
    place = _find(test, page)
    if place is None:
        return Verdict(False, "missing")
    return Verdict(True, "found", page.view.span(*place[:2]), allowed(test, asked(test["text"])) - place[2])


def absent(test: Test, page: Page) -> Verdict:
    """The text does not stand there, not even with `max_diffs` characters changed."""
    place = _find(test, page)
    if place is None:
        return Verdict(True, "missing")
    return Verdict(
        False, "found", page.view.span(*place[:2]), place[2] - allowed(test, asked(test["text"])) - 1
    )


def order(test: Test, page: Page) -> Verdict:
    """Some place of `before` starts ahead of some place of `after`.

    Exact places count before near ones, and a near place that is nearer to the other text is that text's.
    """
    text = page.view.text
    wanted = [asked(test["before"]), asked(test["after"])]
    found = [exact_or_near(text, one, allowed(test, one)) for one in wanted]
    before, after = _own(found[0], found[1]), _own(found[1], found[0])
    if not before:
        return Verdict(False, "before_missing")
    if not after:
        return Verdict(False, "after_missing")
    first, last = min(before), max(after)
    span = page.view.span(min(first[0], last[0]), max(first[1], last[1]))
    return Verdict(first[0] < last[0], "in_order" if first[0] < last[0] else "reversed", span)


def exact_or_near(text: str, wanted: str, most: int) -> list[Match]:
    """The exact places of `wanted` in `text`; if there are none, those within `most` changes."""
    return near_matches(wanted, text, 0) or near_matches(wanted, text, most)


def _own(matches: list[Match], others: list[Match]) -> list[Match]:
    """The matches that no overlapping match of the other text beats. Both lists are in order."""
    kept = []
    at = 0
    for match in matches:
        while at < len(others) and others[at][1] <= match[0]:
            at += 1
        rival = at
        while rival < len(others) and others[rival][0] < match[1] and others[rival][2] >= match[2]:
            rival += 1
        if rival == len(others) or others[rival][0] >= match[1]:
            kept.append(match)
    return kept


def table(test: Test, page: Page) -> Verdict:
    """A cell with its neighbours and headings; texts are alike to 1 - max_diffs/length, and half at least.

    A test that writes a script flat (`m2`) is also met by a cell that says it better (`m<sup>2</sup>`).
    """

    def same(wanted: str, text: str) -> bool:
        if alike(wanted, text, test["max_diffs"]):
            return True
        flat = _SCRIPT.sub("", text)
        return flat != text and not _SCRIPT.search(wanted) and alike(wanted, flat, test["max_diffs"])

    markdown = [] if test["ignore_markdown_tables"] else page.strict_markdown_tables
    return judge_table(test, markdown + page.strict_html_tables, asked_whole, same)


def baseline(test: Test, page: Page) -> Verdict:
    """There is content (or, on a blank page, hardly any), no loop at the end, no character out of place."""
    if test["max_length"] is not None:
        seen = page.view.text
        if test["max_length_skips_image_alt_tags"]:
            seen = view(_IMAGE.sub("", page.markdown)).text
        count = sum(character.isalnum() for character in seen)
        fits = count <= test["max_length"]
        return Verdict(fits, "ok" if fits else "too_long", margin=test["max_length"] - count)
    # A line of plain words on a page without tags is seen: most pages need not be read for that.
    words = "<" not in page.markdown and _WORDS.search(page.markdown)
    if not words and not any(character.isalnum() for character in page.view.text):
        return Verdict(False, "empty")
    if loops(page.markdown, test["max_repeats"]):
        return Verdict(False, "repeats")
    if test["check_disallowed_characters"] and (odd := DISALLOWED.search(page.markdown)):
        return Verdict(False, "characters", odd.span())
    return Verdict(True, "ok")


def loops(markdown: str, most: int) -> bool:
    """Whether the text ends in a unit, of whatever length, that stands there more than `most` times in a row.

    Blanks and closing tags at the end are passed over. Units of dots, dashes and table lines do not count
    while they are no longer than LEADER_LENGTH in all.
    """
    tail = markdown[-100_000:].rstrip()
    closing = _CLOSING_TAGS.match(tail[::-1]) if tail.endswith(">") else None
    text = " ".join(tail[: len(tail) - closing.end() if closing else None].split())
    times = most + 1
    for size in range(1, len(text) // times + 1):
        tail = text[-size * times :] if text[-1] == text[-1 - size : len(text) - size] or times == 1 else ""
        if tail and tail[size:] == tail[:-size] and not _is_leader(text, size):
            return True
    return False


def _is_leader(text: str, size: int) -> bool:
    """Whether the last `size` characters are a leader's or a rule's, and repeat to LEADER_LENGTH at most."""
    unit = text[-size:]
    if not _LEADER.fullmatch(unit):
        return False
    longer = text[-LEADER_LENGTH - size :]
    return len(longer) < LEADER_LENGTH + size or longer[size:] != longer[:-size]


def marked(test: Test, page: Page) -> Verdict:
    """The text stands in a heading, in bold or in italics, as Markdown and HTML mean them."""
    wanted = asked(test["text"])
    fold = not test["case_sensitive"]
    wanted = folded(wanted) if fold else wanted
    for mark in page.view.marks:
        if mark.kind != test["format"]:
            continue
        text = page.view.text[mark.start : mark.end]
        place = best_window(wanted, folded(text) if fold else text, allowed(test, wanted))
        if place:
            span = page.view.span(mark.start + place[0], mark.start + place[1])
            return Verdict(True, "found", span, allowed(test, wanted) - place[2])
    return Verdict(False, "missing")


TYPES: dict[str, Judge] = {
    "present": present,
    "absent": absent,
    "order": order,
    "table": table,
    "baseline": baseline,
    "format": marked,
    "math": strict_math,
    "footnote": strict_footnote,
    **FACTS,
}
"""The judge of each type of test."""
