"""Quantise a model: to FP8, or by a scheme of llm-compressor.

python workflow/scripts/quantize.py STAGE.yaml --parent MODEL_DIR --model DIR --receipt model.json
    [--pages R/pages/primer/dev]
"""

import argparse
from pathlib import Path

from scriptorium.job import run
from scriptorium.recipe.plan import read_run
from scriptorium.weights.quantize import quantize


def main() -> None:
    """Read the command line and write the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", type=Path, help="the resolved stage (stage.yaml)")
    parser.add_argument("--parent", type=Path, required=True, help="folder of the model")
    parser.add_argument("--model", type=Path, required=True, help="folder to write")
    parser.add_argument("--receipt", type=Path, required=True, help="receipt to write (model.json)")
    parser.add_argument("--pages", type=Path, help="bench folder to measure activations on (calibration)")
    args = parser.parse_args()
    quantize(read_run(args.stage), args.parent, args.model, args.receipt, args.pages)


if __name__ == "__main__":
    run(main)
