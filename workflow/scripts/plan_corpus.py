"""Plan a corpus: one row a page.

python workflow/scripts/plan_corpus.py --corpus corpus --shards 4 --out results/corpus/sample/plan.parquet
"""

import argparse
from pathlib import Path

from scriptorium.convert.documents import default_cache
from scriptorium.convert.filters import parse
from scriptorium.convert.plan import plan_corpus
from scriptorium.job import run


def main() -> None:
    """Read the command line and plan."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", nargs="+", required=True)
    parser.add_argument("--shards", type=int, required=True)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--filter", nargs="*", default=[])
    args = parser.parse_args()
    more = {"jobs": args.jobs, "cache": default_cache(), "filters": parse(args.filter)}
    plan_corpus(args.corpus, args.shards, args.out, **more)


run(main)
