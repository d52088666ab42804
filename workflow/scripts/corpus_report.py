"""Write a corpus's report: counts by status, and beside it a row for every page (one line).

python workflow/scripts/corpus_report.py --plan P/plan.parquet --store P/store
    --shard-receipt P/shards/0.json P/shards/1.json --out P/report.json
"""

import argparse
from pathlib import Path

from scriptorium.convert.report import write_report
from scriptorium.job import run


def main() -> None:
    """Read the command line and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shard-receipt", type=Path, nargs="+", required=True)
    for name in ("plan", "store", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    args = parser.parse_args()
    write_report(args.plan, args.store, args.shard_receipt, args.out)


run(main)
