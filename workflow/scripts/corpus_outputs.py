"""Write a corpus's outputs from its page store, a folder a format (one line).

python workflow/scripts/corpus_outputs.py --plan P/plan.parquet --store P/store
    --shard-receipt P/shards/0.json P/shards/1.json --options '{"formats": ["dolma"]}' --out P
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
    parser.add_argument("--shard-receipt", type=Path, nargs="+", required=True)
    for name in ("plan", "store", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--options", type=json.loads, required=True)
    args = parser.parse_args()
    write_outputs(args.plan, args.store, args.shard_receipt, args.out, parse(args.options, "--options"))


run(main)
