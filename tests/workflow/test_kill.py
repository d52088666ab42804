"""The workflow is killed in the middle of a training, recovers, and ends where an undisturbed one ends."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from scriptorium.receipt import read_receipt

from .conftest import Runner

STEPS = 40


def small_recipe(project: Path) -> None:
    """A recipe `mine.yaml` with the fresh model and the pretraining of tiny, cut to seconds."""
    recipe: dict[str, Any] = yaml.safe_load(
        (project / "config/recipes/tiny.yaml").read_text(encoding="utf-8")
    )
    recipe["sources"]["lines"]["splits"] = {"pretrain": {"pages": 60, "shards": 2}}
    config = recipe["stages"]["base"]["config"]
    config["text_config"] |= {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1}
    config["text_config"] |= {"num_attention_heads": 2, "num_key_value_heads": 2}
    config["text_config"]["rope_parameters"]["mrope_section"] = [2, 3, 3]
    config["vision_config"] |= {"hidden_size": 32, "num_heads": 2, "out_hidden_size": 32}
    args = recipe["stages"]["pretrain"]["args"]
    args |= {"max_steps": STEPS, "save_steps": 4, "logging_steps": 1, "per_device_train_batch_size": 4}
    recipe["stages"]["pretrain"]["resources"]["threads"] = 1
    (project / "mine.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False), encoding="utf-8")


def launch(project: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Snakemake in the background, leader of a process group of its own."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path}
    return subprocess.Popen(
        ["snakemake", *arguments],
        cwd=project,
        env=environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for(path: Path, child: subprocess.Popen[bytes]) -> None:
    """Wait until `path` exists, while `child` runs."""
    deadline = time.monotonic() + 180
    while not path.exists():
        assert child.poll() is None, f"ended with {child.returncode} before {path}"
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize("orphan", [False, True], ids=["all of it dies", "the job lives on"])
def test_killed_it_goes_on_to_the_same_weights(snakemake: Runner, project: Path, orphan: bool) -> None:
    small_recipe(project)
    config = ["--config", "recipe=mine.yaml"]
    done = snakemake("undisturbed/pretrain/model.json", "-c1", *config, "results=undisturbed")
    assert done.returncode == 0, done.stderr[-3000:]
    command = ["mine/pretrain/model.json", "-c1", *config, "results=mine"]
    child = launch(project, *command)
    state = project / "mine/pretrain/state"
    wait_for(state / "checkpoint-8", child)
    job = int(re.findall(r"pid (\d+)", (state / "lease").read_text(encoding="utf-8"))[0])
    if orphan:
        os.kill(job, signal.SIGSTOP)  # it shall not be done before anybody looks
        child.kill()
    else:
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    fresh = (project / "mine/base/model.json").stat().st_mtime_ns
    command_line = [sys.executable, project / "workflow/scripts/recover.py", "mine"]
    recovery = subprocess.Popen(command_line, cwd=project, stderr=subprocess.PIPE, text=True)
    assert recovery.stderr is not None
    assert "lifting its lock" in recovery.stderr.readline()
    if orphan:
        assert f"still works: pid {job}" in recovery.stderr.readline()
        os.kill(job, signal.SIGCONT)
    assert recovery.wait() == 0, recovery.stderr.read()
    reached = max(int(path.name.rpartition("-")[2]) for path in state.glob("checkpoint-*"))
    assert (reached == STEPS) == orphan
    done = snakemake(*command)
    assert done.returncode == 0, done.stderr[-3000:]
    weights = [
        read_receipt(project / r / "pretrain/model.json").weights_sha256 for r in ("undisturbed", "mine")
    ]
    assert weights[0] == weights[1]
    lines = (project / "mine/pretrain/metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["step"] for line in lines if "grad_norm" in line] == list(range(1, STEPS + 1))
    assert (project / "mine/base/model.json").stat().st_mtime_ns == fresh, "a finished rule was repeated"
