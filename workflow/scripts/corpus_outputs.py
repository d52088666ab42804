"""Write a corpus's outputs from its page store, a folder a format (one line).

python workflow/scripts/corpus_outputs.py --plan P/plan.parquet --store P/store
    --receipts P/shards --shards 2 --options '{"formats": ["dolma"]}' --out P
"""

import argparse
import json
from pathlib import Path

from scriptorium.convert.outputs.options import parse
from scriptorium.convert.outputs.write import write_outputs
from scriptorium.job import run


def main() -> None:
    """Read the command line and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=int, required=True)
    for name in ("plan", "store", "receipts", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--options", type=json.loads, required=True)
    args = parser.parse_args()
    receipts = [args.receipts / f"{shard}.json" for shard in range(args.shards)]
    write_outputs(args.plan, args.store, receipts, args.out, parse(args.options, "--options"))


run(main)
