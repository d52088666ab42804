"""Start a training script on the GPUs of a job.

python workflow/scripts/launch.py --gpus 8 --nodes 1 --vllm-gpus 1 --accelerate zero2 -- \\
    workflow/scripts/grpo.py STAGE ...
"""

import argparse
import os

from scriptorium.job import run
from scriptorium.recipe.launch import launch_line


def main() -> None:
    """Become the training process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gpus", type=int, required=True, help="GPUs on each node")
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("--vllm-gpus", type=int, default=0, help="of the GPUs, those that generate")
    parser.add_argument("--accelerate", default="auto", help="file of config/accelerate, without .yaml")
    parser.add_argument("script", nargs="+", help="the script and its arguments, after --")
    line = launch_line(**vars(parser.parse_args()))
    os.execvp(line[0], line)


if __name__ == "__main__":
    run(main)
