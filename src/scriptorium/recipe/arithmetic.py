"""How many steps a run takes, and over how many pages: from the recipe alone, before anything is fetched.

The rules are those of the engines: our own loop's, and TRL 1.16's for GRPO. What a recipe leaves out has the
engine's default.
"""

import math
from dataclasses import dataclass
from typing import Any

from scriptorium.errors import ConfigError
from scriptorium.recipe.plan import Run
from scriptorium.recipe.recipe import TRAINING, Recipe

DEFAULT_EPOCHS = {"pretrain": 1.0, "sft": 1.0, "dpo": 3.0, "grpo": 3.0}
"""`num_train_epochs` where a recipe is silent: our loop's, and transformers' for what TRL trains."""


@dataclass(frozen=True)
class Batch:
    """A run's steps: `pages` a step (prompts, for GRPO), `answers` to each page, `rows` to draw from.

    `rows` and `steps` are None where the number of pages is not known yet.
    """

    processes: int
    pages: int
    answers: int
    rows: int | None
    steps: int | None

    @property
    def samples(self) -> int:
        """What one step learns from: pages, or answers to pages."""
        return self.pages * self.answers

    @property
    def epochs(self) -> float | None:
        """How often each page is seen."""
        return self.steps * self.pages / self.rows if self.steps and self.rows else None


def processes(run: Run) -> int:
    """The processes that train: one a GPU, but for those that only generate."""
    need = run.resources
    return max(1, need.gpus * need.nodes - need.vllm_gpus)


def rows_of(recipe: Recipe, run: Run) -> int | None:
    """The rows that a run draws from; None where a source does not say how many pages it has."""
    total = 0
    for reference in run.data:
        source = recipe.sources.get(reference.source)  # rows may also be what another stage makes
        count = source.count(reference.split) if source else None
        if isinstance(reference.amount, int):
            total += reference.amount
        elif count is None:
            return None
        else:
            total += round(count * reference.amount)
    return total


def batch_of(recipe: Recipe, run: Run) -> Batch | None:
    """The arithmetic of a training run; None for another.

    Raises ConfigError for a GRPO batch that is no whole number of prompts.
    """
    if run.method not in TRAINING:
        return None
    rows = rows_of(recipe, run)
    if run.method == "grpo":
        return _grpo(run, rows)
    pages = _number(run, "per_device_train_batch_size", 8) * _number(run, "gradient_accumulation_steps", 1)
    pages *= processes(run)
    epochs = float(run.args.get("num_train_epochs", DEFAULT_EPOCHS[run.method]))
    planned = None if rows is None else math.ceil(rows * epochs / pages)
    return Batch(processes(run), pages, 1, rows, _steps(run, planned))


def _grpo(run: Run, rows: int | None) -> Batch:
    """TRL's RepeatSampler: it deals whole generation batches and drops the pages that fill none."""
    answers = _number(run, "num_generations", 8)
    size = _number(run, "per_device_train_batch_size", 8) * processes(run)
    accumulation = _number(run, "gradient_accumulation_steps", 1)
    rounds = run.args.get("steps_per_generation") or accumulation
    generated = int(run.args.get("generation_batch_size") or size * rounds)
    prompts, left = divmod(generated, answers)
    if left or not prompts:
        raise ConfigError(
            f"recipe {run.recipe}: stages.{run.stage}.args: a generation batch of {generated} answers "
            f"({size} a micro-step on {processes(run)} processes) is no multiple of num_generations {answers}"
        )
    planned = None
    if rows is not None:
        micro_steps = rows // prompts * _number(run, "num_iterations", 1) * (generated // size)
        epochs = float(run.args.get("num_train_epochs", DEFAULT_EPOCHS["grpo"]))
        planned = math.ceil(epochs * max(1, math.ceil(micro_steps / accumulation)))
    step = size * accumulation
    return Batch(processes(run), max(1, step // answers), min(step, answers), rows, _steps(run, planned))


def _number(run: Run, name: str, default: int) -> int:
    return int(run.args.get(name, default))


def _steps(run: Run, planned: int | None) -> int | None:
    most: Any = run.args.get("max_steps", -1)
    return int(most) if most > 0 else planned
