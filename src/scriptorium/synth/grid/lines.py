"""The family `lines`: plain lines on grids that grow, to learn letters first and pages later."""

import random

from scriptorium.synth.grid.document import Page, Paragraph
from scriptorium.synth.words import Words

GRIDS = {
    "4x1": (4, 1, 1.0),
    "8x1": (8, 1, 0.8),
    "16x1": (16, 1, 0.7),
    "16x2": (16, 2, 0.5),
    "16x3": (16, 3, 0.4),
    "16x6": (16, 6, 0.3),
}
"""Curriculum group -> columns, rows, share of unpredictable tokens."""

PAGES_PER_DOCUMENT = (200, 200)
BOLD_SHARE = 0.15


def draw(split: str, index: int, rng: random.Random) -> Page:
    """Page `index` of a shard: the groups take turns."""
    group = list(GRIDS)[index % len(GRIDS)]
    columns, rows, unpredictable = GRIDS[group]
    words = Words(split, rng, unpredictable)
    lines = tuple(words.line(columns // 2, columns) for _ in range(rows))
    weight = "bold" if rng.random() < BOLD_SHARE else "regular"
    return Page((Paragraph(lines),), columns, rows, weight, group)
