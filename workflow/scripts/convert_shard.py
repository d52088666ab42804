"""Read the pages of one shard of a corpus (one line).

python workflow/scripts/convert_shard.py --plan P/plan.parquet --shard 0 --model results/soup/model
    --adapter tiny --threads 2 --store P/store --out P/shards/0.json
"""

import argparse
from pathlib import Path

from scriptorium.convert.shard import convert_shard
from scriptorium.job import run
from scriptorium.serve.adapter import load


def main() -> None:
    """Read the command line and convert."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, kind in (("plan", Path), ("shard", int), ("model", str), ("adapter", str), ("threads", int)):
        parser.add_argument(f"--{name}", type=kind, required=True)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--in-flight", type=int, default=1600)
    a = parser.parse_args()
    adapter = load(a.adapter)
    convert_shard(a.plan, a.shard, a.model, adapter, a.threads, a.store, a.out, in_flight=a.in_flight)


run(main)
