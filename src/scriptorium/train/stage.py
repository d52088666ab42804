"""One training stage, from its command line to its receipt: what every way to train has in common."""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from transformers import PreTrainedModel, ProcessorMixin

from scriptorium.files import sweep, whole
from scriptorium.job import lease
from scriptorium.receipt import Format, write_receipt
from scriptorium.recipe.plan import Run, read_run
from scriptorium.serve.adapter import load, write_prompt
from scriptorium.train import checkpoint, processes


@dataclass(frozen=True)
class Files:
    """What a training reads and writes."""

    parent: Path
    rows: list[Path]
    eval_rows: list[Path]
    state: Path
    model: Path
    metrics: Path
    receipt: Path
    accelerate: str = "auto"


@dataclass(frozen=True)
class Trained:
    """A training that came to its end: `metrics` are its last ones."""

    model: PreTrainedModel
    processor: ProcessorMixin
    steps: int
    metrics: dict[str, float]


Train = Callable[[Run, Files], Trained]


def arguments(doc: str | None) -> tuple[Run, Files]:
    """The command line of a training script."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("stage", type=Path, help="the resolved stage (stage.yaml)")
    parser.add_argument("--parent", type=Path, required=True, help="model folder to start from")
    parser.add_argument("--rows", type=Path, nargs="+", required=True, help="training rows (parquet)")
    parser.add_argument("--eval-rows", type=Path, nargs="*", default=[], help="held-out rows (parquet)")
    parser.add_argument("--state", type=Path, required=True, help="folder for checkpoints")
    parser.add_argument("--model", type=Path, required=True, help="model folder to write")
    parser.add_argument("--metrics", type=Path, required=True, help="metrics to write (JSONL)")
    parser.add_argument("--receipt", type=Path, required=True, help="receipt to write (model.json)")
    parser.add_argument(
        "--accelerate", default="auto", help="how several processes share the work: multi_gpu or fsdp2"
    )
    given = vars(parser.parse_args())
    return read_run(given.pop("stage")), Files(**given)


def conduct(run: Run, files: Files, train: Train) -> None:
    """Carry out a stage with `train`; model, metrics and receipt appear at the end, whole.

    Of several processes the first one holds the lease and writes. Raises ConfigError if the state folder holds the
    unfinished work of another stage.
    """
    started = time.monotonic()
    parents = {run.parents[0]: files.parent}
    data = [*files.rows, *files.eval_rows]
    with processes.joined():
        if not processes.first():
            processes.wait()
            train(run, files)
            return
        with lease(files.state / "lease"):
            sweep(files.state)
            checkpoint.claim(files.state, checkpoint.shape(run, parents, data))
            processes.wait()
            done = train(run, files)
            kind: Format = "adapter" if run.adapter and not run.adapter.get("merge", True) else "full"
            export(done, run, files.model, merge=bool(run.adapter) and kind == "full")
            checkpoint.finish(files.state, files.metrics)
            write_receipt(
                files.receipt, run, files.model, parents, data, kind, done.steps, started, done.metrics
            )


def export(done: Trained, run: Run, out: Path, merge: bool) -> None:
    """Write a trained model, or the adapter that stays one, with processor, generation config and prompt."""
    model = done.model.merge_and_unload() if merge else done.model
    with whole(out) as part:
        model.save_pretrained(part)
        (part / "README.md").unlink(missing_ok=True)  # peft's card names paths of this machine
        done.processor.save_pretrained(part)
        write_prompt(part, load(run.model))
