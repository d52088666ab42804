"""The command line of a training job: plain Python, or accelerate, under SLURM also on several nodes."""

import shlex
import sys
from pathlib import Path

from scriptorium.errors import ConfigError

FOLDER = Path(__file__).parents[3] / "config" / "accelerate"
PORT = 29500


def launch_line(
    script: list[str], gpus: int, nodes: int = 1, vllm_gpus: int = 0, accelerate: str = "auto"
) -> list[str]:
    """The command that runs `script` (a file and its arguments), to be executed as it is.

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


def _config(processes: int, nodes: int, accelerate: str) -> str:
    """The file of config/accelerate: as asked, or by the number of processes and nodes."""
    if accelerate != "auto":
        return accelerate
    if processes <= 1:
        return "single_gpu"
    return "multi_gpu" if nodes == 1 else "zero3"
