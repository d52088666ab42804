"""The rule set olmocr-2026.03: olmOCR-bench's verdicts as of March 2026, floating point and faults included.

For comparison with published scores. Two deviations: table spans and searches are bounded (no hangs), and
the near matches of an order test are the true best ones.
"""

import re
from functools import lru_cache

from rapidfuzz import fuzz

from scriptorium.bench.formulas.judge import olmocr_math
from scriptorium.bench.judges.cells import judge_table
from scriptorium.bench.judges.facts import FACTS
from scriptorium.bench.judges.footnotes import olmocr_footnote
from scriptorium.bench.judges.search import bounded, near_matches
from scriptorium.bench.tests import Test
from scriptorium.bench.text.normal import normal_form
from scriptorium.bench.text.page import Page
from scriptorium.bench.verdict import Judge, Verdict

_asked = lru_cache(maxsize=4096)(normal_form)

_IMAGE = re.compile(r"!\[.*?\]\(.*?\)")
DISALLOWED = re.compile(
    "[\u4e00-\u9fff\u3040-\u309f\u30a0-\u30ff"
    "\U0001f600-\U0001f64f\U0001f300-\U0001f5ff\U0001f680-\U0001f6ff\U0001f1e0-\U0001f1ff]"
)
"""Characters that an English page does not hold: a model that writes them has slipped."""

_ANY = re.DOTALL
_PIECES: dict[str, list[re.Pattern[str]]] = {
    "heading": [
        re.compile(r"^#{1,6}\s+(.+)$", re.MULTILINE),
        re.compile(r"<h[1-6][^>]*>(.*?)</h[1-6]>", re.IGNORECASE | _ANY),
    ],
    "bold": [
        re.compile(r"\*\*(.*?)\*\*", _ANY),
        re.compile(r"__(.*?)__", _ANY),
        re.compile(r"<b[^>]*>(.*?)</b>", re.IGNORECASE | _ANY),
        re.compile(r"<strong[^>]*>(.*?)</strong>", re.IGNORECASE | _ANY),
    ],
    "italic": [
        re.compile(r"(?<!\*)\*(?!\*)(.+?)(?<!\*)\*(?!\*)", _ANY),
        re.compile(r"(?<!_)_(?!_)(.+?)(?<!_)_(?!_)", _ANY),
        re.compile(r"<i[^>]*>(.*?)</i>", re.IGNORECASE | _ANY),
        re.compile(r"<em[^>]*>(.*?)</em>", re.IGNORECASE | _ANY),
    ],
}


def _threshold(wanted: str, max_diffs: int) -> float:
    return 1.0 - max_diffs / (len(wanted) if wanted else 1)


def _found(test: Test, page: Page) -> bool:
    text, wanted = page.normal, _asked(test["text"])
    if not test["case_sensitive"]:
        text, wanted = text.lower(), wanted.lower()
    first, last = test["first_n"], test["last_n"]
    if first and last:
        text = text[:first] + text[-last:]
    elif first or last:
        text = text[:first] if first else text[-last:]
    return wanted in text or _near(wanted, text, test["max_diffs"])


def _near(wanted: str, text: str, max_diffs: int) -> bool:
    return fuzz.partial_ratio(wanted, bounded(wanted, text)) / 100.0 >= _threshold(wanted, max_diffs)


def present(test: Test, page: Page) -> Verdict:
    """The text stands somewhere on the page."""
    return Verdict(True, "found") if _found(test, page) else Verdict(False, "missing")


def absent(test: Test, page: Page) -> Verdict:
    """The text stands nowhere on the page."""
    return Verdict(False, "found") if _found(test, page) else Verdict(True, "missing")


def order(test: Test, page: Page) -> Verdict:
    """Some place of `before` starts ahead of some place of `after`."""
    before = _starts(test["before"], page.normal, test["max_diffs"])
    if before is None:
        return Verdict(False, "before_missing")
    after = _starts(test["after"], page.normal, test["max_diffs"])
    if after is None:
        return Verdict(False, "after_missing")
    in_order = before[0] < after[1]
    return Verdict(in_order, "in_order" if in_order else "reversed")


def _starts(wanted: str, text: str, most: int) -> tuple[int, int] | None:
    """Where the first and the last place of a text start; None without any."""
    wanted = _asked(wanted)
    if not most:
        first = text.find(wanted)
        return (first, text.rfind(wanted)) if first >= 0 else None
    found = near_matches(wanted, text, most)
    return (min(match[0] for match in found), max(match[0] for match in found)) if found else None


def table(test: Test, page: Page) -> Verdict:
    """A cell with its neighbours and headings."""

    def same(wanted: str, text: str) -> bool:
        least = max(0.5, _threshold(wanted, test["max_diffs"]))
        return fuzz.ratio(wanted, text) / 100.0 >= least

    markdown = [] if test["ignore_markdown_tables"] else page.olmocr_markdown_tables
    return judge_table(test, markdown + page.olmocr_html_tables, _asked, same)


def baseline(test: Test, page: Page) -> Verdict:
    """There is content (or, on a blank page, hardly any), no loop at the end, no character out of place."""
    text = page.markdown
    if test["max_length"] is not None:
        if test["max_length_skips_image_alt_tags"]:
            text = _IMAGE.sub("", text)
        left = test["max_length"] - sum(character.isalnum() for character in text)
        return Verdict(left >= 0, "ok" if left >= 0 else "too_long", margin=left)
    if not any(character.isalnum() for character in text):
        return Verdict(False, "empty")
    tail = re.sub(r"\s+", " ", text)
    if any(_repeats(tail, size) > test["max_repeats"] for size in range(1, 6)):
        return Verdict(False, "repeats")
    if test["check_disallowed_characters"] and DISALLOWED.search(text):
        return Verdict(False, "characters")
    return Verdict(True, "ok")


def _repeats(text: str, size: int) -> int:
    unit = text[-size:]
    count, end = 0, len(text)
    while len(unit) == size and end >= size and text[end - size : end] == unit:
        count += 1
        end -= size
    return count


def _up_to_last_tag(text: str, pattern: re.Pattern[str]) -> str:
    """For an HTML pattern, the text up to its last closing tag: a page of opening tags must not be slow."""
    closing = pattern.pattern.rpartition("(.*?)")[2] if pattern.pattern.startswith("<") else ""
    if not closing:
        return text
    return text[: max((tag.end() for tag in re.finditer(closing, text, re.IGNORECASE)), default=0)]


def marked(test: Test, page: Page) -> Verdict:
    """The text stands in a heading, in bold or in italics."""
    wanted = _asked(test["text"])
    fold = not test["case_sensitive"]
    wanted = wanted.lower() if fold else wanted
    for pattern in _PIECES[test["format"]]:
        for piece in pattern.findall(_up_to_last_tag(page.markdown, pattern)):
            text = normal_form(piece).lower() if fold else normal_form(piece)
            if _near(wanted, text, test["max_diffs"]):
                return Verdict(True, "found")
    return Verdict(False, "missing")


TYPES: dict[str, Judge] = {
    "present": present,
    "absent": absent,
    "order": order,
    "table": table,
    "baseline": baseline,
    "format": marked,
    "math": olmocr_math,
    "footnote": olmocr_footnote,
    **FACTS,
}
"""The judge of each type of test."""
