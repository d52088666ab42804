"""Model soups: weighted sums of checkpoints, tensor by tensor, in the memory of a few rows.

One sum, four ways to choose its shares: the mean (equal, or as the recipe weighs), task arithmetic (a base and
alpha times the way from it to the mean), the greedy soup (ingredients that do not lower a score), and the mean of a
training's last checkpoints.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from scriptorium.errors import ConfigError, InputError
from scriptorium.files import whole, write_json
from scriptorium.receipt import Receipt, weights_sha256, write_receipt
from scriptorium.recipe.plan import Run
from scriptorium.weights.tensors import Checkpoint, Spec, copy_companions, write

EIGHT_BIT = ("F8_E4M3", "F8_E5M2")
RECORD = "soup.json"
"""What a soup was made of, beside its weights; the same stands in the head of every file of weights."""

Score = Callable[[Path], float]
"""How good a model folder is: a number, the higher the better."""


def soup(run: Run, parents: list[Path], model: Path, receipt: Path, score: Score | None = None) -> Receipt:
    """Write the soup of the models in `parents` (in the order of `run.parents`) to `model`, and its receipt.

    Config, processor and prompt come from the first. A greedy soup needs `score`. Raises ConfigError or
    InputError if the ingredients do not fit each other.
    """
    started = time.monotonic()
    if len(parents) != len(run.parents):
        raise ConfigError(
            f"stage {run.stage}: {len(run.parents)} parents, but {len(parents)} folders were given"
        )
    checkpoints = [Checkpoint(path) for path in parents]
    shares, scores = choose(run, parents, checkpoints, model.parent, score)
    record = provenance(run, parents, shares, scores)
    with whole(model) as part:
        copy_companions(parents[0], part)
        write_sum(checkpoints, shares, part, record)
        write_json(part / RECORD, record)
    named = dict(zip(run.parents, parents, strict=True))
    metrics: dict[str, Any] = {"shares": shares} | ({"scores": scores} if scores else {})
    return write_receipt(receipt, run, model, named, [], "full", 0, started, metrics)


def choose(
    run: Run, parents: list[Path], checkpoints: list[Checkpoint], scratch: Path, score: Score | None
) -> tuple[list[float], list[float]]:
    """The share of every parent in the sum, and their scores where a score chose (else none)."""
    if run.alpha is not None:
        shares = [run.alpha * share for share in check_shares(run, len(parents) - 1)]
        return [1 - run.alpha, *shares], []
    if not run.greedy:
        return check_shares(run, len(parents)), []
    if score is None:
        raise ConfigError(
            f"stage {run.stage}: a greedy soup needs `eval_data`, pages with tests to score it on"
        )
    return greedy(parents, checkpoints, scratch, score)


def check_shares(run: Run, ingredients: int) -> list[float]:
    """The ingredients' shares, which sum to one. Raises ConfigError."""
    weights = run.weights or [1.0] * ingredients
    where = f"stage {run.stage}: weights"
    if len(weights) != ingredients:
        raise ConfigError(f"{where}: {len(weights)} for {ingredients} parents; give one each, or none")
    if sum(weights) <= 0:
        raise ConfigError(f"{where}: sum to {sum(weights)}; a mean needs a sum above zero")
    return [weight / sum(weights) for weight in weights]


def greedy(
    parents: list[Path], checkpoints: list[Checkpoint], scratch: Path, score: Score
) -> tuple[list[float], list[float]]:
    """The shares of a greedy soup (arXiv:2203.05482, recipe 1), and the score of each ingredient alone.

    The best ingredient first; then each one, from better to worse, joins if the mean with it scores no lower
    than the mean without. Equal scores keep the parents' order. Each mean that is tried lies in `scratch` meanwhile.
    """
    scores = [score(path) for path in parents]
    ranked = sorted(range(len(parents)), key=lambda index: -scores[index])
    chosen, best = ranked[:1], scores[ranked[0]]
    for index in ranked[1:]:
        tried = sorted([*chosen, index])
        with tempfile.TemporaryDirectory(dir=scratch, prefix=".soup-") as folder:
            copy_companions(parents[0], Path(folder))
            write_sum(checkpoints, _equal_shares(tried, len(parents)), Path(folder))
            found = score(Path(folder))
        if found >= best:
            chosen, best = tried, found
    return _equal_shares(chosen, len(parents)), scores


def _equal_shares(chosen: Sequence[int], count: int) -> list[float]:
    return [1 / len(chosen) if index in chosen else 0.0 for index in range(count)]


def last_checkpoints(state: Path, count: int) -> list[Path]:
    """The newest `count` checkpoints of a training's state folder, oldest first. InputError if it keeps fewer."""
    folders = [path for path in state.glob("checkpoint-*") if (path / "config.json").is_file()]
    found = sorted(folders, key=lambda path: int(path.name.rpartition("-")[2]))
    if len(found) < count:
        raise InputError(
            f"{state}: holds {len(found)} checkpoints that are whole models, {count} are asked for; "
            "train with args.save_total_limit at least that"
        )
    return found[-count:]


def provenance(run: Run, parents: list[Path], shares: list[float], scores: list[float]) -> dict[str, Any]:
    """What went into a soup: each ingredient's name, weights' hash, share, and score if it was scored."""
    rows = [
        {"run": name, "weights_sha256": weights_sha256(path), "share": share}
        for name, path, share in zip(run.parents, parents, shares, strict=True)
    ]
    for row, score in zip(rows, scores, strict=False):
        row["score"] = score
    return {"method": "soup", "alpha": run.alpha, "greedy": run.greedy, "ingredients": rows}


def write_sum(
    ingredients: list[Checkpoint],
    shares: list[float],
    folder: Path,
    record: dict[str, Any] | None = None,
) -> None:
    """Write the sum of checkpoints, each times its share; they may be sharded differently.

    The shares sum to one and may be negative or above one. Raises InputError naming a tensor.
    """
    first = ingredients[0]
    for other in ingredients[1:]:
        check_same_tensors(first, other)
    used = [(one, share) for one, share in zip(ingredients, shares, strict=True) if share]

    def chunks(name: str) -> Iterator[torch.Tensor]:
        if first.specs[name].torch_dtype.is_floating_point:
            return weighted(name, first.specs[name], used)
        return equal(name, ingredients)

    metadata = {"scriptorium": json.dumps(record, sort_keys=True)} if record else {}
    write(folder, first.specs, chunks, metadata=metadata)


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


def weighted(name: str, spec: Spec, ingredients: list[tuple[Checkpoint, float]]) -> Iterator[torch.Tensor]:
    """The weighted sum of a tensor, in chunks: one sum in a wider dtype, one rounding.

    Sixteen-bit numbers are summed in float32, wider ones in float64; so the mean of equal tensors
    is that tensor. A mean sums first and divides once: bit for bit what a plain mean is.
    """
    wide = torch.float32 if spec.torch_dtype.itemsize == 2 else torch.float64
    uniform = all(share == 1 / len(ingredients) for _, share in ingredients)
    for parts in zip(*(one.chunks(name) for one, _ in ingredients), strict=True):
        total = parts[0].to(wide, copy=True)
        if not uniform:
            total *= ingredients[0][1]
        for part, (_, share) in zip(parts[1:], ingredients[1:], strict=True):
            total.add_(part, alpha=1 if uniform else share)
        if uniform:
            total /= len(ingredients)
        yield total.to(spec.torch_dtype)


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
