"""The command line of a training job: our own loop's processes, or accelerate; under SLURM also on several nodes."""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from scriptorium.errors import ConfigError

FOLDER = Path(__file__).parents[3] / "config" / "accelerate"
PORT = 29500

ASKED_TO_STOP = 128 + signal.SIGTERM
"""Exit code of a training that wrote a checkpoint because it was asked to."""

GRACE = 60.0
"""Seconds that the other processes have to end by themselves after one of them did."""


def launch_line(
    script: list[str], gpus: int, nodes: int = 1, vllm_gpus: int = 0, accelerate: str = "auto"
) -> list[str]:
    """The command that runs `script` (a file and its arguments) under accelerate, to be executed as it is.

    `gpus` is per node; `vllm_gpus` of them all generate and do not train. Raises ConfigError if none is left.
    """
    processes = gpus * nodes - vllm_gpus
    if gpus and processes < 1:
        raise ConfigError(
            f"{gpus} GPUs on {nodes} nodes, {vllm_gpus} of them for vLLM: none is left to train"
        )
    if processes <= 1 and accelerate == "auto":
        return [sys.executable, *script]
    line = [
        "accelerate",
        "launch",
        "--config_file",
        str(FOLDER / f"{_config(processes, nodes, accelerate)}.yaml"),
    ]
    line += ["--num_processes", str(processes)]
    if nodes == 1:
        return [*line, *script]
    # Every node runs the same line; SLURM says which node it is and who is the first.
    here = "--machine_rank $SLURM_NODEID --main_process_ip $(scontrol show hostnames | head -n 1)"
    line += ["--num_machines", str(nodes), "--main_process_port", str(PORT)]
    remote = f"exec {shlex.join(line)} {here} {shlex.join(script)}"
    return ["srun", f"--nodes={nodes}", "--ntasks-per-node=1", "bash", "-c", remote]


def srun_line(script: list[str], gpus: int, nodes: int) -> list[str]:
    """The command that runs our own loop on several nodes: one process a GPU, SLURM's numbers as torchrun's."""
    numbers = {
        "MASTER_ADDR": "$(scontrol show hostnames | head -n 1)",
        "MASTER_PORT": str(PORT),
        "RANK": "$SLURM_PROCID",
        "WORLD_SIZE": "$SLURM_NTASKS",
        "LOCAL_RANK": "$SLURM_LOCALID",
        "LOCAL_WORLD_SIZE": str(gpus),
    }
    settings = " ".join(f"{name}={value}" for name, value in numbers.items())
    remote = f"exec env {settings} {shlex.join([sys.executable, *script])}"
    tasks = [f"--nodes={nodes}", f"--ntasks-per-node={gpus}", "--kill-on-bad-exit=1"]
    return ["srun", *tasks, "bash", "-c", remote]


def run_processes(script: list[str], count: int) -> int:
    """Run `script` as `count` processes of one training on this machine; the exit code of the first that failed.

    Signals go on to all of them. torchrun would hide the code of a training that was asked to stop, and itself dies
    of SIGUSR1. When one fails the others, who would wait for it, are ended.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(count)}
    shared |= {"LOCAL_WORLD_SIZE": str(count)}
    children = [
        subprocess.Popen(
            [sys.executable, *script],
            env=os.environ | shared | {"RANK": str(number), "LOCAL_RANK": str(number)},
        )
        for number in range(count)
    ]

    def forward(heard: int, frame: FrameType | None) -> None:
        for child in children:
            child.send_signal(heard)

    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, forward)
    return _first_failure(children)


def _first_failure(children: "list[subprocess.Popen[bytes]]") -> int:
    """Wait for all; the first code that is not 0. Who has not ended GRACE seconds after a failure is killed."""
    code, deadline = 0, float("inf")
    while None in (codes := [child.poll() for child in children]):
        failed = [each for each in codes if each]
        if failed and not code:
            code = failed[0]
            deadline = time.monotonic() + (GRACE if code == ASKED_TO_STOP else 0)
        if time.monotonic() > deadline:
            for child in children:
                child.kill()
        time.sleep(0.1)
    code = code or next((child.returncode for child in children if child.returncode), 0)
    return code if code >= 0 else 128 - code


def _config(processes: int, nodes: int, accelerate: str) -> str:
    """The file of config/accelerate: as asked, or by the number of processes and nodes."""
    if accelerate != "auto":
        return accelerate
    if processes <= 1:
        return "single_gpu"
    return "multi_gpu" if nodes == 1 else "zero3"
