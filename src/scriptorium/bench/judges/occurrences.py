"""How often a text stands on a page (count), and whether several texts stand there in order (chain)."""

import re
from bisect import bisect_left

from scriptorium.bench.judges.asked import allowed, asked, folded
from scriptorium.bench.judges.search import MAX_MATCHES, Match, apart, exact_matches, near_matches
from scriptorium.bench.judges.steps import Steps
from scriptorium.bench.tests import Test
from scriptorium.bench.text.page import Page
from scriptorium.bench.verdict import Verdict


def _compared(text: str, test: Test) -> str:
    return text if test["case_sensitive"] else folded(text)


def _whole_word(text: str, match: Match) -> bool:
    start, end, _ = match
    beside = (text[start - 1 : start] or " ") + text[start] + text[end - 1] + text[end : end + 1]
    return not (re.match(r"\w\w", beside) or re.search(r"\w\w\Z", beside[2:]))


def count(test: Test, page: Page) -> Verdict:
    """The text stands exactly `times` times on the page, places that overlap counted once.

    The margin is 0, or below 0 by as many as there are too many or too few.
    """
    text, wanted = _compared(page.view.text, test), _compared(asked(test["text"]), test)
    most = allowed(test, wanted)
    found = near_matches(wanted, text, most) if most else exact_matches(wanted, text)
    if test["whole_words"]:
        found = [match for match in found if _whole_word(text, match)]
    found = apart(found)
    span = page.view.span(found[0][0], found[-1][1]) if found else None
    off = len(found) - test["times"]
    return Verdict(not off, "counted" if not off else "too_many" if off > 0 else "too_few", span, -abs(off))


def chain(test: Test, page: Page) -> Verdict:
    """All items stand on the page in order, each after the end of the one before.

    Exact places of an item count; where it has none, near ones do. The margin is 0, or below 0 by as many as
    there are items out of place: those not in the longest chain.
    """
    text = _compared(page.view.text, test)
    spend = Steps(MAX_MATCHES)
    places: list[list[Match]] = []
    for item in test["items"]:
        wanted = _compared(asked(item), test)
        places.append(exact_matches(wanted, text) or near_matches(wanted, text, allowed(test, wanted)))
        spend(len(places[-1]))
    ends = _chain_ends(places)
    missing = [number for number, found in enumerate(places) if not found]
    first = next((found[0] for found in places if found), None)
    span = page.view.span(first[0], max(first[1], ends[-1])) if first and ends else None
    if missing:
        return Verdict(False, "item_missing", span, len(ends) - len(places))
    if len(ends) < len(places):
        return Verdict(False, "out_of_order", span, len(ends) - len(places))
    return Verdict(True, "in_order", span, 0)


def _chain_ends(places: list[list[Match]]) -> list[int]:
    """For k = 1, 2, ...: where the chain of k items that ends earliest ends; as long as there is one."""
    ends: list[int] = []
    for found in places:
        starts = [match[0] for match in found]
        for size in range(len(ends), -1, -1):
            at = bisect_left(starts, ends[size - 1] if size else 0)
            if at == len(found):
                continue
            end = found[at][1]
            if size == len(ends):
                ends.append(end)
            elif end < ends[size]:
                ends[size] = end
    return ends
