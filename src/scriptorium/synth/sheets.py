"""Whole documents that passed the gate: a sheet from a seed, drawn anew until its page can be used."""

import random
from collections import Counter
from dataclasses import dataclass

from scriptorium.errors import InputError
from scriptorium.synth.document import Sheet
from scriptorium.synth.families import FAMILIES, draw
from scriptorium.synth.gate import reject
from scriptorium.synth.places import Drawn, drawn, placed
from scriptorium.synth.tests import Test, make_tests
from scriptorium.synth.typst import Typesetter

ATTEMPTS = 20
"""Drawings of one page before the family is held to be broken; one in fifty needs a second."""

MIXED = "mixed"
"""All families, taking turns: every category of the bench in one shard."""


@dataclass(frozen=True)
class Sample:
    """A sheet that passed the gate: its PDF, where its text stands, its tests."""

    sheet: Sheet
    pdf: bytes
    page: Drawn
    tests: tuple[Test, ...]


def make_sample(
    family: str, split: str, key: str, index: int, typesetter: Typesetter, rejects: Counter[str]
) -> Sample:
    """The sheet of one seed (`key` and `index`); what is rejected is counted in `rejects` and drawn anew.

    `family`: one of FAMILIES, or `mixed`. Raises InputError when the gate rejects ATTEMPTS drawings.
    """
    if family == MIXED:
        family = list(FAMILIES)[index % len(FAMILIES)]
    reason: str | None = None
    for attempt in range(ATTEMPTS):
        rng = random.Random(f"{key} sheet {index} attempt {attempt}")
        sheet = draw(family, split, rng)
        pdf = typesetter.pdf(sheet)
        page = drawn(sheet, pdf)
        sheet = placed(sheet, page)
        tests = make_tests(sheet, page, rng)
        reason = reject(sheet, page, tests)
        if reason is None:
            return Sample(sheet, pdf, page, tuple(tests))
        rejects[f"{family}, {reason.partition(':')[0]}"] += 1
    raise InputError(f"family {family!r}: a page was rejected {ATTEMPTS} times, last because: {reason}")
