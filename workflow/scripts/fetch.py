"""Fetch a data set from the hub.

python workflow/scripts/fetch.py --source hub:org/name@revision --out results/fetch/name
"""

import argparse
from pathlib import Path

from scriptorium.job import run
from scriptorium.mix.hub import fetch


def main() -> None:
    parser = argparse.ArgumentParser(description="Fetch a data set from the hub.")
    parser.add_argument("--source", required=True, help="hub:org/name@revision, or a folder")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    args = parser.parse_args()
    fetch(args.source, args.out)


if __name__ == "__main__":
    run(main)
