"""Write a corpus's report: counts by status, and beside it a row for every page (one line).

python workflow/scripts/corpus_report.py --plan P/plan.parquet --store P/store
    --receipts P/shards --shards 2 --out P/report.json
"""

import argparse
from pathlib import Path

from scriptorium.convert.filters import parse
from scriptorium.convert.report import write_report
from scriptorium.job import run


def main() -> None:
    """Read the command line and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=int, required=True)
    for name in ("plan", "store", "receipts", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--filter", nargs="*", default=[])
    args = parser.parse_args()
    receipts = [args.receipts / f"{shard}.json" for shard in range(args.shards)]
    write_report(args.plan, args.store, receipts, args.out, parse(args.filter))


run(main)
