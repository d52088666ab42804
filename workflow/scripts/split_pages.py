"""Split generated documents into single-page pairs.

python workflow/scripts/split_pages.py --shard results/synth/primer/sft/0 results/synth/primer/sft/1 \
    --out results/pages/primer/sft
"""

import argparse
from pathlib import Path

from scriptorium.job import run
from scriptorium.mix.index import split_pages


def main() -> None:
    parser = argparse.ArgumentParser(description="Split generated documents into single-page pairs.")
    parser.add_argument("--shard", type=Path, nargs="+", required=True, help="folders of generated documents")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    args = parser.parse_args()
    split_pages(args.shard, args.out)


if __name__ == "__main__":
    run(main)
