"""Read the pages of a bench with a model (one line).

python workflow/scripts/bench_read.py --pages R/pages/primer/bench --model R/soup/model --adapter tiny
    --threads 2 --state R/soup/bench/state --out R/soup/bench/pages.jsonl
"""

import argparse
from pathlib import Path

from scriptorium.bench.read import read_bench
from scriptorium.job import run
from scriptorium.serve.adapter import load


def main() -> None:
    """Read the command line and the pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, kind in (("pages", Path), ("model", str), ("adapter", str), ("threads", int), ("state", Path)):
        parser.add_argument(f"--{name}", type=kind, required=True)
    parser.add_argument("--out", type=Path, required=True)
    a = parser.parse_args()
    read_bench(a.pages, a.model, load(a.adapter), a.threads, a.state, a.out, a.state / "server.log")


if __name__ == "__main__":
    run(main)
