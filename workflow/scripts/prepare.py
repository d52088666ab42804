"""Make a checkpoint of another trainer a whole model: what it lacks comes from the model it was trained from.

python workflow/scripts/prepare.py CHECKPOINT --parent MODEL_DIR --model DIR [--adapter qwen2.5-vl]
"""

import argparse
from pathlib import Path

from scriptorium.job import run
from scriptorium.recipe.plan import Run
from scriptorium.weights.prepare import prepare


def main() -> None:
    """Read the command line and write the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path, help="folder with config.json and weights")
    parser.add_argument("--parent", type=Path, required=True, help="folder of the model it was trained from")
    parser.add_argument("--model", type=Path, required=True, help="folder to write")
    parser.add_argument("--adapter", default="qwen2.5-vl", help="model adapter the receipt names")
    args = parser.parse_args()
    made = Run(
        name=args.model.name,
        stage="prepare",
        method="prepare",
        recipe="none",
        model=args.adapter,
        parents=[args.parent.as_posix()],
    )
    prepare(made, args.checkpoint, args.parent, args.model, args.model.with_suffix(".json"))


if __name__ == "__main__":
    run(main)
