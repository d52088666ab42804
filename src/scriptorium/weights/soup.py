"""A model soup: the mean of checkpoints, tensor by tensor, in the memory of a few rows."""

import time
from collections.abc import Iterator
from pathlib import Path

import torch

from scriptorium.errors import ConfigError, InputError
from scriptorium.files import whole
from scriptorium.receipt import Receipt, write_receipt
from scriptorium.recipe.plan import Run
from scriptorium.weights.tensors import Checkpoint, Spec, copy_companions, write

EIGHT_BIT = ("F8_E4M3", "F8_E5M2")


def soup(run: Run, parents: list[Path], model: Path, receipt: Path) -> Receipt:
    """Write the mean of the models in `parents` (in the order of `run.parents`) to `model`, and its receipt.

    `run.weights` are the ingredients' shares, equal if not given. Config, processor and prompt come from the
    first. Raises ConfigError or InputError if the ingredients do not fit each other.
    """
    started = time.monotonic()
    if len(parents) != len(run.parents):
        raise ConfigError(
            f"stage {run.stage}: {len(run.parents)} parents, but {len(parents)} folders were given"
        )
    shares = check_shares(run, len(parents))
    with whole(model) as part:
        copy_companions(parents[0], part)
        write_mean([Checkpoint(path) for path in parents], shares, part)
    named = dict(zip(run.parents, parents, strict=True))
    return write_receipt(receipt, run, model, named, [], "full", 0, started, {"shares": shares})


def check_shares(run: Run, ingredients: int) -> list[float]:
    """The ingredients' shares, which sum to one. Raises ConfigError."""
    weights = run.weights or [1.0] * ingredients
    where = f"stage {run.stage}: weights"
    if len(weights) != ingredients:
        raise ConfigError(f"{where}: {len(weights)} for {ingredients} parents; give one each, or none")
    if sum(weights) <= 0:
        raise ConfigError(f"{where}: sum to {sum(weights)}; a mean needs a sum above zero")
    return [weight / sum(weights) for weight in weights]


def write_mean(ingredients: list[Checkpoint], shares: list[float], folder: Path) -> None:
    """Write the mean of checkpoints, which may be sharded differently. Raises InputError naming a tensor."""
    first = ingredients[0]
    for other in ingredients[1:]:
        check_same_tensors(first, other)
    used = [(one, share) for one, share in zip(ingredients, shares, strict=True) if share]

    def chunks(name: str) -> Iterator[torch.Tensor]:
        if first.specs[name].torch_dtype.is_floating_point:
            return mean(name, first.specs[name], used)
        return equal(name, ingredients)

    write(folder, first.specs, chunks)


def check_same_tensors(first: Checkpoint, other: Checkpoint) -> None:
    """Raise InputError unless both hold the same tensors, in shape and dtype, none of them quantised."""
    for name in sorted(first.specs.keys() ^ other.specs.keys()):
        has, lacks = (first, other) if name in first.specs else (other, first)
        raise InputError(
            f"{lacks.path}: has no tensor {name}, which {has.path} has; a soup needs equal models"
        )
    for name, spec in first.specs.items():
        if spec.dtype in EIGHT_BIT:
            raise InputError(
                f"{first.path}: tensor {name} is quantised ({spec.dtype}); average first, then quantise"
            )
        if other.specs[name] != spec:
            found = other.specs[name]
            raise InputError(
                f"{other.path}: tensor {name} is {found.dtype} {list(found.shape)}, but {spec.dtype} "
                f"{list(spec.shape)} in {first.path}; a soup needs equal models"
            )


def mean(name: str, spec: Spec, ingredients: list[tuple[Checkpoint, float]]) -> Iterator[torch.Tensor]:
    """The mean of a tensor, in chunks: one sum in a wider dtype, one rounding.

    Sixteen-bit numbers are summed in float32, wider ones in float64; so the mean of equal tensors
    is that tensor.
    """
    wide = torch.float32 if spec.torch_dtype.itemsize == 2 else torch.float64
    uniform = len({share for _, share in ingredients}) == 1
    for parts in zip(*(one.chunks(name) for one, _ in ingredients), strict=True):
        total = parts[0].to(wide, copy=True) if uniform else parts[0].to(wide) * ingredients[0][1]
        for part, (_, share) in zip(parts[1:], ingredients[1:], strict=True):
            total += part.to(wide) if uniform else part.to(wide) * share
        yield (total / len(ingredients) if uniform else total).to(spec.torch_dtype)


def equal(name: str, ingredients: list[Checkpoint]) -> Iterator[torch.Tensor]:
    """An integer tensor, in chunks: it has no mean. Raises InputError where the ingredients differ."""
    for parts in zip(*(one.chunks(name) for one in ingredients), strict=True):
        for part, one in zip(parts, ingredients, strict=True):
            if not torch.equal(part, parts[0]):
                raise InputError(
                    f"{one.path}: integer tensor {name} differs from that in {ingredients[0].path}; "
                    "integers are not averaged, they have to be equal"
                )
        yield parts[0]
