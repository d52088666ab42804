"""What one launch works on: the model that reads, the runs measured, the corpus converted."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scriptorium.errors import ConfigError, nearest
from scriptorium.recipe.config import Config
from scriptorium.recipe.lineage import full_runs, is_full
from scriptorium.recipe.plan import Run
from scriptorium.recipe.recipe import Recipe

EXTERNAL = "external"
"""The name that a model from elsewhere has among the runs."""

GENERATED = "library"
"""The name of the corpus that a recipe generates."""

WHERE = "config: "


@dataclass(frozen=True)
class Choice:
    """The config's choices with their defaults filled in.

    `external` is the model from elsewhere, or None; `run` is who converts; `corpus` is the corpus's name, or
    None where there is none; `documents` its folder.
    """

    external: str | None
    run: str
    adapter: str
    benches: tuple[str, ...]
    corpus: str | None
    documents: str | None

    @property
    def no_corpus(self) -> str:
        """What to say to someone who wants to convert nothing."""
        return f"{WHERE}corpus: the recipe generates none; name a folder of PDFs (--config corpus=FOLDER)"


@dataclass(frozen=True)
class BenchPlace:
    """The bench that candidates are measured on: its folder, and where it is fetched from, if it is."""

    folder: str
    repo: str = ""
    revision: str = ""


def bench_place(config: Config) -> BenchPlace:
    """The place of the config's bench. Raises ConfigError for what is neither a folder nor on the hub."""
    repo, _, revision = config.bench.removeprefix("hub:").partition("@")
    if config.bench.startswith("hub:"):
        if not revision:
            raise ConfigError(f"{WHERE}bench: {config.bench!r} has no revision; write hub:org/name@revision")
        return BenchPlace(f"{config.results}/candidates/bench", repo, revision)
    if not Path(config.bench).is_dir():
        raise ConfigError(
            f"{WHERE}bench: no folder {config.bench!r}; name a bench folder, or hub:org/name@revision"
        )
    return BenchPlace(config.bench)


def choose(config: Config, recipe: Recipe, plan: Mapping[str, Run]) -> Choice:
    """The choices of `config`. Raises ConfigError for a model, a run or an adapter that is not there."""
    external = _external(config, plan)
    whole = full_runs(plan)
    if not external and config.model and not is_full(plan, config.model):
        raise ConfigError(f"{WHERE}model: {config.model!r} is an adapter; merge it in a stage of its own")
    if not external and config.adapter:
        raise ConfigError(f"{WHERE}adapter: it goes with a `model` from elsewhere; a run has the recipe's")
    for name in config.benches or ():
        if name not in whole:
            raise ConfigError(f"{WHERE}benches: no whole model {name!r}; {nearest(name, whole)}")
    measured = whole if config.benches is None else config.benches
    corpus, documents = _corpus(config, recipe)
    return Choice(
        external=external,
        run=EXTERNAL if external else config.model or whole[-1],
        adapter=config.adapter or recipe.model,
        benches=(EXTERNAL,) if external else tuple(measured),
        corpus=corpus,
        documents=documents,
    )


def _external(config: Config, plan: Mapping[str, Run]) -> str | None:
    """The model from elsewhere that `model` names; None where it names a run, or nothing."""
    model = config.model
    if model is None or model in plan:
        return None
    if model.startswith(("hub:", "http://", "https://")) or Path(model).is_dir():
        return model
    raise ConfigError(f"{WHERE}model: no run and no folder {model!r}; {nearest(model, plan)}")


def _corpus(config: Config, recipe: Recipe) -> tuple[str | None, str | None]:
    """Name and folder of the corpus: the config's, else the recipe's generated documents, else none."""
    if config.corpus:
        if "://" in config.corpus:
            return re.sub(r"[^\w.-]+", "-", config.corpus.split("://", 1)[1]).strip("-"), config.corpus
        return Path(config.corpus).resolve().name, config.corpus
    if recipe.corpus:
        shard = f"synth/{recipe.corpus.source}/{recipe.corpus.split}/0"
        return GENERATED, f"{config.results}/{shard}/documents"
    return None, None
