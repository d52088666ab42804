"""Unpack one split of a fetched data set into single-page pairs.

python workflow/scripts/unpack.py --fetched results/fetch/name --split eval --out results/pages/name/eval
"""

import argparse
from pathlib import Path

from scriptorium.job import run
from scriptorium.mix.hub import unpack


def main() -> None:
    parser = argparse.ArgumentParser(description="Unpack one split of a fetched data set into pairs.")
    parser.add_argument("--fetched", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--split", required=True, help="a split, or a bench's category")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    args = parser.parse_args()
    unpack(args.fetched, args.split, args.out)


if __name__ == "__main__":
    run(main)
