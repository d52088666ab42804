"""What is proven of a model before it is trained: its loss is ours, and packed pages do not see each other.

Both hold by the design of a model family and of transformers, and both have failed without a word in some release.
"""

from collections.abc import Sequence

import torch

from scriptorium.errors import ConfigError
from scriptorium.train.loss import Objective, labelled
from scriptorium.train.packing import Sample, pack

TOLERANCES = {torch.float32: 1.0e-5, torch.bfloat16: 1.0e-2, torch.float16: 1.0e-2}
"""Relative differences of the loss per token that rounding explains."""


@torch.no_grad()
def check_objective(objective: Objective, batch: dict[str, torch.Tensor]) -> None:
    """Compare the loss with the model's own on one batch.

    Raises ConfigError for a model whose logits are more than its head's output, as where they are scaled or capped.
    """
    name = type(objective.model).__name__
    ours = float(objective(**batch)) / max(1, labelled(batch["labels"]))
    theirs = float(objective.model(**batch, use_cache=False).loss)
    if _differ(ours, theirs, objective):
        raise ConfigError(
            f"the loss of {name} is {theirs:.6f} by its own reckoning and {ours:.6f} by ours: its logits are not its "
            "head's output alone; this family cannot be trained by our loop"
        )


@torch.no_grad()
def check_packing(objective: Objective, samples: Sequence[Sample]) -> None:
    """Compare the loss of some pages in one row with that of each alone. Raises ConfigError if they differ."""
    device = objective.model.device
    rows = [[sample] for sample in samples]
    alone = sum(float(objective(**moved(pack(objective.model, row), device))) for row in rows)
    packed = pack(objective.model, samples)
    together = float(objective(**moved(packed, device)))
    tokens = labelled(packed["labels"])
    if _differ(together / tokens, alone / tokens, objective):
        raise ConfigError(
            f"packing: pages in one row have the loss {together / tokens:.6f} and {alone / tokens:.6f} alone: with "
            f"{type(objective.model).__name__} and this version of transformers they see each other; set packing: false"
        )


def moved(batch: dict[str, torch.Tensor], device: torch.device) -> dict[str, torch.Tensor]:
    """A batch on the model's device."""
    return {name: value.to(device) for name, value in batch.items()}


def _differ(one: float, other: float, objective: Objective) -> bool:
    return abs(one - other) > TOLERANCES[objective.model.dtype] * max(1.0, abs(other))
