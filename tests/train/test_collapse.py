"""A training that makes one type of test worse is stopped, with a checkpoint and a word on what happened."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.errors import ThresholdError
from scriptorium.recipe.plan import Run
from scriptorium.train import grpo
from scriptorium.train.collapse import fallen
from tests.train import conftest
from tests.train.test_grpo import stage

RATES = st.lists(st.floats(0, 1), max_size=30)


@given(values=RATES, fall=st.floats(1, 100), steps=st.integers(1, 10))
def test_only_a_fall_of_enough_points_over_enough_steps_counts(
    values: list[float], fall: float, steps: int
) -> None:
    found = fallen({"absent": values}, fall, steps)
    if len(values) < 2 * steps:
        assert found is None
    else:
        start, now = sum(values[:steps]) / steps, sum(values[-steps:]) / steps
        assert (found is not None) == (100 * (start - now) > fall)


def test_the_type_that_fell_furthest_is_named() -> None:
    rates = {"math": [0.9, 0.5], "table": [0.9, 0.1], "present": [0.1, 0.9]}
    found = fallen(rates, 10.0, 1)
    assert found is not None and found.kind == "table"


def watched(fall: float, **args: object) -> Run:
    return stage(save_steps=1, **args).model_copy(update={"collapse": {"fall": fall, "steps": 1}})


def test_training_stops_and_goes_on_where_more_is_allowed(base: Path, rows: Path, tmp_path: Path) -> None:
    """The metrics of steps already done say that a type fell; the guard is no part of what shapes the weights."""

    class Killed(Exception):
        """Stands for a kill after the second step."""

    class Kill(grpo.Journal):
        def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step == 2:
                raise Killed

    journal, grpo.Journal = grpo.Journal, Kill
    try:
        with pytest.raises(Killed):
            conftest.go(grpo.train, watched(50.0), base, rows, tmp_path)
    finally:
        grpo.Journal = journal
    metrics = tmp_path / "state" / "metrics.jsonl"
    lines = [json.loads(line) for line in metrics.read_text().splitlines()]
    lines[0]["pass_rate/present"] = 0.9
    metrics.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(
        ThresholdError, match=r"type present passed 90\.0 % at the start .* checkpoint-3 written"
    ):
        conftest.go(grpo.train, watched(50.0), base, rows, tmp_path)
    conftest.go(grpo.train, watched(100.0), base, rows, tmp_path)
    assert [json.loads(line)["step"] for line in metrics.read_text().splitlines()] == [1, 2, 3, 4]
