"""Tells when reinforcement has gone wrong: tests of one type pass ever less, while the reward may still rise."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from transformers import TrainerCallback

from scriptorium.errors import ThresholdError

RATE = "pass_rate/"
"""How the metrics are named that are watched: the rest is the type of test."""


class Fall(NamedTuple):
    """A type of test that passes less than at the start; shares in [0, 1]."""

    kind: str
    start: float
    now: float


def fallen(rates: Mapping[str, Sequence[float]], fall: float, steps: int) -> Fall | None:
    """The type that has fallen furthest, if by more than `fall` percent points; None while all is well.

    `rates`: the pass rates of each type, step by step where it was asked. The mean of the first `steps` of them
    is compared with the mean of the last; before there are twice as many nothing is said.
    """
    found = [
        Fall(kind, sum(values[:steps]) / steps, sum(values[-steps:]) / steps)
        for kind, values in sorted(rates.items())
        if len(values) >= 2 * steps
    ]
    furthest = max(found, key=lambda each: each.start - each.now, default=None)
    return furthest if furthest and 100 * (furthest.start - furthest.now) > fall else None


class Watch(TrainerCallback):
    """Has the trainer write a checkpoint and end when a type of test has fallen; `check` then says so."""

    def __init__(self, metrics: Path, fall: float, steps: int) -> None:
        self.metrics = metrics
        self.fall = fall
        self.steps = steps
        self.rates: dict[str, list[float]] = {}
        self.found: Fall | None = None
        self.step = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Take up what was logged before a checkpoint."""
        lines = self.metrics.read_text(encoding="utf-8").splitlines() if self.metrics.exists() else []
        for line in lines:
            self.add(json.loads(line))
        self._look(state, control)

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any
    ) -> None:
        """Take in the metrics of a step."""
        self.add(logs or {})
        self._look(state, control)

    def add(self, logs: Mapping[str, Any]) -> None:
        """Keep the pass rates among some metrics."""
        for name, value in logs.items():
            if name.startswith(RATE):
                self.rates.setdefault(name.removeprefix(RATE), []).append(value)

    def _look(self, state: Any, control: Any) -> None:
        self.found = fallen(self.rates, self.fall, self.steps)
        if self.found:
            self.step = state.global_step
            control.should_save = control.should_training_stop = True

    def check(self, stage: str) -> None:
        """Raises ThresholdError if a type has fallen."""
        if self.found is None:
            return
        kind, start, now = self.found
        raise ThresholdError(
            f"stage {stage}: tests of type {kind} passed {100 * start:.1f} % at the start and pass {100 * now:.1f} % "
            f"at step {self.step} (mean of {self.steps} steps): stopped, with checkpoint-{self.step} written. "
            "Lower args.learning_rate or raise args.beta and start afresh, or raise collapse.fall to go on"
        )
