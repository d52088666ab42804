"""Recipe to runs: seeds expanded, parents named, the graph checked."""

import graphlib
import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from scriptorium.errors import ConfigError, nearest
from scriptorium.files import write_text
from scriptorium.recipe.lineage import check_weights
from scriptorium.recipe.options import Resources
from scriptorium.recipe.recipe import NAME, RESERVED, SAMPLING, TRAINING, DataRef, PagesRef, Recipe, Stage
from scriptorium.recipe.typed import Typed, read


class Run(Typed):
    """A stage for one seed: what `stage.yaml` holds. The stage's fields, with nothing left to look up."""

    name: str
    stage: str
    method: str
    recipe: str
    model: str = Field(description="model adapter")
    modality: str = "text"
    engine: str = "trl"
    seed: int | None = None
    parents: list[str] = Field(default=[])
    data: list[DataRef] = Field(default=[])
    eval_data: list[DataRef] = Field(default=[])
    config: dict[str, Any] = Field(default={})
    curriculum: dict[str, Any] | None = None
    stop: dict[str, Any] | None = None
    max_tokens: int | None = None
    max_prompt_tokens: int | None = None
    chat_template: str | None = None
    adapter: dict[str, Any] | None = None
    freeze: list[str] = Field(default=[])
    # Left out of a dump where they ask for nothing: the text of stages without them stays what it was.
    learning_rates: dict[str, float] = Field(default={}, exclude_if=lambda rates: not rates)
    average_last: int = Field(default=1, exclude_if=lambda last: last == 1)
    model_args: dict[str, Any] = Field(default={})
    args: dict[str, Any] = Field(default={})
    rewards: dict[str, Any] = Field(default={})
    reward_scale: float = 1.0
    overrides: dict[str, Any] = Field(default={})
    collapse: dict[str, Any] | None = None
    sampling: dict[str, Any] | None = None
    scheme: str = "FP8_DYNAMIC"
    ignore: list[str] = Field(default=[])
    calibration: dict[str, Any] | None = None
    weights: list[float] | None = None
    greedy: bool = Field(default=False, exclude_if=lambda value: not value)
    alpha: float | None = Field(
        default=None, description="parents: the base, then the rest", exclude_if=lambda value: value is None
    )
    last: int | None = Field(default=None, exclude_if=lambda value: value is None)
    resources: Resources = Resources()


def make_plan(recipe: Recipe) -> dict[str, Run]:
    """The runs of a recipe by name, in its order.

    Raises ConfigError for a name that cannot be, an unknown parent or source, a cycle, a soup of adapters.
    """
    where = f"recipe {recipe.name}"
    for name in recipe.stages:
        _check_name(where, name)
    runs = {name: _run_names(name, stage) for name, stage in recipe.stages.items()}
    _check_cycles(where, recipe)
    plan: dict[str, Run] = {}
    for name, stage in recipe.stages.items():
        _check_carried_out(where, name, stage)
        _check_data(where, name, stage, recipe)
        parents = [
            run
            for place, parent in enumerate(_named(stage))
            for run in _parent_runs(
                where, name, stage, parent, runs, one=not stage.parents or place < bool(stage.base)
            )
        ]
        if stage.weights and len(stage.weights) != len(parents) - bool(stage.base):
            raise ConfigError(
                f"{where}: stages.{name}.weights: {len(stage.weights)} for {len(parents)} parents"
            )
        _check_last(where, name, stage, parents, recipe)
        seeds: list[int | None] = [*stage.seeds] or [None] * len(runs[name])
        alphas: list[float | None] = [*stage.alphas] or [None] * len(runs[name])
        for run, seed, alpha in zip(runs[name], seeds, alphas, strict=True):
            plan[run] = _run(recipe, name, run, stage, parents, seed, alpha)
    for key, pages in (("bench", recipe.bench), ("corpus", recipe.corpus)):
        if pages:
            _check_pages(where, key, pages, recipe)
    check_weights(plan)
    return plan


def run_text(run: Run) -> str:
    """The text of `stage.yaml`. Resources stay out of it: a job that asks for more memory is the same job."""
    values = run.model_dump(mode="json", exclude={"resources"})
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=100)


def write_run(path: Path, run: Run) -> None:
    """Write `stage.yaml`."""
    write_text(path, run_text(run))


def read_run(path: Path) -> Run:
    """The run in a `stage.yaml`. Raises ConfigError."""
    return read(Run, path)


NOT_OF_A_RUN = {"parent", "parents", "base", "seeds", "alphas", "args", "note", "resources"}
"""Fields of a stage that a run has in another form, or not at all."""


