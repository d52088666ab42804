"""Write a corpus's Dolma and Markdown files from its page store (one line).

python workflow/scripts/corpus_outputs.py --plan P/plan.parquet --store P/store
    --shard-receipt P/shards/0.json P/shards/1.json --dolma P/dolma --markdown P/markdown
"""

import argparse
from pathlib import Path

from scriptorium.convert.outputs import write_outputs
from scriptorium.job import run


def main() -> None:
    """Read the command line and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shard-receipt", type=Path, nargs="+", required=True)
    for name in ("plan", "store", "dolma", "markdown"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    args = parser.parse_args()
    write_outputs(args.plan, args.store, args.shard_receipt, args.dolma, args.markdown)


run(main)
