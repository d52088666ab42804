"""Reinforce by unit tests: python workflow/scripts/grpo.py STAGE.yaml --parent MODEL --rows ROWS.parquet --state DIR
--model DIR --metrics metrics.jsonl --receipt model.json [--eval-rows ROWS.parquet]"""

from scriptorium.job import run
from scriptorium.train.command import arguments
from scriptorium.train.grpo import train


def main() -> None:
    """Read the command line and train."""
    train(**arguments(__doc__))


if __name__ == "__main__":
    run(main)
