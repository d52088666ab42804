"""What is wrong with a test by itself: an outcome that no page decides, differences that let anything pass."""

import re
from collections.abc import Iterator
from typing import Any

from rapidfuzz.distance import Levenshtein

from scriptorium.bench.judges.search import best_window
from scriptorium.bench.lint.entries import Entry, Placed, shown
from scriptorium.bench.lint.findings import Finding
from scriptorium.bench.tests import Test
from scriptorium.bench.text.normal import normal_form

LARGEST_SHARE = 4
"""`max_diffs` above a quarter of a text lets texts of another meaning stand for it."""

_NUMBER = re.compile(r"[\s$€£¥%.,:/()+\-–−\d]*\d[\s$€£¥%.,:/()+\-–−\d]*")
_CHECKED = ("verified", "rejected")


def check_tests(placed: list[Placed]) -> Iterator[Finding]:
    """The faults of each test by itself, formulas included."""
    for entry, test in placed:
        yield from _constant(entry, test)
        yield from _differences(entry, test)
        if test["type"] == "order":
            yield from _confusable(entry, test)
        yield from _checked(entry, test)
    yield from _formulas(placed)


def texts_of(test: Test) -> dict[str, str]:
    """The texts that a test looks for on the page, by field, in normal form; blank ones left out."""
    fields = ("text", "before", "after", "cell", "value", "appears_before_marker", "appears_after_marker")
    found = {name: test[name] for name in fields if isinstance(test.get(name), str)}
    for name in ("items", "cells"):
        found |= {f"{name}[{i}]": one for i, one in enumerate(test.get(name) or []) if isinstance(one, str)}
    normal = {name: normal_form(text).strip() for name, text in found.items()}
    return {name: text for name, text in normal.items() if text}


def _constant(entry: Entry, test: Test) -> Iterator[Finding]:
    """Tests that no page, or every page, passes."""
    for name, text in texts_of(test).items():
        if test["max_diffs"] >= len(text):
            problem = f"max_diffs {test['max_diffs']} is not less than the length of {name} ({len(text)}): "
            yield entry.finding("constant", f"{problem}any text would stand for it; lower it")
        yield from _window(entry, test, name, len(text))
    if test["type"] == "table" and not texts_of(test).get("cell") and not _relations(test):
        yield entry.finding("constant", "cell and all relations are blank: any table passes; name a cell")
    if test["type"] == "baseline" and test["max_repeats"] == 0:
        yield entry.finding("constant", "max_repeats 0 takes any ending for a loop; 1 or more is meant")


def _window(entry: Entry, test: Test, name: str, length: int) -> Iterator[Finding]:
    for side in ("first_n", "last_n"):
        size = test.get(side)
        if size == 0:
            yield entry.finding(
                "constant", f"{side} 0 is no window: the whole page is searched; use null or a number"
            )
        elif isinstance(size, int) and size < length - test["max_diffs"]:
            outcome = "no page can pass" if test["type"] != "absent" else "every page passes"
            yield entry.finding(
                "constant", f"{side} {size} is shorter than {name} ({length} characters): {outcome}; widen it"
            )


def _relations(test: Test) -> list[str]:
    names = ("up", "down", "left", "right", "top_heading", "left_heading")
    return [test[name] for name in names if test.get(name)]


def _differences(entry: Entry, test: Test) -> Iterator[Finding]:
    most = test["max_diffs"]
    if not most:
        return
    for name, text in texts_of(test).items():
        if most >= len(text):
            continue  # named as constant
        if _NUMBER.fullmatch(text):
            yield entry.finding(
                "fuzzy_number", f"max_diffs {most} lets other numbers than {shown(text)} pass; 0 is meant"
            )
        elif most * LARGEST_SHARE > len(text):
            yield entry.finding(
                "max_diffs",
                f"max_diffs {most} is more than a quarter of {name} ({len(text)} characters); lower it",
            )


def _confusable(entry: Entry, test: Test) -> Iterator[Finding]:
    before, after = normal_form(test["before"]), normal_form(test["after"])
    apart = Levenshtein.distance(before, after)
    if apart <= test["max_diffs"]:
        how = (
            "are the same text"
            if not apart
            else f"differ in {apart} characters, max_diffs is {test['max_diffs']}"
        )
        yield entry.finding("confusable", f"before and after {how}: each stands for the other; lengthen them")
        return
    for inner, outer, names in ((before, after, "before in after"), (after, before, "after in before")):
        if len(inner) < len(outer) and best_window(inner, outer, test["max_diffs"]):
            yield entry.finding(
                "contained", f"one text stands within the other ({names}); choose texts apart"
            )


def _checked(entry: Entry, test: Test) -> Iterator[Finding]:
    if test["checked"] == "rejected":
        yield entry.finding(
            "rejected", "was rejected and is never scored; --fix --drop-rejected drops its line"
        )
    elif test["checked"] is not None and test["checked"] not in _CHECKED:
        yield entry.finding(
            "checked_unknown", f"checked is {test['checked']!r}; verified, rejected or null is meant"
        )


def _formulas(placed: list[Placed]) -> Iterator[Finding]:
    """Formulas that KaTeX does not draw, or draws as nothing."""
    formulas = [(entry, test["math"]) for entry, test in placed if test["type"] == "math"]
    if not formulas:
        return
    from scriptorium.bench.formulas.render import render  # starts a JavaScript engine

    drawn: list[Any] = list(render([formula for _, formula in formulas]))
    for (entry, formula), found in zip(formulas, drawn, strict=True):
        if found.error:
            yield entry.finding("formula_error", f"math: does not render ({found.error}): {shown(formula)}")
        elif not found.symbols:
            yield entry.finding(
                "formula_blank", f"math: {shown(formula)} has no symbols: it matches anything"
            )
