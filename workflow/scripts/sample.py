"""Make rows of a model's answers to pages (methods filter, rejection and pairs).

python workflow/scripts/sample.py STAGE.yaml --parent MODEL --rows ROWS.parquet --state DIR --threads 2
    --out rows.parquet --receipt rows.json
"""

import argparse
from pathlib import Path

from scriptorium.job import lease, run
from scriptorium.recipe.plan import read_run
from scriptorium.train.difficulty import difficulty
from scriptorium.train.rejection import best, pairs
from scriptorium.train.sampling import SampleFiles

METHODS = {"filter": difficulty, "rejection": best, "pairs": pairs}


def main() -> None:
    """Read the command line and the pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", type=Path, help="the resolved stage (stage.yaml)")
    parser.add_argument("--parent", type=Path, required=True, help="folder of the model that reads")
    parser.add_argument("--rows", type=Path, nargs="+", required=True, help="rows to read (parquet)")
    parser.add_argument(
        "--state", type=Path, required=True, help="folder where answers are kept as they come"
    )
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of the server")
    parser.add_argument("--out", type=Path, required=True, help="rows to write (parquet)")
    parser.add_argument("--receipt", type=Path, required=True, help="receipt to write (rows.json)")
    given = vars(parser.parse_args())
    stage = read_run(given.pop("stage"))
    files = SampleFiles(**given)
    with lease(files.state / "lease"):
        METHODS[stage.method](stage, files)


if __name__ == "__main__":
    run(main)
