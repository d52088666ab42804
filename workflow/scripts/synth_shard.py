"""Generate one shard of pages.

python workflow/scripts/synth_shard.py --family primer --source primer --split sft --shard 0 --pages 500 \
    --seed 1 --out results/synth/primer/sft/0
"""

import argparse
from pathlib import Path

from scriptorium.job import run
from scriptorium.synth.shard import make_shard


def main() -> None:
    parser = argparse.ArgumentParser(description="Generate one shard of pages.")
    for name in ("--family", "--source", "--split"):
        parser.add_argument(name, required=True)
    for name in ("--shard", "--pages", "--seed"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    make_shard(**vars(parser.parse_args()))


if __name__ == "__main__":
    run(main)
