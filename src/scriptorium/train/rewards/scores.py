"""The scores of one answer, each in [0, 1]; the names by which a recipe asks for them.

Each has two forms: ours, and `published`, as its source computes it, with the source's faults.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import astuple
from functools import lru_cache
from typing import Any

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from scriptorium.bench.rules import OLMOCR, STRICT, check_tests, counted, judge_checked
from scriptorium.bench.tests import Test
from scriptorium.bench.verdict import Verdict
from scriptorium.pages import front_matter
from scriptorium.train.rewards.alignment import table_likeness, tables_of
from scriptorium.train.rewards.answer import Answer, page_of
from scriptorium.train.rewards.markdown import headings, order, similarity, structure

Score = Callable[[Answer, bool], float]

PIECE = 20
"""Characters of the pieces whose repetition counts."""
MARKS = re.compile(r"<[^>]*>|[|:\-\s]+")
TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL | re.IGNORECASE)
FORMULA = re.compile(r"\$\$.+?\$\$|\\\(.+?\\\)|\\\[.+?\\\]", re.DOTALL)


def passed(answer: Answer, published: bool) -> dict[str, list[bool]]:
    """Which of the page's unit tests the answer passes, by type.

    Published: olmOCR-bench's rules, on the whole answer with its header. A test whose judge raises is failed.
    """
    if published in answer.passed:
        return answer.passed[published]
    rules = OLMOCR if published else STRICT
    page = page_of(answer.raw) if published else answer.page
    tests = _tests(answer.tests)
    won = counted(tests, [_verdict(test, page, rules) for test in tests], rules)
    found: dict[str, list[bool]] = defaultdict(list)
    for test, each in zip(tests, won, strict=True):
        found[test["type"]].append(each)
    answer.passed[published] = found
    return found


def _verdict(test: Test, page: Any, rules: str) -> Verdict:
    try:
        return judge_checked(test, page, rules)
    except Exception as error:
        return Verdict(False, f"error: {type(error).__name__}")


@lru_cache(maxsize=4096)
def _tests(tests: str) -> list[Test]:
    """The tests of a row, checked once for all its answers."""
    return check_tests(json.loads(tests))


def bench(answer: Answer, published: bool) -> float:
    """The share of the page's unit tests that the answer passes."""
    won = [each for of_type in passed(answer, published).values() for each in of_type]
    return sum(won) / len(won)


def bench_macro(answer: Answer, published: bool) -> float:
    """The mean over the types of test of the share passed."""
    shares = [sum(each) / len(each) for each in passed(answer, published).values()]
    return sum(shares) / len(shares)


def header(answer: Answer, published: bool) -> float:
    """0.5 for front matter that parses, and 0.1 for each of its five fields that equals the truth's.

    Without a truth, parsing is all there is to earn: 1, or 0.5 as published.
    """
    try:
        found, _ = front_matter.decode(answer.raw)
    except front_matter.FrontMatterError:
        return 0.0
    if answer.truth is None:
        return 0.5 if published else 1.0
    wanted, _ = front_matter.decode(answer.truth)
    return min(1.0, 0.5 + 0.1 * sum(a == b for a, b in zip(astuple(found), astuple(wanted), strict=True)))


def edit(answer: Answer, published: bool) -> float:
    """The likeness of the texts, letter by letter: of the whole answers (published), or of the bodies."""
    if published:
        return fuzz.ratio(answer.raw, answer.truth) / 100 if answer.truth is not None else 0.0
    text, wanted = " ".join(answer.text.split()), " ".join(answer.wanted.split())
    return float(Levenshtein.normalized_similarity(text, wanted))


def elements(answer: Answer, published: bool) -> float:
    """Half for the number of tables, half for the number of formulas: all or nothing (published), or in part."""
    if published:
        if answer.truth is None:
            return 0.0
        found, wanted = answer.raw, answer.truth
        return sum(0.5 * (len(mark.findall(found)) == len(mark.findall(wanted))) for mark in (TABLE, FORMULA))
    tables = _part(len(tables_of(answer.page)), len(tables_of(answer.wanted_page)))
    return 0.5 * tables + 0.5 * _part(len(_formulas(answer.text)), len(_formulas(answer.wanted)))


def rectangles(answer: Answer, published: bool) -> float:
    """The share of the tables whose rows are equally long; without one it is 1, but 0 where the truth has some."""
    page = page_of(answer.raw) if published else answer.page
    tables = [table.table for table in page.strict_html_tables]
    if not published:
        tables += [table.table for table in page.strict_markdown_tables]
    if not tables:
        return 1.0 if published else float(not tables_of(answer.wanted_page))
    return sum(all(len(row) == table.width for row in table.places) for table in tables) / len(tables)


def katex(answer: Answer, published: bool) -> float:
    """The share of the formulas that KaTeX sets; without one it is 1, but 0 where the truth has some."""
    from scriptorium.bench.formulas.find import readings
    from scriptorium.bench.formulas.render import render

    formulas = _formulas(answer.text)
    if not formulas:
        return float(not _formulas(answer.wanted))
    choices = [[each.text] if each.is_mathml else readings(each.text, each.in_table) for each in formulas]
    latex = [
        text for each, texts in zip(formulas, choices, strict=True) for text in texts if not each.is_mathml
    ]
    sets = {text for text, done in zip(latex, render(latex, layout=False), strict=True) if done.error is None}
    good = [each.is_mathml or bool(sets & {*texts}) for each, texts in zip(formulas, choices, strict=True)]
    return sum(good) / len(good)


def tables(answer: Answer, published: bool) -> float:
    """How like the tables are to the truth's, cell by cell; 1 where neither has one."""
    return table_likeness(tables_of(answer.page), tables_of(answer.wanted_page))


def repetition(answer: Answer, published: bool) -> float:
    """1, less the share of pieces of text that come more often than in the truth, and more than once."""
    found, allowed = _pieces(answer.text), _pieces(answer.wanted)
    extra = sum(max(0, count - max(1, allowed[piece])) for piece, count in found.items())
    return 1.0 - extra / max(1, found.total())


def _part(found: int, wanted: int) -> float:
    return min(found, wanted) / max(found, wanted) if max(found, wanted) else 1.0


def _formulas(text: str) -> list[Any]:
    from scriptorium.bench.formulas.find import strict_formulas

    return strict_formulas(text, True)


def _pieces(text: str) -> Counter[str]:
    plain = MARKS.sub(" ", text)
    return Counter(plain[at : at + PIECE] for at in range(len(plain) - PIECE + 1))


SCORES: dict[str, Score] = {
    "bench": bench,
    "bench_macro": bench_macro,
    "front_matter": header,
    "edit": edit,
    "elements": elements,
    "rectangles": rectangles,
    "similarity": similarity,
    "structure": structure,
    "headings": headings,
    "order": order,
    "katex": katex,
    "tables": tables,
    "repetition": repetition,
}
"""What is judged of one answer alone. `eos` needs its tokens and `medoid` its group: see `rewards.functions`."""

FROM_TESTS = frozenset({"bench", "bench_macro"})
"""Scores of which a page without tests has none."""

FROM_TRUTH = frozenset({"edit", "elements", "similarity", "headings", "order", "tables"})
"""Scores of which a page without truth has none."""
