"""Training arguments by TRL's names: which ones our own loop honours, and a named error for every other."""

import difflib
import math
from dataclasses import dataclass, fields
from typing import Any, get_args

import torch

from scriptorium.errors import ConfigError


@dataclass(frozen=True)
class Arguments:
    """What the loop of `pretrain` and `sft` honours; names and meanings are those of TRL's SFTConfig."""

    max_steps: int = -1
    num_train_epochs: float = 1.0
    per_device_train_batch_size: int = 8
    gradient_accumulation_steps: int = 1
    learning_rate: float = 2.0e-5
    lr_scheduler_type: str = "linear"
    warmup_steps: float = 0
    weight_decay: float = 0.0
    adam_beta1: float = 0.9
    adam_beta2: float = 0.999
    adam_epsilon: float = 1.0e-8
    max_grad_norm: float = 1.0
    logging_steps: int = 10
    save_steps: int = 500
    seed: int = 42
    data_seed: int | None = None
    max_length: int | None = None
    packing: bool = False
    optim: str = "adamw_torch"
    optim_args: str | None = None
    assistant_only_loss: bool = True
    gradient_checkpointing: bool = False
    torch_compile: bool = False
    dataloader_num_workers: int = 0
    eval_strategy: str = "no"
    eval_steps: int = 500
    per_device_eval_batch_size: int = 8
    metric_for_best_model: str | None = None
    greater_is_better: bool | None = None
    load_best_model_at_end: bool = False
    save_total_limit: int | None = None

    @classmethod
    def of(cls, args: dict[str, Any], where: str) -> "Arguments":
        """The arguments of a stage; `where` names it in errors."""
        known = {field.name: field for field in fields(cls)}
        for name, value in args.items():
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"; did you mean {near[0]}?" if near else f". Honoured: {', '.join(known)}"
                raise ConfigError(f"{where}: args.{name} is not honoured by our training loop{hint}")
            if isinstance(value, str) and str not in (known[name].type, *get_args(known[name].type)):
                raise ConfigError(
                    f"{where}: args.{name} is the text {value!r}, not a number (write 1.0e-5, not 1e-5)"
                )
        made = cls(**args)
        if (made.max_length is not None) != made.packing or not made.assistant_only_loss:
            raise ConfigError(
                f"{where}: assistant_only_loss must be true, and max_length the tokens of a packed row with "
                "packing: true, else null: pages are never cut"
            )
        for name, choices in CHOICES.items():
            if getattr(made, name) not in choices:
                raise ConfigError(
                    f"{where}: args.{name} {getattr(made, name)!r} is none of {', '.join(map(str, choices))}"
                )
        if made.load_best_model_at_end and not made.metric_for_best_model:
            raise ConfigError(
                f"{where}: args.load_best_model_at_end needs args.metric_for_best_model, as dev/bench or loss"
            )
        return made

    @property
    def higher(self) -> bool:
        """Whether more of `metric_for_best_model` is better; if nobody says, of everything but a loss."""
        if self.greater_is_better is not None:
            return self.greater_is_better
        return not (self.metric_for_best_model or "").endswith("loss")

    @property
    def moments(self) -> torch.dtype:
        """The dtype of AdamW's running means."""
        return torch.bfloat16 if self.optim_args else torch.float32

    def pages(self, processes: int = 1) -> int:
        """Pages of an optimiser step, packed or not."""
        return self.per_device_train_batch_size * self.gradient_accumulation_steps * processes

    def steps(self, rows: int, processes: int = 1) -> int:
        """Optimiser steps over `rows` rows: `max_steps` if given, else by epochs."""
        if self.max_steps > 0:
            return self.max_steps
        return math.ceil(rows * self.num_train_epochs / self.pages(processes))

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of a step (from 1): linear warm-up, then the schedule down to 0.

        `warmup_steps` under 1 is a share of all steps, as in transformers.
        """
        warmup = math.ceil(self.warmup_steps * steps) if self.warmup_steps < 1 else int(self.warmup_steps)
        if step <= warmup:
            return self.learning_rate * step / warmup
        done = (step - 1 - warmup) / max(1, steps - warmup)
        return self.learning_rate * SCHEDULES[self.lr_scheduler_type](done)


OPTIMISERS = ("adamw_torch", "muon")
"""`adamw_torch` keeps an exact fp32 master of bfloat16 weights; `muon` takes the matrices, AdamW the rest."""

SCHEDULES = {
    "constant": lambda done: 1.0,
    "constant_with_warmup": lambda done: 1.0,
    "linear": lambda done: 1.0 - done,
    "cosine": lambda done: 0.5 * (1.0 + math.cos(math.pi * done)),
}
"""The share of the learning rate left when a share `done` of the steps after warm-up is done."""

CHOICES: dict[str, tuple[str | None, ...]] = {
    "optim": OPTIMISERS,
    "optim_args": (None, "moments=bfloat16"),
    "lr_scheduler_type": tuple(SCHEDULES),
    "eval_strategy": ("no", "steps"),
}
"""Arguments that take one of some words. `moments=bfloat16` halves the memory of AdamW's running means."""
