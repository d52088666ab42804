"""Sheets that tests draw: kept for the run, for drawing and gate take most of the time."""

from collections import Counter
from functools import cache

from scriptorium.synth.sheets import Sample, make_sample
from scriptorium.synth.typst import Typesetter

TYPESETTER = Typesetter()


@cache
def sample(family: str, index: int, split: str = "bench") -> Sample:
    """The sheet of a seed, past the gate."""
    return make_sample(family, split, "tests", index, TYPESETTER, Counter())
