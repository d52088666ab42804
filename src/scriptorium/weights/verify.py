"""A quantised checkpoint, read back, against the one it was made from."""

import torch

from scriptorium.errors import ThresholdError
from scriptorium.weights.tensors import Checkpoint

LARGEST_ERROR = 0.03
"""Relative error of a quantised weight (Frobenius norm). E4M3 has three bits of fraction: 2.6 % is usual."""


def verify(source: Checkpoint, quantised: Checkpoint, chosen: set[str]) -> dict[str, float]:
    """Check that the `chosen` weights are in FP8 and near, and that all other tensors are equal, bit for bit.

    Returns the largest and the mean relative error. Raises ThresholdError naming the tensor.
    """
    found = {key for key, spec in quantised.specs.items() if spec.dtype == "F8_E4M3"}
    if found != chosen:
        raise ThresholdError(
            f"{quantised.path}: quantised other tensors than meant: {sorted(found ^ chosen)}"
        )
    strange = quantised.specs.keys() ^ (source.specs.keys() | {f"{key}_scale" for key in chosen})
    if strange:
        raise ThresholdError(f"{quantised.path}: has lost or gained tensors: {sorted(strange)}")
    errors = {}
    for key in sorted(source.specs):
        if key in chosen:
            errors[key] = relative_error(source, quantised, key)
        elif not _equal(source, quantised, key):
            raise ThresholdError(f"{quantised.path}: tensor {key} should be as it was, and has changed")
    worst = max(errors, key=lambda key: errors[key])
    if not errors[worst] < LARGEST_ERROR:
        raise ThresholdError(
            f"{quantised.path}: tensor {worst} has a relative error of {errors[worst]:.2%}; "
            f"allowed is less than {LARGEST_ERROR:.0%}"
        )
    return {"relative_error_max": errors[worst], "relative_error_mean": sum(errors.values()) / len(errors)}


def relative_error(source: Checkpoint, quantised: Checkpoint, key: str) -> float:
    """|W' - W| / |W| over a whole weight, W' as whoever serves it computes it; 0 for a weight of zeros."""
    scales = quantised.read(f"{key}_scale").float()
    error = norm = 0.0
    row = 0
    for before, after in zip(source.chunks(key), quantised.chunks(key), strict=True):
        wide = before.float()
        astray = after.float().mul_(scales[row : row + len(after)]).sub_(wide).flatten()
        error += float(astray @ astray)
        norm += float(wide.flatten() @ wide.flatten())
        row += len(after)
    return (error / norm) ** 0.5 if norm else error


def _equal(source: Checkpoint, quantised: Checkpoint, key: str) -> bool:
    """Whether a tensor has the same dtype, shape and bits in both."""
    if source.specs[key] != quantised.specs[key]:
        return False
    pairs = zip(source.chunks(key), quantised.chunks(key), strict=True)
    return all(
        torch.equal(one.reshape(-1).view(torch.uint8), other.reshape(-1).view(torch.uint8))
        for one, other in pairs
    )
