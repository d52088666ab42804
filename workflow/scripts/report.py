"""Write the report of a results folder.

python workflow/scripts/report.py --results results --run base sft soup fp8 --pages results/pages/primer/bench
    --corpus library --out results/report.html
"""

import argparse
from pathlib import Path

from scriptorium.job import run
from scriptorium.report.html import write_report


def main() -> None:
    """Read the command line and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="results folder")
    parser.add_argument("--run", "--runs", nargs="+", required=True, help="runs to show, with their parents")
    parser.add_argument("--pages", type=Path, help="bench of generated pages, to show some")
    parser.add_argument("--corpus", help="name of a converted corpus")
    parser.add_argument("--out", type=Path, required=True, help="HTML file to write")
    args = parser.parse_args()
    write_report(args.results, args.run, args.pages, args.corpus, args.out)


if __name__ == "__main__":
    run(main)
