"""The types of a recipe: what `config/recipes/*.yaml` may say.

A recipe is an ordered map of stages, the data they draw on, and the pages that measure them. Engine
arguments stand under `args` by the engine's own names; a recipe writes every value it depends on.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from scriptorium.errors import ConfigError, nearest
from scriptorium.recipe.options import (
    Calibration,
    Collapse,
    Curriculum,
    Lora,
    Resources,
    RewardOptions,
    Sampling,
    Stop,
)
from scriptorium.recipe.overlay import laid_over
from scriptorium.recipe.typed import Typed, parse, read_mapping
from scriptorium.recipe.workload import Workload

FOLDER = Path("config/recipes")

NAME = r"^[a-z0-9][a-z0-9._-]*$"
RESERVED = frozenset(
    {
        "external",
        "hub",
        "corpus",
        "synth",
        "fetch",
        "pages",
        "filtered",
        "rows",
        "logs",
        "benchmarks",
        "leases",
    }
)
"""Names a run cannot have: the results folder uses them for something else."""

TRAINING = ("pretrain", "sft", "dpo", "grpo")
SAMPLING = ("filter", "rejection", "pairs")
"""Methods that read each page several times with a model and make rows of what came of it."""
Method = Literal[
    "init", "pretrain", "sft", "dpo", "grpo", "filter", "rejection", "pairs", "merge", "soup", "quantize"
]


class Split(Typed):
    """One split of a generated source."""

    pages: int = Field(ge=1, description="pages in all")
    shards: int = Field(default=1, ge=1, description="jobs that generate them, each an equal part")

    @model_validator(mode="after")
    def _a_page_a_shard(self) -> "Split":
        if self.shards > self.pages:
            raise ValueError(f"{self.shards} shards for {self.pages} pages; a shard holds at least one")
        return self

    def pages_of(self, shard: int) -> int:
        """The pages of one shard; the first shards take what is left over."""
        return self.pages // self.shards + (shard < self.pages % self.shards)


class Source(Typed):
    """Where pages come from: generated, a hub data set at a revision, a folder, or finished rows."""

    synth: str | None = Field(default=None, description="a family of generated pages: lines, primer")
    seed: int = Field(default=1, ge=0, description="of a generated source")
    splits: dict[str, Split] = Field(default={}, description="of a generated source: its splits")
    hub: str | None = Field(
        default=None, pattern=r"^[\w.-]+/[\w.-]+$", description="org/name of a hub data set"
    )
    revision: str | None = Field(
        default=None, pattern=r"^[0-9a-f]{7,40}$", description="of a hub data set: its commit"
    )
    kind: Literal["pairs", "bench"] | None = Field(
        default=None, description="layout of a hub data set: pairs (pdf, md) or the bench's"
    )
    folder: str | None = Field(default=None, description="a folder in the bench layout, one folder a split")
    rows: str | None = Field(
        default=None, description="a folder of finished rows, one parquet file a split; for training only"
    )
    filters: list[str] = Field(
        default=[],
        exclude_if=lambda filters: not filters,
        description="what its pages to learn from go through: rotated, repair, rules, language=en ...; not of rows",
    )
    pages: dict[str, int] = Field(
        default={}, description="pages of each split as published: for arithmetic before anything is fetched"
    )

    @model_validator(mode="after")
    def _one_origin(self) -> "Source":
        origins = [name for name in ("synth", "hub", "folder", "rows") if getattr(self, name)]
        if len(origins) != 1:
            raise ValueError(
                f"a source has exactly one of synth, hub, folder, rows; found {', '.join(origins) or 'none'}"
            )
        if self.synth and not self.splits:
            raise ValueError("a generated source needs splits: {name: {pages: N}}")
        if self.hub and not (self.revision and self.kind):
            raise ValueError("a hub source needs revision (a commit) and kind (pairs or bench)")
        if not self.synth and self.splits:
            raise ValueError("splits belong to a generated source only")
        if self.rows and self.filters:
            raise ValueError("finished rows go through no filters; name their pages")
        if self.synth and self.pages:
            raise ValueError("a generated source says its pages under splits")
        return self

    def count(self, split: str) -> int | None:
        """The pages of a split, before anything is generated or fetched; None where nobody has said."""
        return self.splits[split].pages if split in self.splits else self.pages.get(split)


class DataRef(Typed):
    """Rows of one split of one source."""

    source: str = Field(description="a name under `sources`, or a stage of method filter, rejection or pairs")
    split: str = Field(default="train", description="a split of that source; a stage has none")
    amount: int | float = Field(
        default=1.0, gt=0, description="a share (a number with a point) or a number of rows"
    )

    @field_validator("amount")
    @classmethod
    def _a_share_at_most_all(cls, amount: int | float) -> int | float:
        if isinstance(amount, float) and amount > 1:
            raise ValueError(f"amount {amount} is a share above 1; write a whole number for a number of rows")
        return amount


class Stage(Typed):
    """One step of a recipe: a method, its parents, data and arguments."""

    method: Method
    modality: Literal["text", "vision"] = Field(default="text", description="what the model reads")
    engine: Literal["trl", "verl"] = Field(default="trl", description="of grpo")
    parent: str | None = Field(default=None, description="a stage, hub:org/name@revision, or a path")
    parents: list[str] = Field(default=[], description="of a soup: the same, every seed of a stage")
    seeds: list[int] = Field(default=[], description="one run per seed, named stage-seed")
    config: dict[str, Any] = Field(default={}, description="of init: the model's sizes and its tokenizer")
    data: list[DataRef] = Field(default=[], description="of training")
    eval_data: list[DataRef] = Field(default=[], description="held-out rows")
    curriculum: Curriculum | None = None
    stop: Stop | None = None
    max_tokens: int | None = Field(
        default=None, ge=1, description="longer rows are dropped and counted (pretrain, sft)"
    )
    max_prompt_tokens: int | None = Field(
        default=None, ge=1, description="the same for a row without its answer (pretrain, sft, grpo)"
    )
    chat_template: str | None = Field(default=None, description="path of a jinja file")
    adapter: Lora | None = None
    freeze: list[str] = Field(
        default=[], description="parts that do not learn: vision, merger, language, or re:PATTERN"
    )
    learning_rates: dict[str, float] = Field(
        default={}, description="of parts, named as in freeze; the rest has args.learning_rate"
    )
    average_last: int = Field(
        default=1, ge=1, description="the last checkpoints whose mean is the stage's model (pretrain, sft)"
    )
    model_args: dict[str, Any] = Field(
        default={}, description="to from_pretrained: dtype, attn_implementation"
    )
    args: dict[str, Any] = Field(default={}, description="by the names of SFTConfig, DPOConfig, GRPOConfig")
    rewards: dict[str, float | RewardOptions] = Field(
        default={}, description="of grpo: name to weight or options"
    )
    reward_scale: float = Field(default=1.0, gt=0, description="multiplies the rewards' weights")
    overrides: dict[str, Any] = Field(default={}, description="of the verl engine: dotted keys")
    collapse: Collapse | None = Field(default=None, description="of grpo: when to stop for the worse")
    sampling: Sampling | None = Field(default=None, description="of filter, rejection and pairs")
    scheme: str = Field(
        default="FP8_DYNAMIC", description="of quantize: FP8_DYNAMIC, or one of llm-compressor's by its name"
    )
    ignore: list[str] = Field(default=[], description="of quantize: layers left as they are")
    calibration: Calibration | None = Field(
        default=None, description="of quantize, for a scheme that needs data: {source, split, rows}"
    )
    weights: list[float] | None = Field(default=None, description="of a soup; equal if not given")
    greedy: bool = Field(
        default=False,
        description="of a soup: an ingredient joins if the score on the pages of `eval_data` does not fall",
    )
    base: str | None = Field(
        default=None, description="of a soup with `alphas`: a stage, a path or a hub model"
    )
    alphas: list[Annotated[float, Field(ge=0)]] = Field(
        default=[],
        description="of a soup: one run for each, base + alpha x (mean of the parents - base), named stage-alpha",
    )
    last: int | None = Field(
        default=None, ge=2, description="of a soup of one grpo run: the mean of its last checkpoints, so many"
    )
    resources: Resources = Resources()
    note: str = Field(default="", description="what departs from the source, in words")

    @field_validator("args")
    @classmethod
    def _no_number_as_text(cls, args: dict[str, Any]) -> dict[str, Any]:
        for name, value in args.items():
            if isinstance(value, str) and re.fullmatch(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+", value):
                raise ValueError(f"{name} is the text {value!r} to YAML; write it with a point, as 1.0e-6")
        return args

    @model_validator(mode="after")
    def _complete(self) -> "Stage":
        """What each method needs, and what it cannot have."""
        if self.method == "soup":
            self._need(
                len(self.parents) > 0 and self.parent is None, "needs `parents`, a list, and no `parent`"
            )
        else:
            self._need(not self.parents, "has one `parent`; only a soup has `parents`")
            self._need(
                (self.parent is None) == (self.method == "init"), "needs a `parent`; only init has none"
            )
        self._need(bool(self.config) == (self.method == "init"), "needs `config`; only init has one")
        trains = self.method in TRAINING
        self._need(
            bool(self.data) == (trains or self.method in SAMPLING),
            "needs `data`; only training and sampling have it",
        )
        self._need(trains or not self.seeds, "has no `seeds`; only training has them")
        self._need(bool(self.rewards) == (self.method == "grpo"), "needs `rewards`; only grpo has them")
        self._need(not self.collapse or self.method == "grpo", "has no `collapse`; only grpo has one")
        self._need(
            bool(self.sampling) == (self.method in SAMPLING),
            f"needs `sampling`; only {', '.join(SAMPLING)} have it",
        )
        named = sorted({"seed", "data_seed"} & self.args.keys())
        self._need(
            not (self.seeds and named), f"has `seeds` and args.{', args.'.join(named)}; name one of them"
        )
        self._need(len(set(self.seeds)) == len(self.seeds), f"names a seed twice: {self.seeds}")
        self._need(self.method == "grpo" or self.engine == "trl", "cannot use verl; only grpo can")
        self._need(not self.stop or bool(self.eval_data), "has `stop` but no `eval_data` to look at")
        self._complete_weights()
        return self

    def _complete_weights(self) -> None:
        """What a soup and a quantisation need."""
        ways = [name for name in ("greedy", "alphas", "last") if getattr(self, name)]
        self._need(self.method == "soup" or not (ways or self.base), "has none of greedy, base, alphas, last")
        self._need(len(ways) < 2, f"has {' and '.join(ways)}; choose one")
        self._need(bool(self.base) == bool(self.alphas), "needs `base` and `alphas` together, or neither")
        self._need(len(set(self.alphas)) == len(self.alphas), f"names an alpha twice: {self.alphas}")
        self._need(
            not self.greedy or len(self.eval_data) == 1, "is greedy and needs one entry of `eval_data`"
        )
        self._need(not (self.weights and (self.greedy or self.last)), "has `weights` or chooses by itself")
        self._need(not self.last or len(self.parents) == 1, "has `last` and needs one parent")
        needless = self.calibration and (self.method != "quantize" or self.scheme == "FP8_DYNAMIC")
        self._need(
            not needless, "has no use for `calibration`; only a quantize scheme other than FP8_DYNAMIC"
        )

    def _need(self, holds: bool, otherwise: str) -> None:
        if not holds:
            raise ValueError(f"a stage of method {self.method} {otherwise}")


class PagesRef(Typed):
    """The pages of one split of one source."""

    source: str = Field(description="a name under `sources`")
    split: str


class Recipe(Typed):
    """A recipe: one published result, or one of our own."""

    name: str = Field(pattern=NAME, description="small letters, digits, . _ -")
    model: str = Field(description="model adapter: a file of config/models, without .yaml")
    sources: dict[str, Source] = Field(default={}, description="where pages come from, by name")
    stages: dict[str, Stage] = Field(min_length=1, description="in order; a stage without seeds is one run")
    bench: PagesRef = Field(description="the pages that every model is measured on")
    corpus: PagesRef | None = Field(
        default=None, description="generated documents to convert where the config names no corpus"
    )
    serve: Resources = Field(
        default=Resources(), description="of a job that serves a model: bench, conversion"
    )
    workload: Workload | None = Field(default=None, description="for estimates: what a page costs the model")
    variants: dict[str, str] = Field(
        default={}, description="of an ablation: a stage and the one that it varies (config/ablations)"
    )
    note: str = Field(default="", description="what departs from the source, in words")
    fidelity: Literal["exact", "close", "adapted"] | None = None


def load(name: str) -> Recipe:
    """The recipe `config/recipes/<name>.yaml`, or the one in the file `name` if that ends in .yaml.

    A file with the key `over` is laid over another recipe (`overlay.py`). Raises ConfigError, for a name that is
    not there with the nearest one.
    """
    path = file_of(name)
    values = read_mapping(path)
    if "over" in values:
        base = file_of(str(values["over"]))
        values = laid_over(read_mapping(base), values, str(path))
    return parse(Recipe, values, str(path))


def file_of(name: str) -> Path:
    """The file of a recipe by its name or path. Raises ConfigError for a name that is not there."""
    if name.endswith((".yaml", ".yml")):
        return Path(name)
    path = FOLDER / f"{name}.yaml"
    if not path.is_file():
        known = sorted(each.stem for each in FOLDER.glob("*.yaml"))
        raise ConfigError(f"recipe {name!r}: no file {path}; {nearest(name, known)}")
    return path
