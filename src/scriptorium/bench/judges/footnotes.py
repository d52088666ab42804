"""The footnote test: a marker on the page, and the texts beside it, under both rule sets."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache

from rapidfuzz import fuzz

from scriptorium.bench.judges.asked import asked
from scriptorium.bench.judges.search import best_window
from scriptorium.bench.tests import Test
from scriptorium.bench.text.normal import normal_form
from scriptorium.bench.text.page import Page
from scriptorium.bench.verdict import Verdict

CONTEXT = 200
"""How many characters beside a marker are looked at: olmOCR-bench's number."""

_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_DAGGERS = re.compile(r"[†‡]+")
"""Marks that are raised by themselves: they need no superscript to be one."""

_LIST = re.compile(r"[\s,;()\[\]\-]+")

Place = tuple[int, int]


def _letters(text: str) -> str:
    """Letters and digits only, in lower case: marks and blanks beside a marker tell nothing."""
    return "".join(character for character in text if character.isalnum()).lower()


def _verdict(
    test: Test,
    places: Iterable[Place],
    text: str,
    stands: Callable[[str, str, bool], bool],
    span: Callable[[int, int], Place],
) -> Verdict:
    """Both texts must stand beside the marker, each at whatever place; `stands` judges one text and side."""
    found = list(places)
    if not found:
        return Verdict(False, "marker_missing")
    shown = found[0]
    before, after = test["appears_before_marker"], test["appears_after_marker"]
    if before:
        reach = max(CONTEXT, 4 * len(before))
        here = next((p for p in found if stands(before, text[max(0, p[0] - reach) : p[0]], True)), None)
        if here is None:
            return Verdict(False, "before_missing", span(*shown))
        shown = here
    if after:
        reach = max(CONTEXT, 4 * len(after))
        here = next((p for p in found if stands(after, text[p[1] : p[1] + reach], False)), None)
        if here is None:
            return Verdict(False, "after_missing", span(*shown))
        shown = here
    return Verdict(True, "found", span(*shown))


def _beside(context: str, size: int, ahead: bool) -> str:
    """Of the letters of a context, twice as many as are asked for, from the marker on."""
    letters = _letters(context)
    size = min(len(letters), 2 * size)
    return letters[len(letters) - size :] if ahead else letters[:size]


def _olmocr_places(marker: str, text: str) -> list[Place]:
    escaped = re.escape(marker)
    patterns = [
        re.compile(rf"\[\^{escaped}\](?!:)"),
        re.compile(rf"<sup[^>]*>{escaped}</sup>", re.IGNORECASE),
    ]
    if marker.isdigit():
        patterns.append(re.compile(re.escape(marker.translate(_SUPERSCRIPT))))
    return [match.span() for pattern in patterns for match in pattern.finditer(text)]


def olmocr_footnote(test: Test, page: Page) -> Verdict:
    """A reference, `<sup>` or run of superscript digits holds the marker; near it stand the texts."""

    def stands(wanted: str, context: str, ahead: bool) -> bool:
        form = _olmocr_form(wanted)
        letters = _letters(form)
        beside = _beside(normal_form(context[-CONTEXT:] if ahead else context[:CONTEXT]), len(letters), ahead)
        least = 1.0 - test["max_diffs"] / max(1, len(form))
        return bool(beside) and fuzz.partial_ratio(letters, beside) / 100.0 >= least

    places = _olmocr_places(test["marker"], page.markdown)
    return _verdict(test, places, page.markdown, stands, lambda start, end: (start, end))


_olmocr_form = lru_cache(maxsize=4096)(normal_form)


def marker_form(marker: str) -> str:
    """A marker as compared: superscript characters as plain ones, without blanks at its ends."""
    return " ".join(unicodedata.normalize("NFKC", marker).replace("\u2013", "-").split())


def strict_footnote(test: Test, page: Page) -> Verdict:
    """A footnote mark of any spelling holds the marker, alone or in a list; beside it stand the texts."""
    marker = marker_form(test["marker"])
    places = {
        (note.start, note.end): page.view.as_written(*note.origin)
        for note in page.view.notes
        if marker and marker in ((form := marker_form(note.marker)), *_LIST.split(form))
    }

    if _DAGGERS.fullmatch(marker):
        runs = (run.span() for run in _DAGGERS.finditer(page.view.text) if run.group() == marker)
        places |= {run: page.view.span(*run) for run in runs}

    def stands(wanted: str, context: str, ahead: bool) -> bool:
        letters = _letters(asked(wanted))
        most = min(test["max_diffs"], len(letters) // 2)
        return bool(letters) and best_window(letters, _beside(context, len(letters), ahead), most) is not None

    return _verdict(test, places, page.view.text, stands, lambda start, end: places[start, end])
