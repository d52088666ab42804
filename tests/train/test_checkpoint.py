"""Checkpoints: whole or passed over, and resumed to the bit whatever is trained."""

import functools
import json
import multiprocessing
import os
import random
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from safetensors.torch import load_file

from scriptorium.files import PART
from scriptorium.recipe.plan import Run
from scriptorium.train import checkpoint
from scriptorium.train.sft import train
from tests.train import conftest
from tests.train.conftest import PRIMER, run

ARGS: dict[str, Any] = {
    "max_steps": 4,
    "per_device_train_batch_size": 4,
    "learning_rate": 1.0e-3,
    "save_steps": 2,
    "logging_steps": 1,
    "seed": 5,
}
LORA = {"r": 2, "lora_alpha": 4, "lora_dropout": 0.2, "use_rslora": True, "merge": False}

go = functools.partial(conftest.go, train)


def sft(args: dict[str, Any], **fields: Any) -> Run:
    return run("sft", "sft", parents=["base"], data=[PRIMER], args=ARGS | args, **fields)


def losses(folder: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("args", "fields"),
    [
        ({"packing": True, "max_length": 64}, {"model_args": {"dtype": "bfloat16"}}),
        ({"optim": "muon"}, {"freeze": ["vision"], "learning_rates": {"merger": 1.0e-4}}),
        (
            {"optim_args": "moments=bfloat16", "gradient_checkpointing": True, "dataloader_num_workers": 2},
            {"adapter": LORA | {"target_modules": "all-linear"}, "average_last": 2},
        ),
    ],
    ids=["bfloat16 packed", "muon frozen", "adapter with dropout"],
)
def test_two_steps_and_two_more_are_four(
    args: dict[str, Any], fields: dict[str, Any], base: Path, rows: Path, tmp_path: Path
) -> None:
    stage = sft(args, **fields)
    undisturbed, curve = go(stage, base, rows, tmp_path), losses(tmp_path)
    state = tmp_path / "state"
    shutil.rmtree(state / "checkpoint-4")
    (state / "finished").unlink()
    assert go(stage, base, rows, tmp_path) == undisturbed
    assert losses(tmp_path) == curve and len(curve) == 4


def test_a_damaged_checkpoint_is_passed_over_with_its_fault(
    base: Path, rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    undisturbed = go(sft({}), base, rows, tmp_path)
    state = tmp_path / "state"
    assert {path.name for path in (state / "checkpoint-4").iterdir()} >= {
        "model.safetensors",
        "optimizer.pt",
        "random.pt",
        "progress.json",
        "manifest.json",
        "processor_config.json",
        "tokenizer.json",
        "prompt.json",
    }
    (state / "finished").unlink()
    data = (state / "checkpoint-4" / "optimizer.pt").read_bytes()
    (state / "checkpoint-4" / "optimizer.pt").write_bytes(data[:-1])
    assert go(sft({}), base, rows, tmp_path) == undisturbed
    assert f"checkpoint-4 is passed over: optimizer.pt has {len(data) - 1} bytes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("harm", "fault"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "manifest.json cannot be read"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "manifest.json cannot be read"),
        (lambda folder: (folder / "random.pt").unlink(), "random.pt is missing"),
        (lambda folder: flip(folder / "model.safetensors"), "model.safetensors is not what was written"),
        (lambda folder: (folder.parent / "digest.json").write_text("{}"), "it belongs to another stage"),
    ],
)
def test_every_harm_is_found(harm: Any, fault: str, tmp_path: Path) -> None:
    write(tmp_path, 1)
    assert checkpoint.newest(tmp_path) == tmp_path / "checkpoint-1"
    harm(tmp_path / "checkpoint-1")
    assert fault in checkpoint.damage(tmp_path / "checkpoint-1")
    assert checkpoint.newest(tmp_path) is None


def flip(path: Path) -> None:
    """Change one bit."""
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def write(state: Path, step: int) -> None:
    weights = {"weight": torch.full((64, 1024), float(step))}
    checkpoint.save(state, step, weights, {"state": {}}, [checkpoint.random_state()], {"order": {}})


def write_for_ever(state: Path) -> None:
    step = max((int(path.name.rpartition("-")[2]) for path in checkpoint.checkpoints(state)), default=0)
    while True:
        step += 1
        write(state, step)
        checkpoint.prune(state, checkpoint.KEPT)


def test_killed_at_any_moment_of_a_save_there_is_a_whole_checkpoint(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    rng = random.Random(1)
    reached = torn = 0
    for _ in range(40):
        child = multiprocessing.get_context("fork").Process(target=write_for_ever, args=(tmp_path,))
        child.start()
        while len(checkpoint.checkpoints(tmp_path)) < 1:
            time.sleep(0.001)
        time.sleep(rng.uniform(0.0, 0.06))
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        torn += bool(list(tmp_path.glob(PART)))
        found = checkpoint.newest(tmp_path)
        assert found is not None
        step = int(found.name.rpartition("-")[2])
        assert step >= reached
        reached = step
        assert (load_file(found / "model.safetensors")["weight"] == step).all()
    assert torn  # some of the kills did meet a save half done


def test_random_states_go_on(tmp_path: Path) -> None:
    def draws() -> list[float]:
        return [random.random(), float(numpy.random.rand()), float(torch.rand(()))]

    write(tmp_path, 1)
    wanted = draws()
    draws()
    checkpoint.set_random_state(torch.load(tmp_path / "checkpoint-1" / "random.pt", weights_only=True)[0])
    assert draws() == wanted
