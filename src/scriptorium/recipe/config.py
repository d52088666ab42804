"""The types of the config: what `config/config.yaml`, `config/site.yaml` and `--config` may say."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from scriptorium.errors import ConfigError, nearest
from scriptorium.recipe.typed import Typed, parse, read_mapping

CONFIG = Path("config/config.yaml")
SITE = Path("config/site.yaml")


class Config(Typed):
    """One launch of the workflow: a recipe, where its results go, and what is converted with which model."""

    recipe: str = Field(default="tiny", description="a name in config/recipes, or a path that ends in .yaml")
    results: str = Field(default="results", description="folder of all results; it belongs to one recipe")
    model: str | None = Field(
        default=None,
        description="what is benched and converts: a run, a folder, hub:org/name@revision or a server's URL; "
        "null is the recipe's last run. With anything but a run nothing is trained",
    )
    adapter: str | None = Field(
        default=None, description="model adapter of `model` where that is no run; null is the recipe's"
    )
    corpus: str | None = Field(
        default=None, description="folder, file or URI to convert; null is the recipe's generated corpus"
    )
    shards: int = Field(
        default=1, ge=1, description="jobs that convert the corpus; 2,000 to 10,000 pages each"
    )
    in_flight: int = Field(
        default=1600, ge=1, description="most requests that one of these jobs has at a server at once"
    )
    formats: list[str] = Field(
        default=["dolma", "markdown"],
        description="what the corpus becomes: dolma, markdown, html, text, json, parquet",
    )
    filters: list[str] = Field(
        default=[],
        description="what is left out of the corpus: language=en,de, form, spam=0.004, garbled, quality=0.5, olmocr; "
        "see docs/reference/conversion.md",
    )
    outputs: dict[str, bool | float | str] = Field(
        default={},
        description="how the formats are written: failed, failed_budget, join, marks, front_matter, compression, "
        "dolma_compat, date; see docs/reference/conversion.md. Changing it reads no page again",
    )
    benches: list[str] | None = Field(
        default=None, description="runs that `all` measures; null is every whole model of the recipe"
    )
    bench: str = Field(
        default="hub:allenai/olmOCR-bench@54a96a6",
        description="what `candidates` are measured on: a bench folder, or hub:org/name@revision",
    )
    candidates: str | None = Field(
        default=None, description="a YAML file of tools that `measure_candidates` measures"
    )

    @field_validator("results")
    @classmethod
    def _a_folder(cls, results: str) -> str:
        if not results.strip("/") or any(mark in results for mark in "{}<>"):
            raise ValueError(f"{results!r} is no folder the workflow can use")
        return results.rstrip("/")

    @field_validator("corpus")
    @classmethod
    def _a_corpus_that_is_there(cls, corpus: str | None) -> str | None:
        if corpus is not None and "://" not in corpus and not Path(corpus).exists():
            raise ValueError(
                f"no folder {corpus!r}; name a folder, file or URI, or null for the generated corpus"
            )
        return corpus


def load_config(values: Mapping[str, Any], files: Sequence[Path], command_line: Mapping[str, Any]) -> Config:
    """The config in force: `values`, over them the site's file if there is one, over that the command line.

    `files` are the files that `values` were read from, the last one on top: errors name the one at fault.
    Raises ConfigError for an unknown key or a value that cannot be.
    """
    site = read_mapping(SITE) if SITE.is_file() else {}
    layers = {str(path): read_mapping(path) for path in files if path.is_file()}
    layers |= {str(SITE): site, "--config": dict(command_line)}
    merged = {**values, **site, **command_line}
    for key, value in merged.items():
        origin = next((name for name in reversed(layers) if key in layers[name]), "config")
        if key not in Config.model_fields:
            raise ConfigError(f"{origin}: {key}: unknown key; {nearest(key, Config.model_fields)}")
        parse(Config, {key: value}, origin)
    return parse(Config, merged, "config")
