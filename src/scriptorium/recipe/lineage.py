"""Questions about a plan: which runs are whole models, what they descend from, a soup's relatives."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from scriptorium.errors import ConfigError
from scriptorium.recipe.recipe import SAMPLING, TRAINING

if TYPE_CHECKING:
    from scriptorium.recipe.plan import Run

Plan = Mapping[str, "Run"]


def is_full(plan: Plan, name: str) -> bool:
    """Whether a run ends in a whole model: no adapter, no filtered rows. Paths and hub models are."""
    if name not in plan:
        return True
    run = plan[name]
    if run.method in TRAINING:
        # Without an adapter of its own, a run that starts from an adapter goes on with it.
        return run.adapter["merge"] if run.adapter else is_full(plan, run.parents[0])
    return run.method not in SAMPLING


def full_runs(plan: Plan) -> list[str]:
    """The runs that can be served and measured, in the recipe's order."""
    return [name for name in plan if is_full(plan, name)]


def base_of(plan: Plan, name: str) -> str:
    """The whole model under an adapter run: what its adapter is merged into."""
    while not is_full(plan, name):
        name = plan[name].parents[0]
    return name


def relatives(plan: Plan, name: str) -> list[tuple[str, str]]:
    """Whom a soup is compared with, as (relation, run): its parent, every ingredient, its quantised runs.

    The parent is the run that every ingredient was trained from; there is none if they differ. Other
    runs have no relatives: theirs would close a circle.
    """
    if name not in plan or plan[name].method != "soup":
        return []
    parents = plan[name].parents
    based = plan[name].alpha is not None  # then the first parent is the base
    ingredients = [run for run in parents[based:] if run in plan and is_full(plan, run)]
    if based:
        return [
            *[("parent", run) for run in parents[:1] if run in plan],
            *[("ingredient", run) for run in ingredients],
        ]
    origins = dict.fromkeys(_origin(plan, run) for run in ingredients)
    parent = [("parent", run) for run in origins if len(origins) == 1 and run in plan]
    quantised = [run.name for run in plan.values() if run.method == "quantize" and run.parents == [name]]
    return [
        *parent,
        *(("ingredient", run) for run in ingredients),
        *(("quantised", run) for run in quantised),
    ]


def varied(variants: Mapping[str, str], plan: Plan) -> list[tuple[str, str]]:
    """Each run of a variant with the run it varies, seed by seed; adapters, which nobody measures, are left out."""
    runs = {
        stage: [run for run in plan.values() if run.stage == stage]
        for stage in {*variants, *variants.values()}
    }
    found = []
    for variant, base in variants.items():
        by_seed = {run.seed: run.name for run in runs[base]}
        for run in runs[variant]:
            other = by_seed.get(run.seed) or runs[base][0].name
            if is_full(plan, run.name) and is_full(plan, other):
                found.append((run.name, other))
    return found


def check_weights(plan: Plan) -> None:
    """Refuse what has no weights to work on: a soup or quantisation of adapters, a merge of a whole model."""
    for run in plan.values():
        for parent in run.parents:
            if run.method in ("soup", "quantize", *SAMPLING) and not is_full(plan, parent):
                raise ConfigError(
                    f"recipe {run.recipe}: stages.{run.stage}: {parent} is an adapter; merge it first"
                )
            if run.method == "merge" and is_full(plan, parent):
                raise ConfigError(
                    f"recipe {run.recipe}: stages.{run.stage}: {parent} is a whole model, nothing to merge"
                )


def _origin(plan: Plan, name: str) -> str:
    """What a run was reinforced from: up through merges, then one training step."""
    while plan[name].method == "merge" and plan[name].parents[0] in plan:
        name = plan[name].parents[0]
    return plan[name].parents[0] if plan[name].parents else name
