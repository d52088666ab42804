"""Leave out and mend the pages of a folder of pairs, each with its reason.

python workflow/scripts/filter_pairs.py --pages results/pages/mix/train --filter rotated --filter rules \
    --against results/pages/bench/test --out results/filtered/mix/train
"""

import argparse
from pathlib import Path

from scriptorium.job import run
from scriptorium.mix.audit import audit
from scriptorium.mix.filters import parse


def main() -> None:
    parser = argparse.ArgumentParser(description="Leave out and mend pages, each with its reason.")
    parser.add_argument("--pages", type=Path, required=True, help="folder of pairs")
    parser.add_argument("--filter", action="append", default=[], help="a filter; again for more")
    parser.add_argument("--against", type=Path, nargs="*", default=[], help="folders of measured pages")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    args = parser.parse_args()
    audit(args.pages, args.out, parse(args.filter), args.against)


if __name__ == "__main__":
    run(main)
