"""The judges of formula tests, of both rule sets."""

from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from scriptorium.bench.formulas.engine import GIVEN_UP
from scriptorium.bench.formulas.find import Formula, olmocr_formulas, readings, strict_formulas
from scriptorium.bench.formulas.geometry import contains
from scriptorium.bench.formulas.render import Rendered, render
from scriptorium.bench.formulas.structure import Structure, structure
from scriptorium.bench.tests import Test
from scriptorium.bench.text.page import Page
from scriptorium.bench.verdict import Verdict

_PAGES = 8
MOST_FORMULAS = 10_000
"""Different formulas of a page that are rendered: a full page has some hundred."""


@lru_cache(maxsize=_PAGES)
def _olmocr_read(markdown: str, dollars: bool) -> dict[str, Rendered]:
    formulas = list(dict.fromkeys(olmocr_formulas(markdown, dollars)))
    return dict(zip(formulas, _rendered(formulas, layout=True), strict=True))


def _rendered(formulas: list[str], layout: bool) -> list[Rendered]:
    """Each formula rendered, but those beyond MOST_FORMULAS given up."""
    beyond = Rendered("", None, GIVEN_UP)
    return render(formulas[:MOST_FORMULAS], layout) + [beyond] * (len(formulas) - MOST_FORMULAS)


def olmocr_math(test: Test, page: Page) -> Verdict:
    """A formula of the page reads as the test's, or holds it by the look of its symbols.

    A test's formula that does not render, or shows nothing, stands in any formula (olmOCR-bench's fault).
    """
    wanted = test["math"]
    formulas = _olmocr_read(page.markdown, not test["ignore_dollar_delimited"])
    if not formulas:
        return Verdict(False, "no_formula")
    if wanted in formulas:
        return _found(page, wanted)
    reference = render([wanted])[0]
    if reference.limited:
        return Verdict(None, "step_limit")
    undecided = False
    for formula in sorted(formulas, key=lambda formula: -fuzz.ratio(formula, wanted)):
        candidate = formulas[formula]
        # What KaTeX refuses has no symbols: it stands in everything, and holds only what shows nothing too.
        held = None if candidate.limited else contains(candidate.layout, reference.layout)
        if held:
            return _found(page, formula)
        undecided |= held is None
    return Verdict(None, "step_limit") if undecided else Verdict(False, "not_found")


def _found(page: Page, formula: str) -> Verdict:
    """Passed; the evidence is where the formula first stands, if it stands there unbroken."""
    start = page.markdown.find(formula)
    return Verdict(True, "found", (start, start + len(formula)) if start >= 0 and formula else None)


@dataclass(frozen=True)
class _Read:
    """A formula of a page and the structures that it may be meant to have; none where nothing can be made of it.

    `limited`: a reading was too large or took too long.
    """

    formula: Formula
    structures: tuple[Structure, ...]
    limited: bool


@lru_cache(maxsize=_PAGES)
def _strict_formulas(markdown: str, dollars: bool) -> list[Formula]:
    return strict_formulas(markdown, dollars)


@lru_cache(maxsize=_PAGES)
def _read(markdown: str, dollars: bool) -> list[_Read]:
    formulas = _strict_formulas(markdown, dollars)
    texts = [[] if formula.is_mathml else readings(formula.text, formula.in_table) for formula in formulas]
    rendered = iter(_rendered([text for ways in texts for text in ways], layout=False))
    read = []
    for formula, ways in zip(formulas, texts, strict=True):
        made = [next(rendered) for _ in ways]
        known = [one.structure for one in made if one.mathml]
        if formula.is_mathml:
            known = [structure(formula.text)]
        limited = any(one.limited for one in made) or any(one.too_deep for one in known)
        read.append(_Read(formula, tuple(one for one in known if one.body), limited))
    return read


def strict_math(test: Test, page: Page) -> Verdict:
    """A formula of the page is the test's, or holds it as a run of one of its rows.

    What looks the same is the same (see `structure`), however it is spelled.
    """
    dollars = not test["ignore_dollar_delimited"]
    formulas = _strict_formulas(page.markdown, dollars)
    if not formulas:
        return Verdict(False, "no_formula")
    rendered = render(readings(test["math"])[:1], layout=False)[0]
    wanted = rendered.structure
    if rendered.limited or wanted.too_deep:
        return Verdict(None, "step_limit")
    if not wanted.body:
        return Verdict(False, "reference_unrenderable")
    for one in formulas:
        # The very LaTeX of the test holds it, and better than any other: the page need not be rendered.
        if one.text == test["math"] and not one.is_mathml:
            return Verdict(True, "found", (one.start, one.end))
    read = _read(page.markdown, dollars)
    holding = [one for one in read if any(way.holds(wanted) for way in one.structures)]
    if holding:
        best = max(holding, key=lambda one: fuzz.ratio(one.formula.text, test["math"])).formula
        return Verdict(True, "found", (best.start, best.end))
    if any(one.limited for one in read):
        return Verdict(None, "step_limit")
    return Verdict(False, "not_found" if any(one.structures for one in read) else "unrenderable")
