"""Render single-page pairs to training rows.

python workflow/scripts/pack.py --pages results/pages/primer/sft --side 448 \
    --out results/rows/primer/sft.parquet
"""

import argparse
from pathlib import Path

from scriptorium.job import run
from scriptorium.mix.rows import pack


def main() -> None:
    parser = argparse.ArgumentParser(description="Render single-page pairs to training rows.")
    parser.add_argument("--pages", type=Path, required=True, help="folder of pairs")
    parser.add_argument("--side", type=int, required=True, help="longest side of a picture, in pixels")
    parser.add_argument("--max-scale", type=float, help="pixels a point at most")
    parser.add_argument("--out", type=Path, required=True, help="parquet file to write")
    args = parser.parse_args()
    pack(args.pages, args.out, args.side, args.max_scale)


if __name__ == "__main__":
    run(main)
