"""Learning curves from the metrics of training runs."""

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from scriptorium.report.charts import COLOURS, Series, line_chart
from scriptorium.report.results import RunRecord


@dataclass(frozen=True)
class Chart:
    """A chart with its title, what to see in it, and its legend: pairs of CSS class and name."""

    title: str
    note: str
    drawing: Markup
    legend: list[tuple[str, str]]


SHARED = {
    "eval_loss": ("Loss on held-out pages", "Cross-entropy per answer token."),
    "dev/bench": ("Score on held-out pages", "Percent; training stops early on it."),
    "tokens_per_second": ("Speed", "Tokens a second, of all processes together."),
    "mfu": ("Use of the device", "Percent of its peak in bfloat16."),
}
"""Metrics of which all runs share a chart: title and note."""

REWARDS = {
    "reward": ("Mean reward", "Each answer is rewarded by the unit tests of its page.", None),
    "reward_std": (
        "Spread of the reward",
        "Standard deviation within a group of answers to one page: what there is to learn from.",
        None,
    ),
    "frac_reward_zero_std": (
        "Groups without spread",
        "Share of groups whose answers all got the same reward: they teach nothing.",
        1.0,
    ),
}
"""Metrics of GRPO: title, note, upper end of the axis."""


def curves(runs: list[RunRecord]) -> list[Chart]:
    """The charts of all runs that have metrics: a loss for each run; held-out pages, speed, rewards side by side."""
    charts = [loss(run) for run in runs if points(run, "loss") and not points(run, "reward")]
    for key, (title, note) in SHARED.items():
        series = [Series(run.name, points(run, key)) for run in runs if points(run, key)]
        if series:
            charts.append(chart(title, note, series))
    rewarded = [run for run in runs if points(run, "reward")]
    for key, (title, note, top) in REWARDS.items():
        series = [Series(run.name, points(run, key)) for run in rewarded if points(run, key)]
        if series:
            charts.append(chart(title, note, series, top))
    return charts


def chart(title: str, note: str, series: list[Series], top: float | None = None) -> Chart:
    """A chart of several runs, with a legend."""
    legend = [(f"s{i % COLOURS + 1}", one.name) for i, one in enumerate(series)]
    return Chart(title, note, line_chart(series, y_to=top), legend)


def loss(run: RunRecord) -> Chart:
    """A run's loss; vertical lines show where its curriculum opened a further group of pages."""
    groups = (run.stage.get("curriculum") or {}).get("groups", [])
    marks = []
    before = 1
    for row in run.metrics:
        opened = row.get("opened", before)
        if opened > before and opened <= len(groups):
            marks.append((float(row["step"]), str(groups[opened - 1])))
            before = opened
    note = "Dashed: the curriculum opens a group of harder pages." if marks else "Cross-entropy per token."
    return Chart(
        f"Loss of {run.name}", note, line_chart([Series(run.name, points(run, "loss"))], marks=marks), []
    )


def points(run: RunRecord, key: str) -> list[tuple[float, float]]:
    """The (step, value) pairs of one metric."""
    return [(float(row["step"]), float(row[key])) for row in run.metrics if _plottable(row, key)]


def _plottable(row: dict[str, Any], key: str) -> bool:
    """Whether a line has this metric as a finite number: JSON lets NaN through."""
    value = row.get(key)
    return "step" in row and isinstance(value, int | float) and abs(value) < float("inf")
