"""Whole documents drawn by the browser, many at a time, through the same gate as those of typst."""

import random
from collections import Counter
from collections.abc import Sequence

from scriptorium.errors import InputError
from scriptorium.synth.chromium import Chromium
from scriptorium.synth.families import FAMILIES, draw
from scriptorium.synth.gate import reject
from scriptorium.synth.places import drawn
from scriptorium.synth.sheets import ATTEMPTS, MIXED, Sample
from scriptorium.synth.tests import make_tests

BATCH = 40
"""Sheets in one document of the browser: from 20 on a page takes hardly less time."""


def make_samples(
    family: str, split: str, key: str, indices: Sequence[int], browser: Chromium, rejects: Counter[str]
) -> list[Sample]:
    """The sheets of `indices`, as `sheets.make_sample` makes them with typst: same trees, another look.

    What is rejected is counted in `rejects` and drawn anew with the next batch's sheets. Raises InputError when
    the gate rejects a sheet ATTEMPTS times.
    """
    found: dict[int, Sample] = {}
    reasons: dict[int, str] = {}
    for attempt in range(ATTEMPTS):
        wanted = [index for index in dict.fromkeys(indices) if index not in found]
        for start in range(0, len(wanted), BATCH):
            batch = wanted[start : start + BATCH]
            for index, made in zip(batch, _batch(family, split, key, batch, attempt, browser), strict=True):
                if isinstance(made, Sample):
                    found[index] = made
                else:
                    reasons[index] = made
                    rejects[f"{_family(family, index)}, {made.partition(':')[0]}"] += 1
        if len(found) == len(set(indices)):
            return [found[index] for index in indices]
    index = next(index for index in indices if index not in found)
    raise InputError(
        f"family {_family(family, index)!r}: a page was rejected {ATTEMPTS} times, last because: {reasons[index]}"
    )


def _family(family: str, index: int) -> str:
    return list(FAMILIES)[index % len(FAMILIES)] if family == MIXED else family


def _batch(
    family: str, split: str, key: str, indices: Sequence[int], attempt: int, browser: Chromium
) -> list[Sample | str]:
    """Samples, or why a sheet was rejected."""
    rngs = [random.Random(f"{key} sheet {index} attempt {attempt}") for index in indices]
    sheets = [draw(_family(family, index), split, rng) for index, rng in zip(indices, rngs, strict=True)]
    made: list[Sample | str] = []
    for sheet, result, rng in zip(sheets, browser.draw(sheets), rngs, strict=True):
        if result.fault:
            made.append(result.fault)
            continue
        page = drawn(sheet, result.pdf)
        tests = make_tests(sheet, page, rng)
        made.append(reject(sheet, page, tests) or Sample(sheet, result.pdf, page, tuple(tests)))
    return made
