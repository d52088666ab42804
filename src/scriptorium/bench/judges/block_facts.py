"""Facts about a page's lists, code, links and headings."""

import re
from urllib.parse import urlsplit, urlunsplit

from scriptorium.bench.judges.asked import alike, allowed, asked_whole, folded, plain
from scriptorium.bench.judges.search import best_window
from scriptorium.bench.judges.steps import Steps
from scriptorium.bench.tests import Test
from scriptorium.bench.text.blocks import Item
from scriptorium.bench.text.links import inline_codes
from scriptorium.bench.text.page import Page
from scriptorium.bench.verdict import Verdict

_LINE_END = re.compile(r"[ \t]+(?=\n|\Z)")


def _same(test: Test, wanted: str, text: str) -> bool:
    if not test["case_sensitive"]:
        wanted, text = folded(wanted), folded(text)
    return alike(wanted, text, test["max_diffs"])


def list_(test: Test, page: Page) -> Verdict:
    """The items stand in one list, in order; others may stand between them. Lists within a list count as its.

    `ordered` (null: either) says whether they are numbered; with `complete` the list has no other items. The
    margin is 0, or below 0 by as many as the nearest list lacks.
    """
    wanted = [asked_whole(item) for item in test["items"]]
    spend = Steps()
    best: tuple[int, tuple[int, int] | None] | None = None
    for items in page.blocks.lists:
        spend(len(items))
        met: list[Item] = []
        for item in items:
            kind = test["ordered"] in (None, item.ordered)
            if kind and len(met) < len(wanted) and _same(test, wanted[len(met)], plain(item.text)):
                met.append(item)
        off = len(wanted) - len(met) + (len(items) - len(met) if test["complete"] else 0)
        ends = [origin for item in met for origin in [item.origin] if origin]
        span = (ends[0][0], ends[-1][1]) if ends else None
        if not off:
            return Verdict(True, "found", span, 0)
        if met and (best is None or off < best[0]):
            best = off, span
    if best:
        return Verdict(False, "other_items", best[1], -best[0])
    return Verdict(False, "no_item" if page.blocks.lists else "no_list", None, -len(wanted))


def code(test: Test, page: Page) -> Verdict:
    """The text stands in a block of code or in inline code, blanks within lines as they are.

    Blanks at the ends of lines do not count. With `language`, a block that names it (in any case).
    """
    wanted = _LINE_END.sub("", test["text"]).strip("\n")
    language = None if test["language"] is None else test["language"].strip().lower()
    found = [(each.text, each.language, each.origin) for each in page.blocks.codes]
    if language is None:
        found += [(text, "", origin) for text, origin in inline_codes(page.markdown)]
    spend = Steps(20_000_000)
    met = None
    for text, named, origin in found:
        spend(len(text))
        place = best_window(wanted, _LINE_END.sub("", text), allowed(test, wanted))
        if place and language in (None, named):
            return Verdict(True, "found", origin, allowed(test, wanted) - place[2])
        met = origin if place else met
    return Verdict(False, "other_language" if met else "missing" if found else "no_code", met)


def link(test: Test, page: Page) -> Verdict:
    """A link leads to `href`, a link reads `text`, or one does both, where both are given."""
    text = None if test["text"] is None else asked_whole(test["text"])
    href = None if test["href"] is None else _address(test["href"])
    found = page.links
    spend = Steps()
    half = None
    for each in found:
        spend()
        leads = href is None or _address(each.url) == href
        reads = text is None or _same(test, text, each.text)
        if leads and reads:
            return Verdict(True, "found", each.origin, 0)
        if half is None and (leads or reads):
            half = ("other_text" if leads else "other_href"), each.origin
    if half and text is not None and href is not None:
        return Verdict(False, half[0], half[1])
    return Verdict(False, "missing" if found else "no_link")


def _address(url: str) -> str:
    """A URL as compared: scheme and host in small letters, no slash where there is no path."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return url.strip()
    path = "" if parts.path == "/" and parts.netloc else parts.path
    return urlunsplit((parts.scheme.lower(), parts.netloc.lower(), path, parts.query, parts.fragment))


def heading_outline(test: Test, page: Page) -> Verdict:
    """The headings follow each other with no other between them, each as deep relative to the rest as asked.

    Depths are compared by rank: `##`, `####` agrees with levels 1, 2. The margin is 0, or below 0 by as many
    headings as the nearest run lacks.
    """
    found = [mark for mark in page.view.marks if mark.kind == "heading"]
    found.sort(key=lambda mark: mark.start)
    asked = [asked_whole(heading["text"]) for heading in test["headings"]]
    levels = [heading["level"] for heading in test["headings"]]
    texts = [page.view.text[mark.start : mark.end].strip() for mark in found]
    spend = Steps()
    best, near, reason = 0, None, "missing" if found else "no_heading"
    for at in range(len(found)):
        met = 0
        for wanted, text in zip(asked, texts[at : at + len(asked)], strict=False):
            spend()
            if not _same(test, wanted, text):
                break
            met += 1
        if not met:
            continue
        run = found[at : at + met]
        span = page.view.span(run[0].start, run[-1].end)
        right = _ranks([mark.level for mark in run]) == _ranks(levels[:met])
        if met == len(asked) and right:
            return Verdict(True, "found", span, 0)
        if met > best:
            best, near, reason = met, span, "other_levels" if met == len(asked) else "no_outline"
    return Verdict(False, reason, near, None if reason == "other_levels" else best - len(asked))


def _ranks(levels: list[int]) -> list[int]:
    order = sorted(set(levels))
    return [order.index(level) for level in levels]