def _run_names(name: str, stage: Stage) -> list[str]:
    variants = [str(seed) for seed in stage.seeds] or [f"{alpha:g}" for alpha in stage.alphas]
    return [f"{name}-{each}" for each in variants] or [name]


def _named(stage: Stage) -> list[str]:
    """A stage's parents; the base of a soup first."""
    first = stage.base or stage.parent
    return [*([first] if first else []), *stage.parents]


def hub_folder(parent: str) -> str:
    """The folder's name of a hub model: hub:org/name@revision as org--name@revision."""
    return parent.removeprefix("hub:").replace("/", "--", 1)


def hub_model(folder: str) -> str:
    """The hub model of a folder's name; the inverse of `hub_folder` (no organisation has -- in its name)."""
    return f"hub:{folder.replace('--', '/', 1)}"


def is_run(parent: str) -> bool:
    """Whether a parent is a run's name: neither a path nor a model on the hub."""
    return not parent.startswith("hub:") and "/" not in parent


def _parent_runs(
    where: str, name: str, stage: Stage, parent: str, runs: dict[str, list[str]], one: bool
) -> list[str]:
    """The runs that a stage's parent stands for, or the only `one`."""
    if not is_run(parent):
        return [parent]
    every = [run for each in runs.values() for run in each]
    found = runs.get(parent, [parent] if parent in every else [])
    key = "parents" if stage.parents else "parent"
    if not found:
        raise ConfigError(
            f"{where}: stages.{name}.{key}: no stage {parent!r}; {nearest(parent, [*runs, *every])} "
            "(a path needs a slash, a hub model hub:)"
        )
    if len(found) > 1 and one:
        raise ConfigError(
            f"{where}: stages.{name}.{'base' if stage.base else 'parent'}: {parent!r} has the runs "
            f"{', '.join(found)}; name one of them"
        )
    return found


def _run(
    recipe: Recipe,
    name: str,
    run: str,
    stage: Stage,
    parents: list[str],
    seed: int | None,
    alpha: float | None,
) -> Run:
    args = {name: value for name, value in stage.args.items() if name != "seed"}
    fields = stage.model_dump(exclude=NOT_OF_A_RUN)
    return Run(
        **fields,
        name=run,
        stage=name,
        recipe=recipe.name,
        model=recipe.model,
        parents=parents,
        seed=stage.args.get("seed") if seed is None else seed,
        alpha=alpha,
        args=args,
        resources=stage.resources,
    )


def _check_name(where: str, name: str) -> None:
    if not re.match(NAME, name) or re.search(r"-\d+(\.\d+)?$", name) or name in RESERVED:
        raise ConfigError(
            f"{where}: stages.{name}: not a stage's name; use small letters, digits and _, no -<number> "
            f"at its end (that is a seed or an alpha), and none of {', '.join(sorted(RESERVED))}"
        )


