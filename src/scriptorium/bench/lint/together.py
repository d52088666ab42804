"""What is wrong with the tests of a page together: contradictions, the same fact asked twice."""

import itertools
import json
from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from rapidfuzz import fuzz

from scriptorium.bench.lint.entries import Placed, shown
from scriptorium.bench.lint.findings import Finding
from scriptorium.bench.lint.single import texts_of
from scriptorium.bench.tests import PLACE, Test
from scriptorium.bench.text.normal import normal_form

NEAR = 95.0
"""Likeness in percent from which two texts of a page may be one fact asked twice."""
LEAST_LENGTH = 20
"""Shorter texts are alike by chance."""
NEIGHBOURS = 200
"""In order of text, each test is compared with so many after it: a page has ten tests, not thousands."""

_NEEDING = ("present", "order", "chain", "format", "list", "link", "code", "table", "table_row")

Step = tuple[str, Placed]
"""A text that must come later, and the test that says so."""


def check_pages(placed: list[Placed]) -> Iterator[Finding]:
    """The faults of each page's tests together."""
    pages: dict[tuple[str, int], list[Placed]] = defaultdict(list)
    for entry, test in placed:
        if test["checked"] != "rejected":
            pages[test["pdf"], test["page"]].append((entry, test))
    for page in pages.values():
        yield from _present_and_absent(page)
        yield from _blank_and_present(page)
        yield from _circles(page)
        yield from _counts(page)
        yield from _duplicates(page)
        yield from _near_duplicates(page)


def _required(test: Test) -> list[str]:
    """The texts without which a test cannot pass."""
    if test["type"] in _NEEDING or test.get("times"):
        return list(texts_of(test).values())
    return []


def _present_and_absent(page: list[Placed]) -> Iterator[Finding]:
    forbidden = [(e, t, normal_form(t["text"]).strip()) for e, t in page if t["type"] == "absent"]
    needed = [(e, t, text) for e, t in page for text in _required(t)] if forbidden else []
    for entry, test, text in forbidden:
        for other, need, whole in needed:
            if _within(test, need) and _stands(text, whole, test, need):
                yield entry.finding(
                    "contradiction",
                    f"{shown(text)} must be absent, but {other.place} ({other.id}) needs {shown(whole)}; drop one",
                )


def _within(absent: Test, need: Test) -> bool:
    """Whether all places where a text may be needed are places where it must not be."""
    if not absent["first_n"] and not absent["last_n"]:
        return True
    for side, other in (("first_n", "last_n"), ("last_n", "first_n")):
        if need.get(side) and not need.get(other) and absent[side] and need[side] <= absent[side]:
            return True
    return False


def _stands(text: str, whole: str, absent: Test, need: Test) -> bool:
    """Whether a page with `whole`, as far as `need` is sure of it, has `text`."""
    if not absent["case_sensitive"]:
        text, whole = text.lower(), whole.lower()
    elif not need.get("case_sensitive", True):
        return False
    return text == whole or (not need["max_diffs"] and text in whole)


def _blank_and_present(page: list[Placed]) -> Iterator[Finding]:
    longest = max((len(text) for _, test in page for text in _required(test)), default=0)
    for entry, test in page:
        if (
            test["type"] == "baseline"
            and test["max_length"] is not None
            and test["max_length"] < longest // 2
        ):
            yield entry.finding(
                "contradiction",
                f"max_length {test['max_length']} says blank, but a test needs {longest} characters",
            )


def _circles(page: list[Placed]) -> Iterator[Finding]:
    """Tests by which a text comes before itself."""
    later: dict[str, list[Step]] = defaultdict(list)
    for one in page:
        texts = list(texts_of(one[1]).values()) if one[1]["type"] in ("order", "chain") else []
        for first, second in itertools.pairwise(texts):
            if first != second:
                later[first].append((second, one))
    if not _turns(later):
        return
    told: set[frozenset[str]] = set()
    for first in list(later):
        for second, (entry, _) in later[first]:
            circle = _way(later, second, first)
            if circle is None:
                continue
            places = frozenset([entry.place, *(other.place for other, _ in circle)])
            if places not in told:
                told.add(places)
                others = ", ".join(f"{other.place} ({other.id})" for other, _ in circle)
                yield entry.finding(
                    "contradiction",
                    f"{shown(first)} before {shown(second)}, but by {others} it comes after; drop one",
                )


def _turns(later: dict[str, list[Step]]) -> bool:
    """Whether some text comes before itself."""
    try:
        TopologicalSorter({first: [text for text, _ in steps] for first, steps in later.items()}).prepare()
    except CycleError:
        return True
    return False


def _way(later: dict[str, list[Step]], start: str, goal: str) -> list[Placed] | None:
    """The tests of a shortest way from one text to another; None if there is none."""
    came: dict[str, tuple[str, Placed] | None] = {start: None}
    queue = [start]
    for text in queue:
        if text == goal:
            way = []
            while (step := came[text]) is not None:
                text, one = step
                way.append(one)
            return way[::-1]
        for following, one in later.get(text, []):
            if following not in came:
                came[following] = (text, one)
                queue.append(following)
    return None


def _counts(page: list[Placed]) -> Iterator[Finding]:
    seen: dict[tuple[str, bool], Placed] = {}
    for entry, test in page:
        if test["type"] == "count":
            key = (normal_form(test["text"]).strip(), test["case_sensitive"])
            other, first = seen.setdefault(key, (entry, test))
            if first["times"] != test["times"]:
                yield entry.finding(
                    "contradiction",
                    f"{test['times']} times, but {other.place} says {first['times']}; drop one",
                )


def _duplicates(page: list[Placed]) -> Iterator[Finding]:
    """The same test under another id."""
    seen: dict[str, Placed] = {}
    for entry, test in page:
        left_out = (*PLACE, "checked", "url", "category")
        asked = {key: value for key, value in test.items() if key not in left_out}
        normal = {
            k: normal_form(v).strip() if isinstance(v, str) and k != "math" else v for k, v in asked.items()
        }
        other, _ = seen.setdefault(json.dumps(normal, sort_keys=True), (entry, test))
        if other is not entry and other.id != entry.id:
            yield entry.finding("duplicate", f"asks what {other.place} ({other.id}) asks; drop one")


def _near_duplicates(page: list[Placed]) -> Iterator[Finding]:
    groups: dict[str, list[tuple[str, Placed]]] = defaultdict(list)
    for entry, test in page:
        text = "\n".join(texts_of(test).values())
        if test["type"] in ("present", "absent", "order") and len(text) >= LEAST_LENGTH:
            groups[test["type"]].append((text, (entry, test)))
    for group in groups.values():
        group.sort(key=lambda each: each[0])
        told: set[str] = set()
        for at, (text, (entry, _)) in enumerate(group):
            for other, (twin, _) in group[at + 1 : at + 1 + NEIGHBOURS]:
                if twin.place not in told and text != other and fuzz.ratio(text, other, score_cutoff=NEAR):
                    told.add(twin.place)
                    yield twin.finding("near_duplicate", f"is nearly what {entry.place} ({entry.id}) asks")
