"""What a stage may say of its job, its adapter, its rewards and the like: the types inside a stage."""

from typing import Literal

from pydantic import ConfigDict, Field, model_validator

from scriptorium.recipe.typed import Typed


class Resources(Typed):
    """What one job asks of its machine. Changing it reruns nothing."""

    threads: int = Field(default=1, ge=1, description="CPU threads")
    mem_mb: int = Field(default=4000, ge=1, description="memory, MB; a second attempt gets twice as much")
    runtime: str = Field(default="4h", pattern=r"^[0-9]+[mhd]$", description="wall time, as 30m, 4h or 2d")
    gpus: int = Field(default=0, ge=0, description="GPUs on one node")
    nodes: int = Field(default=1, ge=1, description="nodes")
    vllm_gpus: int = Field(default=0, ge=0, description="of the GPUs, those that generate for GRPO")
    accelerate: Literal["auto", "single_gpu", "multi_gpu", "zero2", "zero3", "fsdp2"] = Field(
        default="auto", description="file of config/accelerate; auto chooses by GPUs and nodes"
    )

    @property
    def minutes(self) -> int:
        """The wall time in minutes."""
        return int(self.runtime[:-1]) * {"m": 1, "h": 60, "d": 1440}[self.runtime[-1]]

    @model_validator(mode="after")
    def _some_gpus_train(self) -> "Resources":
        if self.vllm_gpus and self.vllm_gpus >= self.gpus * self.nodes:
            raise ValueError(
                f"vllm_gpus is {self.vllm_gpus} of {self.gpus * self.nodes} GPUs; none is left to train"
            )
        return self


class Lora(Typed):
    """A low-rank adapter to train instead of the whole model; every other key goes to peft's LoraConfig."""

    model_config = ConfigDict(extra="allow", frozen=True)

    r: int = Field(ge=1)
    lora_alpha: int = Field(ge=1)
    lora_dropout: float = Field(default=0.0, ge=0, lt=1)
    target_modules: str | list[str] = "all-linear"
    modules_to_save: list[str] | None = None
    load_in_4bit: bool = Field(default=False, description="QLoRA; needs bitsandbytes and merge: false")
    merge: bool = Field(
        default=True, description="false leaves an adapter, to be merged by a stage of its own"
    )

    @model_validator(mode="after")
    def _merged_exactly(self) -> "Lora":
        if self.load_in_4bit and self.merge:
            raise ValueError(
                "load_in_4bit needs merge: false: an adapter goes into the whole weights, by a stage of its own"
            )
        return self


class Curriculum(Typed):
    """Groups of rows that open one after the other."""

    groups: list[str] = Field(min_length=1, description="groups of the rows, easiest first")
    advance_below: float = Field(default=0.35, gt=0, description="smoothed loss that opens the next group")
    replay: float = Field(default=0.2, ge=0, lt=1, description="share of rows from earlier groups")


class Stop(Typed):
    """When to stop before the last step."""

    above: float | None = Field(default=None, description="score on `eval_data` that ends training, percent")
    every: int = Field(ge=1, description="steps between two looks")
    patience: int | None = Field(
        default=None,
        ge=1,
        exclude_if=lambda patience: patience is None,
        description="measurements in a row without a better args.metric_for_best_model that end training",
    )
    max_tokens: int = Field(default=160, ge=1, description="tokens an answer may have in a look")


class RewardOptions(Typed):
    """A reward with more than a weight."""

    weight: float = Field(default=1.0, ge=0)
    published: bool = Field(
        default=False,
        description="as its source computes it: no gate, olmOCR-bench's rules, the header judged with the text",
    )


class Collapse(Typed):
    """When reinforcement has gone wrong: tests of one type pass less and less."""

    fall: float = Field(gt=0, le=100, description="percent points below its start at which a type stops it")
    steps: int = Field(default=25, ge=1, description="steps that the start, and the present, are the mean of")


class Sampling(Typed):
    """How a model reads each page of the data of filter, rejection and pairs, and what is kept."""

    samples: int = Field(default=8, ge=1, description="answers for each page")
    temperature: float = Field(default=1.0, ge=0)
    max_tokens: int | None = Field(
        default=None, ge=1, description="tokens an answer may have; the adapter's if not given"
    )
    above: float = Field(
        default=0.0, ge=-1, lt=1, description="filter: pages with a greater mean; -1 keeps those never right"
    )
    below: float = Field(
        default=1.0, gt=0, le=2, description="filter: pages with a smaller mean; 2 keeps those always right"
    )
    least: float = Field(default=1.0, ge=0, le=1, description="rejection and pairs: what the best must score")
    margin: float = Field(default=0.25, gt=0, le=1, description="pairs: by how much the best beats the worst")


class Calibration(Typed):
    """The pages that a quantisation measures activations on."""

    source: str = Field(description="a name under `sources`")
    split: str = Field(description="a split of that source")
    rows: int = Field(default=512, ge=1, description="pages, from the first on")
