"""Make a fresh model: python workflow/scripts/init.py STAGE.yaml --model DIR --receipt model.json"""

import argparse
from pathlib import Path

from scriptorium.job import run
from scriptorium.recipe.plan import read_run
from scriptorium.train.init import make


def main() -> None:
    """Read the command line and make the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", type=Path, help="the resolved stage (stage.yaml)")
    parser.add_argument("--model", type=Path, required=True, help="folder to write")
    parser.add_argument("--receipt", type=Path, required=True, help="receipt to write (model.json)")
    args = parser.parse_args()
    make(read_run(args.stage), args.model, args.receipt)


if __name__ == "__main__":
    run(main)
