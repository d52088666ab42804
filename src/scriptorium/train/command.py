"""The command line that the training scripts share."""

import argparse
from pathlib import Path
from typing import Any

from scriptorium.recipe.plan import read_run


def arguments(doc: str | None) -> dict[str, Any]:
    """The arguments of a training script, by the names that the `train` functions take."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("run", type=lambda path: read_run(Path(path)), metavar="STAGE", help="stage.yaml")
    parser.add_argument("--parent", type=Path, required=True, help="model folder to start from")
    parser.add_argument("--rows", type=Path, nargs="+", required=True, help="training rows (parquet)")
    parser.add_argument("--eval-rows", type=Path, nargs="*", default=[], help="held-out rows (parquet)")
    parser.add_argument("--state", type=Path, required=True, help="folder for checkpoints")
    parser.add_argument("--model", type=Path, required=True, dest="out", help="model folder to write")
    parser.add_argument("--metrics", type=Path, required=True, help="metrics to write (JSONL)")
    parser.add_argument("--receipt", type=Path, required=True, help="receipt to write (model.json)")
    return vars(parser.parse_args())
