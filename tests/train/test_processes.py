"""Several processes: under DDP and FSDP2 two of them have the loss curve of one, and resume on it."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from scriptorium.recipe.plan import Run, write_run
from scriptorium.train import processes
from scriptorium.train.sft import train
from scriptorium.train.stage import Files, conduct
from tests.train.conftest import PRIMER, page, run

ROOT = Path(__file__).parents[2]
RUNNER = (
    "import sys; from scriptorium.recipe.launch import run_processes; "
    "sys.exit(run_processes(sys.argv[2:], int(sys.argv[1])))"
)
ARGS: dict[str, Any] = {
    "max_steps": 6,
    "learning_rate": 1.0e-3,
    "save_steps": 3,
    "logging_steps": 1,
    "seed": 5,
    "max_grad_norm": 0.5,  # below the gradient's norm: clipping goes over all shards
}


def stage(pages: int, **fields: Any) -> Run:
    """A stage whose processes take `pages` pages each."""
    args = ARGS | {"per_device_train_batch_size": pages} | fields.pop("args", {})
    return run("sft", "sft", parents=["base"], data=[PRIMER], args=args, **fields)


def start(two: Run, base: Path, rows: Path, folder: Path, kind: str) -> "subprocess.Popen[bytes]":
    """`two` as two processes on `folder`, as the workflow starts them."""
    write_run(folder / "stage.yaml", two)
    command = [
        sys.executable,
        "-c",
        RUNNER,
        "2",
        ROOT / "workflow" / "scripts" / "sft.py",
        folder / "stage.yaml",
    ]
    command += ["--parent", base, "--rows", rows, "--eval-rows", rows, "--state", folder / "state"]
    command += ["--model", folder / "model", "--metrics", folder / "metrics.jsonl"]
    command += ["--receipt", folder / "model.json", "--accelerate", kind]
    return subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"})


def curve(folder: Path, key: str = "loss") -> list[float]:
    """The values of `key` in the metrics, by step."""
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [line[key] for line in lines if key in line]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-four rows of unequal length."""
    rng = random.Random(11)
    made = []
    for k in range(24):
        row = page(rng)
        made.append(row | {"text": row["text"] + " abc" * (k % 7)})
    path = tmp_path_factory.mktemp("mixed") / "primer" / "sft.parquet"
    path.parent.mkdir()
    pq.write_table(pa.Table.from_pylist(made), path)
    return path


def alone(one: Run, base: Path, rows: Path, folder: Path) -> None:
    """`one` in this process."""
    outputs = {
        "model": folder / "model",
        "metrics": folder / "metrics.jsonl",
        "receipt": folder / "model.json",
    }
    conduct(one, Files(base, [rows], [rows], folder / "state", **outputs), train)


def compare(two: Path, one: Path) -> None:
    """Both trainings did the same, but for the order of their sums."""
    assert curve(two) == pytest.approx(curve(one), rel=2e-5)
    assert curve(two, "grad_norm") == pytest.approx(curve(one, "grad_norm"), rel=2e-4)
    assert curve(two, "eval_loss") == pytest.approx(curve(one, "eval_loss"), rel=2e-5)
    assert curve(two, "tokens") == curve(one, "tokens")
    weights = [load_file(folder / "model" / "model.safetensors") for folder in (two, one)]
    assert weights[0].keys() == weights[1].keys()
    for name, value in weights[0].items():
        assert torch.allclose(value, weights[1][name], atol=2e-5), name


def test_two_processes_with_a_copy_each_have_the_loss_curve_of_one(
    base: Path, mixed: Path, tmp_path: Path
) -> None:
    alone(stage(6), base, mixed, tmp_path / "one")
    assert start(stage(3), base, mixed, tmp_path / "two", "multi_gpu").wait(300) == 0
    compare(tmp_path / "two", tmp_path / "one")


def test_two_processes_that_share_the_weights_have_it_too_and_resume_on_it(
    base: Path, mixed: Path, tmp_path: Path
) -> None:
    """Packed rows, held-out losses; asked to stop on the way, both end with the code for it and go on later."""
    args = {"packing": True, "max_length": 96, "eval_strategy": "steps", "eval_steps": 8, "max_steps": 24}
    alone(stage(6, args=args), base, mixed, tmp_path / "one")
    two, folder = stage(3, args=args), tmp_path / "two"
    child = start(two, base, mixed, folder, "fsdp2")
    metrics, deadline = folder / "state" / "metrics.jsonl", time.monotonic() + 300
    while not metrics.exists() or len(metrics.read_text().splitlines()) < 4:
        assert child.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    child.send_signal(signal.SIGUSR1)
    assert child.wait(120) == 143
    assert not (folder / "model").exists()
    assert start(two, base, mixed, folder, "fsdp2").wait(300) == 0
    compare(folder, tmp_path / "one")


def test_when_one_process_fails_the_others_do_not_wait_for_it(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import os, sys, time\nif os.environ['RANK'] == '1': sys.exit(3)\ntime.sleep(600)\n")
    assert subprocess.run([sys.executable, "-c", RUNNER, "3", script], timeout=60).returncode == 3


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=64), st.integers(1, 8))
def test_every_item_is_dealt_once_and_nobody_has_much_more(weights: list[int], count: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORLD_SIZE", str(count))
        hands = processes.deal(weights)
    assert sorted(item for hand in hands for item in hand) == list(range(len(weights)))
    loads = [sum(weights[item] for item in hand) for hand in hands]
    assert max(loads) - min(loads) <= max(weights)
    assert len(weights) < count or all(hands)
