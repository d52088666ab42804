"""Which parameters learn, and how fast: `freeze` and `learning_rates` of a stage, by part or by pattern."""

import re
from collections.abc import Iterable, Mapping

import torch

from scriptorium.errors import ConfigError
from scriptorium.train.optimiser import Group

PARTS = {
    "merger": r"(^|\.)(merger|deepstack_merger_list|multi_modal_projector|connector|vision_projection)\.",
    "vision": r"(^|\.)(visual|vision_tower|vision_model|vision_encoder)\.",
    "language": r".",
}
"""Parts of a model by the names that transformers' families give them; a parameter belongs to the first that fits.

The merger, which turns patches into tokens, lies inside `visual` in Qwen's families.
"""


def part_of(name: str) -> str:
    """The part (a key of PARTS) that a parameter belongs to."""
    return next(part for part, pattern in PARTS.items() if re.search(pattern, name))


def selects(chosen: str, name: str) -> bool:
    """Whether `chosen`, a part or `re:` and a pattern that is searched, means the parameter `name`."""
    if chosen.startswith("re:"):
        return re.search(chosen[3:], name) is not None
    return part_of(name) == chosen


def check(chosen: Iterable[str], names: Iterable[str], where: str) -> None:
    """Raises ConfigError for a word that is no part and no pattern, or that no parameter has."""
    known = list(names)
    for each in chosen:
        if each not in PARTS and not each.startswith("re:"):
            raise ConfigError(f"{where}: {each!r} is none of {', '.join(PARTS)}, and not re:PATTERN")
        if not any(selects(each, name) for name in known):
            raise ConfigError(f"{where}: {each!r} fits no parameter of this model, as {known[0]}")


def freeze(model: torch.nn.Module, chosen: Iterable[str], where: str) -> None:
    """Take gradients from the parameters that `chosen` selects. Raises ConfigError if nothing is left to train."""
    frozen = list(chosen)
    check(frozen, (name for name, _ in model.named_parameters()), where)
    for name, parameter in model.named_parameters():
        if any(selects(each, name) for each in frozen):
            parameter.requires_grad_(False)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ConfigError(f"{where}: {', '.join(frozen)} is the whole model; nothing is left to train")


def groups(
    model: torch.nn.Module, rate: float, rates: Mapping[str, float], decay: float, muon: bool, where: str
) -> list[Group]:
    """The trained parameters in groups of equal options: their share of `rate`, decay, and whose they are.

    `rates`: learning rates by part or pattern, the first that fits counts. Vectors (norms and biases) do not decay.
    Muon takes matrices inside the network: no embeddings, no head, nothing that is not two-dimensional.
    """
    check(rates, (name for name, _ in model.named_parameters()), where)
    found: dict[tuple[float, float, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            own = next((value for each, value in rates.items() if selects(each, name)), rate)
            inner = muon and parameter.ndim == 2 and not re.search(r"embed|lm_head", name)
            key = (own / rate, decay if parameter.ndim > 1 else 0.0, inner)
            found.setdefault(key, []).append(parameter)
    return [
        {"params": parameters, "scale": scale, "weight_decay": weight_decay, "muon": inner}
        for (scale, weight_decay, inner), parameters in found.items()
    ]
