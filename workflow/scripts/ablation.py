"""Write the table of an ablation: each variant's scores beside those of the run it varies.

python workflow/scripts/ablation.py --pair sft_frozen=sft --results R --out R/ablations/frozen-vision.md
"""

import argparse
from pathlib import Path

from scriptorium.bench.scoring.ablation import write_table
from scriptorium.job import run


def main() -> None:
    """Read the command line and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pair", nargs="+", required=True, help="VARIANT=BASE, runs of the results folder")
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    a = parser.parse_args()
    write_table([tuple(pair.split("=")) for pair in a.pair], a.results, a.out)


if __name__ == "__main__":
    run(main)
