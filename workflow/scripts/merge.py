"""Merge a LoRA adapter into its base.

python workflow/scripts/merge.py STAGE.yaml --parent ADAPTER_DIR --base MODEL_DIR --model DIR
    --receipt model.json
"""

import argparse
from pathlib import Path

from scriptorium.job import run
from scriptorium.recipe.plan import read_run
from scriptorium.weights.merge import merge


def main() -> None:
    """Read the command line and write the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", type=Path, help="the resolved stage (stage.yaml)")
    parser.add_argument("--parent", type=Path, required=True, help="folder of the adapter")
    parser.add_argument("--base", type=Path, required=True, help="folder of the model it was trained on")
    parser.add_argument("--model", type=Path, required=True, help="folder to write")
    parser.add_argument("--receipt", type=Path, required=True, help="receipt to write (model.json)")
    args = parser.parse_args()
    merge(read_run(args.stage), args.parent, args.base, args.model, args.receipt)


if __name__ == "__main__":
    run(main)
