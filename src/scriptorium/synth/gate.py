"""The gate: a generated page is kept only if its drawing, its truth and its tests agree. It says why not."""

from collections import defaultdict

from scriptorium.bench.rules import RULES, judge_page
from scriptorium.synth import markdown
from scriptorium.synth.document import Figure, Sheet, leaves
from scriptorium.synth.mutants import mutant
from scriptorium.synth.places import Box, Drawn
from scriptorium.synth.tests import Test

CHARACTERS_AT_MOST = 14_000
"""Longest truth: about 5,000 tokens, within what olmOCR trains on (8,192 with the picture)."""

PICTURE = 1288
"""Pixels of the longer side of the picture that a model sees (olmOCR's)."""

SMALLEST = 5.0
"""Pixels of the height of an x below which a letter cannot be told from another."""

X_HEIGHT = 0.43
"""Of the text size: Libertinus and New Computer Modern; DejaVu's letters are larger."""

OVERLAP = 0.25
"""Share of the smaller of two texts' boxes that may be covered: boxes of lines touch where the leading is small."""


def reject(sheet: Sheet, page: Drawn, tests: list[Test]) -> str | None:
    """Why a sheet, drawn as `page`, is not fit to be used; None if it is. What comes before a colon is the kind."""
    text = markdown.body(sheet)
    if page.pages != 1:
        return f"not one page: {page.pages}"
    if len(text) > CHARACTERS_AT_MOST:
        return f"truth too long: {len(text)} characters, {CHARACTERS_AT_MOST} at most"
    if page.missing:
        return f"not in the text layer in order: {page.missing[0]!r}"
    if len(page.figures) < sum(isinstance(leaf, Figure) for leaf in leaves(sheet.blocks)):
        return "a figure is not drawn"
    return _clipped(page) or _covered(page) or _illegible(page) or misjudged(tests, text)


def _clipped(page: Drawn) -> str | None:
    for each in page.segments:
        for left, top, right, bottom in each.boxes:
            if left < 1 or top < 1 or right > page.width - 1 or bottom > page.height - 1:
                return f"clipped: {each.text[:60]!r}"
    return None


def _covered(page: Drawn) -> str | None:
    """Boxes by height, each against those that begin before it ends."""
    boxes = sorted((box, number) for number, each in enumerate(page.segments) for box in each.boxes)
    boxes.sort(key=lambda each: each[0][1])
    for place, (box, number) in enumerate(boxes):
        for other, its in boxes[place + 1 :]:
            if other[1] >= box[3]:
                break
            if its != number and _shared(box, other) > OVERLAP:
                return f"covered: {page.segments[number].text[:40]!r} and {page.segments[its].text[:40]!r}"
    return None


def _shared(one: Box, other: Box) -> float:
    """The share of the smaller box that both cover."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    tall = min(one[3], other[3]) - max(one[1], other[1])
    if wide <= 0 or tall <= 0:
        return 0.0
    areas = ((b[2] - b[0]) * (b[3] - b[1]) for b in (one, other))
    return wide * tall / max(min(areas), 1e-6)


def _illegible(page: Drawn) -> str | None:
    scale = PICTURE / max(page.width, page.height)
    for each in page.segments:
        if len(each.text) > 2 and (tall := each.size * X_HEIGHT * scale) < SMALLEST:
            return f"too small: {tall:.1f} pixels an x, {each.text[:40]!r}"
    return None


def misjudged(tests: list[Test], text: str) -> str | None:
    """Under either rule set the truth passes every test, and every test fails on a mutant of its type."""
    if len({test["id"] for test in tests}) < len(tests):
        return "two tests alike"
    by_type: dict[str, list[Test]] = defaultdict(list)
    for test in tests:
        by_type[test["type"]].append(test)
    wrong = {kind: mutant(kind, group, text) for kind, group in by_type.items()}
    for rules in RULES:
        for test, verdict in zip(tests, judge_page(tests, text, rules), strict=True):
            if not verdict.passed:
                return f"a test fails on the truth ({test['type']}): {rules}, {verdict.code}, {test}"
        for kind, group in by_type.items():
            for test, verdict in zip(group, judge_page(group, wrong[kind], rules), strict=True):
                if verdict.passed:
                    return f"a test passes on a mutant ({kind}): {rules}, {test}"
    return None
