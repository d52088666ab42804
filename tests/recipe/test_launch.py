"""The command line of a training job, as a string."""

import os
import shlex
import subprocess
import sys

import pytest
import yaml

from scriptorium.errors import ConfigError
from scriptorium.recipe.launch import FOLDER, launch_line, srun_line

SCRIPT = ["workflow/scripts/sft.py", "a b/stage.yaml", "--eval-rows"]


@pytest.mark.parametrize("gpus", [0, 1])
def test_one_process_is_plain_python(gpus: int) -> None:
    assert launch_line(SCRIPT, gpus) == [sys.executable, *SCRIPT]


@pytest.mark.parametrize(
    ("gpus", "vllm_gpus", "accelerate", "config", "processes"),
    [(4, 0, "auto", "multi_gpu", "4"), (8, 1, "zero2", "zero2", "7"), (1, 0, "zero3", "zero3", "1")],
)
def test_one_node_is_accelerate(
    gpus: int, vllm_gpus: int, accelerate: str, config: str, processes: str
) -> None:
    line = launch_line(SCRIPT, gpus, 1, vllm_gpus, accelerate)
    assert line[:2] == ["accelerate", "launch"] and line[-3:] == SCRIPT
    assert line[line.index("--config_file") + 1].endswith(f"/{config}.yaml")
    assert line[line.index("--num_processes") + 1] == processes


def test_several_nodes_run_the_line_once_each_under_slurm() -> None:
    line = launch_line(SCRIPT, 8, 4)
    assert line[:5] == ["srun", "--nodes=4", "--ntasks-per-node=1", "bash", "-c"]
    words = shlex.split(line[5])
    assert words[:3] == ["exec", "accelerate", "launch"] and words[-3:] == SCRIPT
    assert words[words.index("--num_processes") + 1] == "32"
    assert words[words.index("--num_machines") + 1] == "4"
    assert "--machine_rank $SLURM_NODEID" in line[5]


def test_our_own_loop_is_one_process_a_gpu_on_every_node() -> None:
    line = srun_line(SCRIPT, 8, 4)
    assert line[:6] == ["srun", "--nodes=4", "--ntasks-per-node=8", "--kill-on-bad-exit=1", "bash", "-c"]
    assert shlex.split(line[6])[-3:] == SCRIPT
    shown = line[6].replace("exec env", "env").replace(f"{sys.executable} ", "env #")
    numbers = {"SLURM_PROCID": "9", "SLURM_NTASKS": "32", "SLURM_LOCALID": "1", "PATH": os.environ["PATH"]}
    hostnames = "scontrol() { echo first; echo second; }; "
    found = subprocess.run(["bash", "-c", hostnames + shown], env=numbers, capture_output=True, text=True)
    assert {"MASTER_ADDR=first", "RANK=9", "WORLD_SIZE=32", "LOCAL_RANK=1", "LOCAL_WORLD_SIZE=8"} <= set(
        found.stdout.splitlines()
    )


def test_a_job_that_could_not_train_is_refused() -> None:
    with pytest.raises(ConfigError, match="none is left to train"):
        launch_line(SCRIPT, 1, vllm_gpus=1)


def test_the_files_of_accelerate_are_those_a_recipe_can_name() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.yaml")) == [
        "fsdp2",
        "multi_gpu",
        "single_gpu",
        "zero2",
        "zero3",
    ]
    for path in FOLDER.glob("*.yaml"):
        assert "distributed_type" in yaml.safe_load(path.read_text(encoding="utf-8"))
