"""What a verdict rests on, and what small change to a failed test would have let it pass.

Nothing is judged here: a change is tried by judging the changed test.
"""

from collections.abc import Iterator
from dataclasses import replace

from rapidfuzz import fuzz, process

from scriptorium.bench.formulas.find import strict_formulas
from scriptorium.bench.judges.asked import asked, folded
from scriptorium.bench.judges.cells import RELATIONS
from scriptorium.bench.judges.olmocr import DISALLOWED
from scriptorium.bench.judges.rule_sets import RULES, judge_checked
from scriptorium.bench.judges.search import best_window
from scriptorium.bench.judges.steps import OutOfSteps
from scriptorium.bench.tests import Test
from scriptorium.bench.text.page import Page
from scriptorium.bench.verdict import Verdict

MAX_EXPLAINED = 200_000
"""Characters of a page whose verdicts are explained: no page of print is longer."""

NEAR = 60.0
"""How alike (rapidfuzz's ratio, in percent) the nearest miss must be to be named."""

_EXTRA_DIFFS = (1, 2, 3, 5, 8)
_NAMES = {"text": "text", "before": "before", "after": "after"}
_DROPS: dict[str, dict[str, object]] = {
    "table": dict.fromkeys(RELATIONS, ""),
    "numeric_cell": dict.fromkeys(RELATIONS, ""),
    "table_shape": {"rows": None, "columns": None, "cell": None},
    "footnote": {"appears_before_marker": None, "appears_after_marker": None},
    "list": {"ordered": None, "complete": False},
    "code": {"language": None},
    "link": {"text": None, "href": None},
    "count": {"whole_words": False},
    "baseline": {"check_disallowed_characters": False},
}
"""Fields that a test of a type can do without, and their values where they ask for nothing."""

Change = tuple[str, Test, str]
"""What would be different, in words; the changed test; the rule set that judges it."""


def explain(test: Test, page: Page, rules: str, verdict: Verdict) -> Verdict:
    """The verdict with its evidence, its margin and, for a failed test, `would_pass_if`, where there are any.

    `test` is as `check_test` gives it. The outcome and the code stay. An undecided verdict and one of a page
    beyond MAX_EXPLAINED characters are given back as they are.
    """
    if verdict.passed is None or len(page.markdown) > MAX_EXPLAINED:
        return verdict
    try:
        span, margin = _nearest(test, page)
    except OutOfSteps:
        return verdict
    if test["type"] not in ("present", "absent") or (margin is not None and (margin < 0) is verdict.passed):
        margin = None
    return replace(
        verdict,
        evidence=verdict.evidence or span,
        margin=margin if verdict.margin is None else verdict.margin,
        would_pass_if=None if verdict.passed else _would_pass_if(test, page, rules, verdict),
    )


def _nearest(test: Test, page: Page) -> tuple[tuple[int, int] | None, float | None]:
    """Where the page comes nearest to the texts asked for, and the margin that this place leaves."""
    places = [_nearest_place(test, page, test[name]) for name in _NAMES if test.get(name)]
    known = [place for place in places if place]
    if test["type"] == "baseline":
        odd = DISALLOWED.search(page.markdown)
        return (odd.span() if odd and test["max_length"] is None else None), None
    if not known or len(known) < len(places):
        return None, None
    span = page.view.span(min(place[0] for place in known), max(place[1] for place in known))
    left = test["max_diffs"] - known[0][2]
    return span, float(-left - 1 if test["type"] == "absent" else left)