def _check_cycles(where: str, recipe: Recipe) -> None:
    graph = {
        name: [
            *(re.sub(r"-\d+(\.\d+)?$", "", parent) for parent in _named(stage) if is_run(parent)),
            *(each.source for each in (*stage.data, *stage.eval_data) if each.source not in recipe.sources),
        ]
        for name, stage in recipe.stages.items()
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        raise ConfigError(f"{where}: stages form a circle: {' -> '.join(error.args[1])}") from error


def _check_last(where: str, name: str, stage: Stage, parents: list[str], recipe: Recipe) -> None:
    """Refuse the last checkpoints of what keeps none that are whole models."""
    owners = [recipe.stages.get(re.sub(r"-\d+$", "", parent)) for parent in parents]
    kept = [each for each in owners if each and each.method == "grpo" and not each.adapter]
    if stage.last and not (len(parents) == len(kept) == 1):
        raise ConfigError(
            f"{where}: stages.{name}.last: needs one run of a grpo stage without an adapter; "
            "pretrain and sft have average_last of their own"
        )


def _check_data(where: str, name: str, stage: Stage, recipe: Recipe) -> None:
    if stage.calibration:
        pages = PagesRef(source=stage.calibration.source, split=stage.calibration.split)
        _check_pages(where, f"stages.{name}.calibration", pages, recipe)
    for key, references in (("data", stage.data), ("eval_data", stage.eval_data)):
        for reference in references:
            if not _is_sampled(where, f"stages.{name}.{key}", reference.source, stage, recipe):
                _check_pages(where, f"stages.{name}.{key}", reference, recipe)


def _is_sampled(where: str, key: str, source: str, stage: Stage, recipe: Recipe) -> bool:
    """Whether data come from a stage that makes rows. Refuses pairs for anything but DPO, and its opposite."""
    method = (
        recipe.stages[source].method if source in recipe.stages and source not in recipe.sources else None
    )
    if method is not None and method not in SAMPLING:
        raise ConfigError(
            f"{where}: {key}: stage {source!r} makes a model; rows come from {', '.join(SAMPLING)}"
        )
    if method is not None and (method == "pairs") != (stage.method == "dpo"):
        raise ConfigError(f"{where}: {key}: pairs are for dpo, and dpo needs pairs; {source!r} is a {method}")
    return method is not None


NOT_YET: dict[str, Any] = {
    "engine": "trl",
    "overrides": {},
    "chat_template": None,
}
"""Fields of a stage that no rule carries out so far, and the value that asks for nothing."""

OWN_LOOP = ("pretrain", "sft")
"""Methods that our own training loop carries out."""

CARRIED_OUT_BY: dict[str, tuple[str, ...]] = {
    "freeze": OWN_LOOP,
    "learning_rates": OWN_LOOP,
    "average_last": OWN_LOOP,
    "curriculum": OWN_LOOP,
    "stop": OWN_LOOP,
    "max_tokens": OWN_LOOP,
    "max_prompt_tokens": (*OWN_LOOP, "grpo"),
    "adapter": TRAINING,
    "model_args": TRAINING,
    "args": ("init", *TRAINING, *SAMPLING),
    "eval_data": (*TRAINING, "soup"),
    "reward_scale": ("grpo",),
    "weights": ("soup",),
    "scheme": ("quantize",),
    "ignore": ("quantize",),
}
"""Fields that only some methods carry out; anywhere else they have to be left out."""


def _check_carried_out(where: str, name: str, stage: Stage) -> None:
    """Refuse what would be passed over without a word."""
    for key, nothing in NOT_YET.items():
        if getattr(stage, key) != nothing:
            raise ConfigError(f"{where}: stages.{name}.{key}: no rule carries it out yet; remove it")
    _check_method(where, name, stage)
    if stage.method in OWN_LOOP and stage.resources.accelerate in ("zero2", "zero3"):
        raise ConfigError(
            f"{where}: stages.{name}.resources.accelerate: {stage.resources.accelerate} is DeepSpeed's, which "
            f"{stage.method} does not use; write fsdp2 (weights spread over the GPUs) or multi_gpu (a copy on each)"
        )
    if len(stage.data) > 1 and any(each.amount != 1.0 for each in stage.data):
        raise ConfigError(f"{where}: stages.{name}.data: `amount` works with one source only so far")


def _check_method(where: str, name: str, stage: Stage) -> None:
    """Refuse what this method does not carry out, though others do."""
    for key, methods in CARRIED_OUT_BY.items():
        if stage.method not in methods and getattr(stage, key) != Stage.model_fields[key].default:
            raise ConfigError(
                f"{where}: stages.{name}.{key}: {stage.method} does not carry it out, only {', '.join(methods)}; "
                "remove it"
            )
    if stage.method in ("init", *SAMPLING) and stage.args.keys() - {"seed"}:
        raise ConfigError(
            f"{where}: stages.{name}.args: {stage.method} takes `seed` alone; remove the others"
        )
    if stage.resources.vllm_gpus and stage.method != "grpo":
        raise ConfigError(f"{where}: stages.{name}.resources.vllm_gpus: only grpo generates; remove it")
    if stage.modality == "text" and stage.method in (*OWN_LOOP, "grpo"):
        raise ConfigError(
            f"{where}: stages.{name}.modality: text, but {stage.method} learns from pages; write modality: vision"
        )
    if stage.modality == "text" and stage.method == "dpo" and stage.eval_data:
        raise ConfigError(
            f"{where}: stages.{name}.eval_data: pages, which a model of text cannot read; remove it"
        )


def _check_pages(where: str, key: str, reference: DataRef | PagesRef, recipe: Recipe) -> None:
    source = recipe.sources.get(reference.source)
    if source is None:
        raise ConfigError(
            f"{where}: {key}: no source {reference.source!r}; {nearest(reference.source, recipe.sources)}"
        )
    if source.synth and reference.split not in source.splits:
        raise ConfigError(
            f"{where}: {key}: source {reference.source!r} has no split {reference.split!r}; "
            f"{nearest(reference.split, source.splits)}"
        )
    if source.rows and not key.startswith("stages."):
        raise ConfigError(f"{where}: {key}: source {reference.source!r} is finished rows, and no pages")
    if key == "corpus" and not (source.synth and source.splits[reference.split].shards == 1):
        raise ConfigError(f"{where}: corpus: not one generated shard; name a folder of PDFs in the config")
