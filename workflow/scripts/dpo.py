"""Learn preferences: python workflow/scripts/dpo.py STAGE.yaml --parent MODEL --rows PAIRS.parquet --state DIR
--model DIR --metrics metrics.jsonl --receipt model.json [--eval-rows ROWS.parquet]"""

from scriptorium.job import run
from scriptorium.train.dpo import train
from scriptorium.train.stage import arguments, conduct


def main() -> None:
    """Read the command line and train."""
    conduct(*arguments(__doc__), train)


if __name__ == "__main__":
    run(main)
