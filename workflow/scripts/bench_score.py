"""Score what a model read on a bench's pages (one line).

python workflow/scripts/bench_score.py --pages R/pages/primer/bench --outputs R/soup/bench/pages.jsonl
    --run soup --receipt R/soup/model.json --relative ingredient=grpo-1=R/grpo-1/bench.json
    --out R/soup/bench.json
"""

import argparse
from pathlib import Path

from scriptorium.bench.scoring.run_scores import write_scores
from scriptorium.job import run


def main() -> None:
    """Read the command line and score."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, kind in (("pages", Path), ("outputs", Path), ("run", str), ("out", Path)):
        parser.add_argument(f"--{name}", type=kind, required=True)
    parser.add_argument("--receipt", type=Path)
    parser.add_argument("--relative", nargs="+", action="extend", default=[], help="RELATION=RUN=bench.json")
    a = parser.parse_args()
    write_scores(a.pages, a.outputs, a.run, a.receipt, a.relative, a.out)


if __name__ == "__main__":
    run(main)
