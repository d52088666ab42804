"""Which rows a training step sees: shuffled by seed, by a curriculum's groups, and seekable.

A curriculum is an ordered list of groups (`16x1`, `16x2`, ...). A step takes its rows from the newest
group, and a share of them (`replay`) from the earlier ones, which a model forgets otherwise. The next group
opens when the smoothed loss falls under `advance_below`.
"""

import random
from dataclasses import dataclass, field
from typing import Any

from scriptorium.errors import InputError

SMOOTHING = 0.95
"""Weight of the past in the smoothed loss that opens a curriculum's next group."""


@dataclass(frozen=True)
class Curriculum:
    """The groups in order, the smoothed loss that opens the next, the share of rows from earlier groups."""

    groups: tuple[str, ...]
    advance_below: float = 0.35
    replay: float = 0.2


@dataclass
class Order:
    """The rows of every step, as a function of the seed and of a small state that a checkpoint holds."""

    groups: dict[str, list[int]]
    seed: int
    curriculum: Curriculum | None = None
    opened: int = 1
    loss: float | None = None
    taken: dict[str, int] = field(default_factory=dict)
    _epochs: dict[tuple[str, int], list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, groups: list[str], seed: int, curriculum: Curriculum | None = None) -> "Order":
        """An order over rows whose groups are `groups`; without a curriculum all rows are one group."""
        if curriculum is None:
            return cls({"": list(range(len(groups)))}, seed)
        indices: dict[str, list[int]] = {name: [] for name in curriculum.groups}
        for row, group in enumerate(groups):
            if group in indices:
                indices[group].append(row)
        for name, found in indices.items():
            if not found:
                raise InputError(f"curriculum: no row of group {name!r}; the rows have {sorted(set(groups))}")
        return cls(indices, seed, curriculum)

    def batch(self, step: int, size: int) -> list[int]:
        """The rows of a step (steps count from 1). Call once a step, in order: it moves the cursors."""
        return [self._take(self._group(random.Random(f"{self.seed}:{step}:{k}"))) for k in range(size)]

    def _group(self, rng: random.Random) -> str:
        if self.curriculum is None:
            return ""
        newest = self.opened - 1
        if newest and rng.random() < self.curriculum.replay:
            return self.curriculum.groups[rng.randrange(newest)]
        return self.curriculum.groups[newest]

    def _take(self, group: str) -> int:
        rows, taken = self.groups[group], self.taken.get(group, 0)
        self.taken[group] = taken + 1
        epoch, place = divmod(taken, len(rows))
        shuffled = self._epochs.get((group, epoch))
        if shuffled is None:
            shuffled = random.Random(f"{self.seed}:{group}:{epoch}").sample(rows, len(rows))
            self._epochs = {key: value for key, value in self._epochs.items() if key[0] != group}
            self._epochs[group, epoch] = shuffled
        return shuffled[place]

    def learnt(self, loss: float) -> bool:
        """Take a step's loss; open the next group if the smoothed loss allows. True when one was opened."""
        self.loss = loss if self.loss is None else SMOOTHING * self.loss + (1 - SMOOTHING) * loss
        if self.curriculum is None or self.opened == len(self.curriculum.groups):
            return False
        if self.loss >= self.curriculum.advance_below:
            return False
        self.opened, self.loss = self.opened + 1, None
        return True

    def state(self) -> dict[str, Any]:
        """What a checkpoint must hold of the order."""
        return {"opened": self.opened, "loss": self.loss, "taken": dict(self.taken)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""
        self.opened, self.loss, self.taken = state["opened"], state["loss"], dict(state["taken"])
