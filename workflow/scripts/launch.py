"""Start a training script on the GPUs of a job.

python workflow/scripts/launch.py --gpus 8 --nodes 1 --vllm-gpus 1 --accelerate zero2 -- \\
    workflow/scripts/grpo.py STAGE ...

pretrain.py and sft.py are our own loop and get one process a GPU; everything else goes through accelerate.
"""

import argparse
import os
import sys
from pathlib import Path

from scriptorium.job import run
from scriptorium.recipe.launch import launch_line, run_processes, srun_line
from scriptorium.recipe.plan import OWN_LOOP


def main() -> None:
    """Become the training process, or wait for the several of one machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gpus", type=int, required=True, help="GPUs on each node")
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("--vllm-gpus", type=int, default=0, help="of the GPUs, those that generate")
    parser.add_argument("--accelerate", default="auto", help="file of config/accelerate, without .yaml")
    parser.add_argument("script", nargs="+", help="the script and its arguments, after --")
    given = parser.parse_args()
    if Path(given.script[0]).stem not in OWN_LOOP:
        line = launch_line(**vars(given))
    else:
        script = [*given.script, "--accelerate", given.accelerate]
        if given.nodes == 1 and given.gpus > 1:
            sys.exit(run_processes(script, given.gpus))
        line = [sys.executable, *script] if given.nodes == 1 else srun_line(script, given.gpus, given.nodes)
    os.execvp(line[0], line)


if __name__ == "__main__":
    run(main)
