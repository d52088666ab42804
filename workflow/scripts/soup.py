"""Average checkpoints.

python workflow/scripts/soup.py STAGE.yaml --parent DIR [DIR ...] --model DIR --receipt model.json
    [--pages R/pages/primer/dev --adapter tiny --threads 2] [--state R/grpo-1/state]
"""

import argparse
import tempfile
from functools import partial
from pathlib import Path

from scriptorium.job import run
from scriptorium.recipe.plan import Run, read_run
from scriptorium.weights.soup import last_checkpoints, soup


def main() -> None:
    """Read the command line and write the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", type=Path, help="the resolved stage (stage.yaml)")
    parser.add_argument(
        "--parent", type=Path, nargs="+", required=True, help="folders, as the stage lists its parents"
    )
    parser.add_argument("--model", type=Path, required=True, help="folder to write")
    parser.add_argument("--receipt", type=Path, required=True, help="receipt to write (model.json)")
    parser.add_argument("--pages", type=Path, help="pages with tests that a greedy soup is scored on")
    parser.add_argument("--adapter", help="model adapter to read them with")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of the server that reads them")
    parser.add_argument(
        "--state", type=Path, help="folder of the parent's checkpoints, for a soup of the last"
    )
    args = parser.parse_args()
    stage, parents = read_run(args.stage), args.parent
    if stage.last:
        checkpoints = last_checkpoints(args.state, stage.last)
        names = [f"{stage.parents[0]}/{folder.name}" for folder in checkpoints]
        stage, parents = Run.model_validate(stage.model_dump() | {"parents": names}), checkpoints
    score = partial(score_on, args.pages, args.adapter, args.threads) if args.pages else None
    soup(stage, parents, args.model, args.receipt, score)


def score_on(pages: Path, adapter: str, threads: int, model: Path) -> float:
    """The bench's strict score of a model folder on a folder of pages, in percent."""
    from scriptorium.bench.folder import load_bench
    from scriptorium.bench.outputs import read_outputs
    from scriptorium.bench.read import read_bench
    from scriptorium.bench.scoring.scores import score_outputs
    from scriptorium.serve.adapter import load

    with tempfile.TemporaryDirectory() as scratch:
        state, out = Path(scratch) / "state", Path(scratch) / "pages.jsonl"
        read_bench(pages, str(model), load(adapter), threads, state, out, state / "server.log")
        scored = score_outputs(load_bench(pages), read_outputs(out), model.name)
    return float(scored.rules["scriptorium-1"]["overall"])


if __name__ == "__main__":
    run(main)
