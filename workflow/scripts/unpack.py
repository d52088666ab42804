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
    parser.add_argument("--jobs", type=int, default=1, help="tarballs unpacked at a time")
    parser.add_argument(
        "--most-rejected", type=float, default=1.0, help="share of pages that may be unusable"
    )
    args = parser.parse_args()
    unpack(args.fetched, args.split, args.out, jobs=args.jobs, most_rejected=args.most_rejected)


if __name__ == "__main__":
    run(main)
