"""What a training is doing: its metrics file read as it grows, as a few lines for a terminal."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scriptorium.errors import InputError

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 60
"""Characters of a sparkline."""

RECENT = 20
"""Lines of metrics whose mean speed the time left is reckoned from."""

SHOWN = {
    "loss": "loss",
    "reward": "reward",
    "reward_std": "spread of the reward",
    "frac_reward_zero_std": "groups without spread",
    "completions/mean_length": "tokens of an answer",
    "eval_loss": "held-out loss",
    "dev/bench": "held-out score, %",
}
"""Metrics that get a line of their own: name in the file, words."""

Line = dict[str, Any]


@dataclass(frozen=True)
class Status:
    """A run's metrics so far; `steps` is how many it will take, None where that is not known."""

    name: str
    lines: list[Line]
    steps: int | None
    finished: bool

    @property
    def step(self) -> int:
        """The last step written down."""
        return int(self.lines[-1]["step"]) if self.lines else 0

    @property
    def seconds_left(self) -> float | None:
        """Seconds to the end at the speed of the last lines; None where that cannot be said."""
        timed = [each for each in self.lines if seconds_of(each) is not None][-RECENT:]
        if self.steps is None or self.finished or not timed:
            return None
        return (self.steps - self.step) * sum(seconds_of(each) or 0.0 for each in timed) / len(timed)


def seconds_of(line: Line) -> float | None:
    """Seconds of the step that a line is about: our loop's name, or TRL's."""
    for name in ("seconds", "step_time"):
        if isinstance(line.get(name), int | float):
            return float(line[name])
    return None


def read_status(folder: Path) -> Status:
    """The status of the run in `folder` (its folder of results): running, or finished.

    A line that is being written is left for the next look. Raises InputError where no training has begun.
    """
    running, done = folder / "state" / "metrics.jsonl", folder / "metrics.jsonl"
    finished = done.is_file() and (folder / "model.json").is_file()
    path = done if finished else running
    if not path.is_file():
        raise InputError(
            f"{folder}: no state/metrics.jsonl in it; name a run's folder, as results/sft, once it trains"
        )
    return Status(folder.name, _lines(path), _planned(folder), finished)


def _lines(path: Path) -> list[Line]:
    found = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(keepends=True), 1):
        if not text.endswith("\n"):
            break
        try:
            line = json.loads(text)
        except ValueError as error:
            raise InputError(f"{path}: line {number} is not JSON: {error}") from error
        if "step" in line:
            found.append(line)
    return found


def _planned(folder: Path) -> int | None:
    """The steps of a run: those its loop wrote down, or those that its stage asks for."""
    import yaml

    stage = folder / "stage.yaml"
    if not stage.is_file():
        return None
    args = (yaml.safe_load(stage.read_text(encoding="utf-8")) or {}).get("args", {})
    most = args.get("max_steps", -1)
    return int(most) if most > 0 else None


def sparkline(values: list[float], width: int = WIDTH) -> str:
    """Values as bars, the lowest as the lowest bar; more than `width` are averaged in equal parts."""
    if not values:
        return ""
    parts = min(width, len(values))
    bounds = [k * len(values) // parts for k in range(parts + 1)]
    means = [sum(values[a:b]) / (b - a) for a, b in itertools.pairwise(bounds)]
    low, high = min(means), max(means)
    span = high - low or 1.0
    return "".join(BARS[round((value - low) / span * (len(BARS) - 1))] for value in means)


def describe(status: Status) -> Iterator[str]:
    """The lines that are shown."""
    of = f" of {status.steps:,}" if status.steps else ""
    state = "finished" if status.finished else "training"
    left = status.seconds_left
    yield f"{status.name}: {state}, step {status.step:,}{of}" + (f", {_span(left)} left" if left else "")
    last = {key: value for line in status.lines for key, value in line.items() if _number(value)}
    speed = []
    for key, words, form in (
        ("lr", "learning rate", "{:.3g}"),
        ("learning_rate", "learning rate", "{:.3g}"),
        ("tokens_per_second", "tokens a second", "{:,.0f}"),
        ("mfu", "% of the device's peak", "{:.1f}"),
    ):
        if key in last:
            speed.append(f"{words} {form.format(last[key])}")
    if "memory" in last:
        speed.append(f"memory {last['memory'] / 1e9:.2f} GB")
    if speed:
        yield ", ".join(speed)
    for key, words in SHOWN.items():
        values = [float(line[key]) for line in status.lines if _number(line.get(key))]
        if values:
            yield f"{words:22} {sparkline(values)} {values[-1]:.4g}"


def _number(value: Any) -> bool:
    """Whether a value is a finite number: JSON lets NaN through."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def _span(seconds: float) -> str:
    """A time in words, as 2 h 05 min or 40 s."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"
