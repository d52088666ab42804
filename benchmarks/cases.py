"""Cases for the differential benchmark: a test and a candidate's text, out of real ones and their mutations.

A case depends on nothing but its number, the seed and the seed pairs: so one case can be made again alone.
"""

import json
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutations
from formulas import formula, mutated_formula
from mutations import Rng, Test, mutated_text

from scriptorium.bench.text.page import Page

PLACE = {"pdf": "doc.pdf", "page": 1, "id": "case"}
WEIGHTS = {
    "present": 22, "absent": 10, "order": 12, "table": 26, "baseline": 10, "format": 10, "footnote": 10,
}  # fmt: skip
"""How the cases that are not formulas are shared out among the types."""

FORMULAS = 160
"""Formulas that references of math tests are drawn from: few, as each costs the peer a second."""


@dataclass(frozen=True)
class Case:
    """A test and a candidate's text."""

    test: Test
    text: str

    @property
    def kind(self) -> str:
        """The test's type."""
        return str(self.test.get("type"))


def seed_pairs(data: Path) -> list[Case]:
    """The tests of the sample with the candidate's text of their page, and the vectors."""
    pairs = []
    for line in (data / "bench-vectors" / "verdicts.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["kind"] == "verdict":
            pairs.append(Case(row["test"], row["candidate_md"]))
    sample = data / "bench-sample"
    for file in sorted(sample.glob("*.jsonl")):
        for line in filter(str.strip, file.read_text("utf-8").splitlines()):
            test = json.loads(line)
            stem = test["pdf"].removesuffix(".pdf")
            output = sample / "olmocr_pipeline" / f"{stem}_pg{test['page']}_repeat1.md"
            pairs.append(Case(test, output.read_text("utf-8")))
    return pairs


def make_case(number: int, seed: int, pairs: list[Case], kinds: tuple[str, ...]) -> Case:
    """The case of a number, of one of `kinds` ("math" alone makes a case about formulas)."""
    rng = random.Random(f"{seed}:{number}")
    if kinds == ("math",):
        return _math_case(rng, seed, pairs)
    kind = rng.choices(kinds, [WEIGHTS[each] for each in kinds])[0]
    same = [pair for pair in pairs if pair.kind == kind]
    base = rng.choice(same) if same and rng.random() < 0.5 else rng.choice(pairs)
    text = base.text if len(base.text) < 1500 or rng.random() < 0.3 else _part(rng, base.text)
    if kind == "table" and rng.random() < 0.8:
        table = mutations.markdown_table(rng) if rng.random() < 0.4 else mutations.html_table(rng)
        text = f"{text[:300]}\n\n{table}\n\n{text[300:600]}" if rng.random() < 0.7 else table
    test = dict(base.test) if kind == base.kind and rng.random() < 0.7 else _MAKERS[kind](rng, text)
    text = mutated_text(rng, text, rng.choice((0, 1, 1, 2, 3, 5)))
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        test = _mutated_test(rng, test, text)
    return Case({**test, **PLACE}, text)


def _part(rng: Rng, text: str) -> str:
    start = rng.randrange(max(1, len(text) - 900))
    return text[start : start + rng.randrange(100, 900)]


def _slice(rng: Rng, text: str, longest: int = 60) -> str:
    start, end = mutations.span(rng, text, longest)
    return text[start:end] or "text"


def _present(rng: Rng, text: str) -> Test:
    return {"type": "present", "text": _slice(rng, text), "max_diffs": rng.choice((0, 0, 0, 1, 2, 5))}


def _absent(rng: Rng, text: str) -> Test:
    return _present(rng, text) | {"type": "absent"}


def _order(rng: Rng, text: str) -> Test:
    least = rng.choice((2, 8, 20))
    before, after = (_slice(rng, text, least + 30) for _ in range(2))
    return {"type": "order", "before": before, "after": after, "max_diffs": rng.choice((0, 0, 1, 2, 3))}


def _table(rng: Rng, text: str) -> Test:
    page = Page(text)
    tables = page.olmocr_markdown_tables + page.olmocr_html_tables
    texts = rng.choice(tables).texts if tables else ["mean", "total", ""]
    at = rng.randrange(len(texts))
    test: Test = {"type": "table", "cell": texts[at], "max_diffs": rng.choice((0, 0, 0, 1, 2))}
    for side in ("up", "down", "left", "right", "top_heading", "left_heading"):
        if rng.random() < 0.3:
            near = rng.choice((at - 1, at + 1, at - 2, at + 2, at - 3, at + 3, 0, rng.randrange(len(texts))))
            test[side] = texts[near % len(texts)]
    if rng.random() < 0.1:
        test["ignore_markdown_tables"] = True
    return test


def _baseline(rng: Rng, text: str) -> Test:
    test: Test = {"type": "baseline"}
    if rng.random() < 0.3:
        test["max_length"] = rng.choice((0, 5, 10, len(text), sum(map(str.isalnum, text))))
        test["max_length_skips_image_alt_tags"] = rng.random() < 0.5
    if rng.random() < 0.5:
        test["max_repeats"] = rng.choice((0, 1, 2, 5, 10, 30))
    if rng.random() < 0.3:
        test["check_disallowed_characters"] = False
    return test


def _format(rng: Rng, text: str) -> Test:
    marked = re.findall(r"(?:#+ |\*+|_+|<[bhi][^>]*>)([^*_<\n]+)", text)
    wanted = rng.choice(marked) if marked and rng.random() < 0.7 else _slice(rng, text, 25)
    return {"type": "format", "text": wanted, "format": rng.choice(("heading", "bold", "italic"))}


def _footnote(rng: Rng, text: str) -> Test:
    places = [match.start() for match in re.finditer(r"\[\^|<sup|[\u00b9\u00b2\u00b3]", text, re.IGNORECASE)]
    test: Test = {"type": "footnote", "marker": rng.choice(("1", "2", "12", "a", "*", "iv", "3"))}
    place = rng.choice(places) if places else rng.randrange(len(text) + 1)
    if rng.random() < 0.5:
        test["appears_before_marker"] = text[max(0, place - rng.randrange(1, 40)) : place] or "word"
    if rng.random() < 0.5:
        test["appears_after_marker"] = text[place + 4 :][: rng.randrange(1, 40)] or "word"
    test["max_diffs"] = rng.choice((0, 0, 1, 2))
    return test


_MAKERS = {
    "present": _present,
    "absent": _absent,
    "order": _order,
    "table": _table,
    "baseline": _baseline,
    "format": _format,
    "footnote": _footnote,
}


def _mutated_test(rng: Rng, test: Test, text: str) -> Test:
    """Another text, limit, window or relation; now and then a field that should not load."""
    test = dict(test)
    texts = [
        name
        for name, value in test.items()
        if isinstance(value, str) and name not in ("type", "format", *PLACE)
    ]
    kind = rng.random()
    if kind < 0.5 and texts:
        name = rng.choice(texts)
        test[name] = mutated_text(rng, test[name], 1)[:400]
    elif kind < 0.7:
        size = max((len(test[name]) for name in texts), default=10)
        test["max_diffs"] = rng.choice((0, 1, 2, 3, max(0, size // 2), max(0, size - 1), size, size + 3))
    elif kind < 0.85 and test["type"] in ("present", "absent"):
        test[rng.choice(("first_n", "last_n"))] = rng.choice(
            (None, 0, 1, 10, 50, len(text), rng.randrange(1, 500))
        )
        if rng.random() < 0.4:
            test["case_sensitive"] = False
    elif kind < 0.93 and test["type"] == "format":
        test["case_sensitive"] = rng.random() < 0.5
    elif kind > 0.96:
        name, value = rng.choice(BAD_FIELDS)
        test[name] = value
    return test


BAD_FIELDS: tuple[tuple[str, Any], ...] = (
    ("max_diffs", -1),
    ("max_diffs", 1.0),
    ("max_diffs", "1"),
    ("max_diffs", None),
    ("text", "** **"),
    ("text", " "),
    ("before", "\u00a0"),
    ("wanted", "x"),
    ("checked", "whatever"),
    ("url", None),
    ("format", "underline"),
    ("marker", ""),
    ("marker", "a b"),
    ("marker", "a\tb"),
    ("appears_before_marker", "__ __"),
    ("math", " "),
    ("type", "nothing"),
)
"""Fields that the rules refuse, or do not."""


def _math_case(rng: Rng, seed: int, pairs: list[Case]) -> Case:
    """A formula and a page that holds it, or a misreading of it, or nothing like it, among others."""
    real = [str(pair.test["math"]) for pair in pairs if pair.kind == "math"]
    which = rng.randrange(FORMULAS)
    pool = random.Random(f"{seed}:formula:{which}")
    wanted = real[which] if which < len(real) else formula(pool, pool.choice((1, 1, 2)))
    variants = [wanted]
    for _ in range(4):
        variants.append(mutated_formula(pool, variants[pool.randrange(len(variants))]))
    reference = wanted if rng.random() < 0.7 else rng.choice(variants)
    shown = rng.sample(variants, rng.choice((1, 1, 2)))
    if rng.random() < 0.15:
        shown = [f"{shown[0]}, \\quad {wanted}"]
    delimiters = (("$", "$"), ("$$", "$$"), ("\\(", "\\)"), ("\\[", "\\]"), ("$ ", " $"))
    parts = [each.join(rng.choice(delimiters)) for each in shown]
    text = "Let " + " and then ".join(parts) + " be given."
    if rng.random() < 0.1:
        text = mutated_text(rng, text, 1)
    test: Test = {"type": "math", "math": reference, **PLACE}
    if rng.random() < 0.05:
        test["ignore_dollar_delimited"] = True
    return Case(test, text)