def _nearest_place(test: Test, page: Page, text: str) -> tuple[int, int, int] | None:
    wanted, seen = asked(text), page.view.text
    if test.get("case_sensitive") is False:
        wanted, seen = folded(wanted), folded(seen)
    return best_window(wanted, seen, len(wanted) // 2)


def _would_pass_if(test: Test, page: Page, rules: str, verdict: Verdict) -> str | None:
    for words, changed, under in _changes(test, page, rules, verdict):
        if judge_checked(changed, page, under).passed:
            return words
    if test["type"] == "absent":
        return "the text were not there"
    return None


def _changes(test: Test, page: Page, rules: str, verdict: Verdict) -> Iterator[Change]:
    """Small changes to a test, the smallest first."""
    yield from ((words, test | fields, rules) for words, fields in _relaxed(test))
    other = next(name for name in RULES if name != rules)
    yield f"read by {other}", test, other
    if test["type"] == "absent" and test["max_diffs"]:
        yield f"max_diffs were 0 (now {test['max_diffs']})", test | {"max_diffs": 0}, rules
    for field in ("cell", "math"):
        yield from ((words, test | {field: text}, rules) for words, text in _readings(test, page, field))
    yield from ((words, test | fields, rules) for words, fields in _numbers(test, verdict))
    if test["type"] not in ("absent", "math", "baseline"):
        for extra in _EXTRA_DIFFS:
            most = test["max_diffs"] + extra
            if 4 * extra <= max(4, _length(test)):
                changed = test | {"max_diffs": most}
                yield f"max_diffs were {most} (now {test['max_diffs']})", changed, rules
    for field, value in _DROPS.get(test["type"], {}).items():
        if test[field] != value:
            yield from ((words, test | {field: text}, rules) for words, text in _readings(test, page, field))
            yield f"{field} were not asked for", test | {field: value}, rules


def _length(test: Test) -> int:
    """The length of the shortest text of a test."""
    texts = [value for name, value in test.items() if name not in _NO_TEXTS and isinstance(value, str)]
    for name in ("items", "cells"):
        texts += test.get(name, [])
    texts += [heading["text"] for heading in test.get("headings", [])]
    return min((len(text) for text in texts if text), default=0)


_NO_TEXTS = ("type", "pdf", "id", "url", "category", "checked", "format", "marker", "language")


def _relaxed(test: Test) -> Iterator[tuple[str, Test]]:
    """Changes of case, of window and of order."""
    if test["type"] == "absent":
        if not test["case_sensitive"]:
            yield "letter case counted", {"case_sensitive": True}
        return
    if test.get("case_sensitive"):
        yield "letter case is ignored", {"case_sensitive": False}
    first, last = test.get("first_n"), test.get("last_n")
    if first or last:
        parts = [f"{name} {n}" for name, n in (("first", first), ("last", last)) if n]
        yield f"searched outside the {' and '.join(parts)} characters", {"first_n": None, "last_n": None}
    if test["type"] == "order":
        yield "before and after were swapped", {"before": test["after"], "after": test["before"]}


def _readings(test: Test, page: Page, field: str) -> Iterator[tuple[str, str]]:
    """The texts of the page that come nearest to a field's, in words and as they are."""
    wanted = test.get(field)
    if not isinstance(wanted, str) or not wanted:
        return
    if field == "math":
        texts = [formula.text for formula in strict_formulas(page.markdown, True) if not formula.is_mathml]
    elif field in ("cell", *RELATIONS) and test["type"] in ("table", "numeric_cell", "table_shape"):
        texts = [
            text for table in page.strict_markdown_tables + page.strict_html_tables for text in table.texts
        ]
    else:
        return
    what = {"cell": "the cell", "math": "the formula"}.get(field, field)
    for text, _, _ in process.extract(
        wanted, list(dict.fromkeys(texts)), scorer=fuzz.ratio, limit=3, score_cutoff=NEAR
    ):
        yield f"{what} read '{wanted}' (reads '{text}')", text


def _numbers(test: Test, verdict: Verdict) -> Iterator[tuple[str, Test]]:
    """Numbers of a test as the page has them."""
    off = int(-verdict.margin) if verdict.margin else 0
    if test["type"] == "count" and off:
        times = test["times"] + (off if verdict.code == "too_many" else -off)
        yield f"times were {times} (now {test['times']})", {"times": times}
    if verdict.code == "too_long" and off:
        most = test["max_length"] + off
        yield f"max_length were {most} (now {test['max_length']})", {"max_length": most}
    for name in ("rows", "columns") if verdict.code == "other_shape" else ():
        if test[name] is not None:
            for number in (test[name] - off, test[name] + off):
                yield f"{name} were {number} (now {test[name]})", {name: number}
    if test["type"] == "chain" and len(test["items"]) > 2:
        for number, item in enumerate(test["items"]):
            rest = test["items"][:number] + test["items"][number + 1 :]
            yield f"item {number + 1} ('{item}') were not asked for", {"items": rest}
