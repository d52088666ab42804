"""Train on lines of text: python workflow/scripts/pretrain.py STAGE.yaml --parent MODEL --rows ROWS.parquet --state DIR
--model DIR --metrics metrics.jsonl --receipt model.json [--eval-rows ROWS.parquet]"""

from scriptorium.job import run
from scriptorium.train.sft import train
from scriptorium.train.stage import arguments, conduct


def main() -> None:
    """Read the command line and train."""
    conduct(*arguments(__doc__), train)


if __name__ == "__main__":
    run(main)
