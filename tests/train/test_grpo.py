"""GRPO through TRL: it learns something, resumes exactly, and leaves an adapter that names its parent."""

import functools
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from scriptorium.errors import ConfigError
from scriptorium.receipt import read_receipt, weights_sha256
from scriptorium.recipe.plan import Run
from scriptorium.train import grpo
from tests.train import conftest
from tests.train.conftest import PRIMER, run

ARGS = {
    "max_steps": 4,
    "per_device_train_batch_size": 8,
    "num_generations": 4,
    "max_completion_length": 12,
    "learning_rate": 1.0e-3,
    "lr_scheduler_type": "constant",
    "gradient_checkpointing": False,
    "save_steps": 2,
    "seed": 1,
}
REWARDS = {"bench": 1.0, "front_matter": 1.0, "eos": 1.0}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def stage(adapter: dict[str, Any] | None = None, **args: Any) -> Run:
    return run(
        "rl", "grpo", parents=["base"], data=[PRIMER], args=ARGS | args, rewards=REWARDS, adapter=adapter
    )


go = functools.partial(conftest.go, grpo.train)


def test_stopped_and_resumed_it_ends_with_the_same_weights(base: Path, rows: Path, tmp_path: Path) -> None:
    whole = go(stage(), base, rows, tmp_path / "a")
    assert whole != weights_sha256(base)
    metrics = [json.loads(line) for line in (tmp_path / "a" / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in metrics] == [1, 2, 3, 4]
    assert all({"reward", "reward_std", "frac_reward_zero_std"} <= line.keys() for line in metrics)

    class Stopped(Exception):
        """Stands for a kill after the third step: the checkpoint of the second is the newest."""

    class Stop(grpo.Journal):
        def on_log(
            self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any
        ) -> None:
            super().on_log(args, state, control, logs)
            if state.global_step == 3:
                raise Stopped

    journal, grpo.Journal = grpo.Journal, Stop
    try:
        with pytest.raises(Stopped):
            go(stage(), base, rows, tmp_path / "b")
    finally:
        grpo.Journal = journal  # type: ignore[misc]
    assert (tmp_path / "b" / "state" / "checkpoint-2").exists()
    assert go(stage(), base, rows, tmp_path / "b") == whole
    resumed = [json.loads(line) for line in (tmp_path / "b" / "metrics.jsonl").read_text().splitlines()]
    assert [(line["step"], line["reward"]) for line in resumed] == [
        (line["step"], line["reward"]) for line in metrics
    ]


def test_an_adapter_is_left_as_one_and_names_its_parent(base: Path, rows: Path, tmp_path: Path) -> None:
    lora = {"r": 4, "lora_alpha": 8, "lora_dropout": 0.0, "target_modules": "all-linear", "merge": False}
    go(stage(lora, max_steps=1), base, rows, tmp_path)
    assert (
        json.loads((tmp_path / "model" / "adapter_config.json").read_text())["base_model_name_or_path"]
        == "base"
    )
    assert read_receipt(tmp_path / "model.json").format == "adapter"


@pytest.mark.parametrize(
    ("args", "message"),
    [({"report_to": "wandb"}, "set by the workflow"), ({"max_prompt_length": 512}, "GRPOConfig")],
)
def test_arguments_that_cannot_be_are_named(
    base: Path, rows: Path, tmp_path: Path, args: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        go(stage(**args), base, rows, tmp_path)
