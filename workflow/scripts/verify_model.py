"""Compare a served model with the same weights in transformers; exit code 4 where they disagree.

python workflow/scripts/verify_model.py --model R/soup/model --adapter tiny --pages R/pages/primer/bench
    --threads 1 --log R/soup/bench/verify.log --out R/soup/verify.json
"""

import argparse
from pathlib import Path

from scriptorium.job import run
from scriptorium.serve.adapter import load
from scriptorium.weights.served import verify_served


def main() -> None:
    """Read the command line and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, kind in (("model", Path), ("adapter", str), ("pages", Path), ("log", Path), ("out", Path)):
        parser.add_argument(f"--{name}", type=kind, required=True)
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of the server")
    parser.add_argument("--count", type=int, default=3, help="pages to compare")
    parser.add_argument("--max-tokens", type=int, default=64, help="tokens of an answer")
    a = parser.parse_args()
    verify_served(a.model, load(a.adapter), a.pages, a.out, a.log, a.threads, a.count, a.max_tokens)


if __name__ == "__main__":
    run(main)
