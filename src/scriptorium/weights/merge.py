"""A LoRA adapter merged into its base, tensor by tensor, without loading the model: W + (alpha / r) B A."""

import json
import math
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from scriptorium.errors import InputError
from scriptorium.files import whole
from scriptorium.receipt import Receipt, write_receipt
from scriptorium.recipe.plan import Run
from scriptorium.weights.names import parameter_names, skeleton
from scriptorium.weights.tensors import Checkpoint, copy_companions, rows_per_chunk, write

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
PREFIX = "base_model.model."
FACTOR = re.compile(r"^(?P<module>.+)\.(?P<kind>lora|lora_embedding)_(?P<side>[AB])(?P<end>\.weight)?$")
UNSUPPORTED = ("use_dora", "lora_bias", "target_parameters", "trainable_token_indices", "layer_replication")
"""Settings of peft that change more than W + (alpha / r) B A."""


@dataclass(frozen=True)
class Delta:
    """What is added to a base weight, in float32: `left` [rows, r], scaled, times `right` [r, columns]."""

    left: torch.Tensor
    right: torch.Tensor


@dataclass(frozen=True)
class Change:
    """What an adapter does to a base, by checkpoint key: sums, and tensors it brings whole."""

    deltas: dict[str, Delta] = field(default_factory=dict)
    replaced: dict[str, torch.Tensor] = field(default_factory=dict)


def merge(run: Run, adapter: Path, base: Path, model: Path, receipt: Path) -> Receipt:
    """Write `base` with the peft adapter in `adapter` merged into it to `model`, and its receipt.

    The sum is taken in float32 and rounded once to the base's dtype. Processor, chat template and prompt
    come from the adapter's folder where it has them, else from the base's. Raises InputError where the two
    do not fit.
    """
    started = time.monotonic()
    checkpoint = Checkpoint(base)
    change = read_change(adapter, checkpoint)
    with whole(model) as part:
        copy_companions(base, part)
        copy_companions(adapter, part)
        write(part, checkpoint.specs, lambda name: merged(checkpoint, change, name))
    named = {run.parents[0]: adapter, base.as_posix(): base}
    counts = {"merged_tensors": len(change.deltas), "replaced_tensors": len(change.replaced)}
    return write_receipt(receipt, run, model, named, [], "full", 0, started, counts)


def read_change(adapter: Path, base: Checkpoint) -> Change:
    """The adapter in terms of the base's tensors. InputError if it is no plain LoRA or finds no weight."""
    config = read_config(adapter)
    tensors = Checkpoint(adapter / WEIGHTS)
    network = skeleton(base.path)
    keys = {parameter: key for key, parameter in parameter_names(network, base.specs).items()}
    change = Change()
    for name in sorted(tensors.specs):
        found = FACTOR.match(name.removeprefix(PREFIX))
        target = (
            f"{found['module']}.weight" if found else name.removeprefix(PREFIX).replace(".base_layer.", ".")
        )
        key = keys.get(parameter_names(network, [target]).get(target, ""))
        if key is None:
            raise InputError(
                f"{adapter / WEIGHTS}: tensor {name} finds no weight {target} in the base {base.path}"
            )
        if not found:
            change.replaced[key] = _fitting(tensors, name, base, key)
        elif key not in change.deltas:
            change.deltas[key] = _delta(tensors, name, found, config, base, key)
    return change


def read_config(adapter: Path) -> dict[str, Any]:
    """`adapter_config.json` of a plain LoRA adapter. Raises InputError for any other kind."""
    path = adapter / CONFIG
    if not (path.exists() and (adapter / WEIGHTS).exists()):
        raise InputError(f"{adapter}: holds no {CONFIG} with {WEIGHTS}; expected a peft adapter")
    config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if config.get("peft_type") != "LORA":
        raise InputError(f"{path}: peft_type: found {config.get('peft_type')}; only LORA can be merged")
    for name in UNSUPPORTED:
        if config.get(name):
            raise InputError(
                f"{path}: {name}: {config[name]} cannot be merged here; merge it with peft itself"
            )
    return config


def scaling(config: dict[str, Any], module: str, rank: int) -> float:
    """alpha / r of one module, or alpha / sqrt(r) with rank-stabilised LoRA (arXiv:2312.03732)."""
    alpha = float(config["lora_alpha"])
    for pattern, value in (config.get("alpha_pattern") or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", module):
            alpha = float(value)
            break
    return alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)


def _delta(
    tensors: Checkpoint, name: str, found: re.Match[str], config: dict[str, Any], base: Checkpoint, key: str
) -> Delta:
    stem = name[: name.rindex("_") + 1]
    pair = [f"{stem}{side}{found['end'] or ''}" for side in "AB"]
    for one in pair:
        if one not in tensors.specs:
            raise InputError(f"{tensors.path}: tensor {one} is missing; its partner {name} is there")
    # A convolution's factors are a kernel and a 1 x 1 kernel: as matrices they multiply like any others.
    a, b = (tensors.read(one).float().flatten(1) for one in pair)
    turned = found["kind"] == "lora_embedding" or bool(config.get("fan_in_fan_out"))
    left, right = (a.T, b.T) if turned else (b, a)
    shape = base.specs[key].shape
    if (len(left), right.shape[1]) != (shape[0], math.prod(shape[1:])) or left.shape[1] != len(right):
        raise InputError(
            f"{tensors.path}: tensor {name}: factors {list(b.shape)} x {list(a.shape)} do not make the "
            f"{list(shape)} of {key} in {base.path}"
        )
    return Delta(left * scaling(config, found["module"], len(right)), right)


def _fitting(tensors: Checkpoint, name: str, base: Checkpoint, key: str) -> torch.Tensor:
    """A tensor that the adapter brings whole, in the base's dtype."""
    shape = base.specs[key].shape
    if tensors.specs[name].shape != shape:
        raise InputError(
            f"{tensors.path}: tensor {name} has shape {list(tensors.specs[name].shape)}, "
            f"but {list(shape)} as {key} in {base.path}"
        )
    return tensors.read(name).to(base.specs[key].torch_dtype)


def merged(base: Checkpoint, change: Change, key: str) -> Iterator[torch.Tensor]:
    """The tensor `key` of the merged model, in chunks of rows."""
    spec = base.specs[key]
    rows = rows_per_chunk(spec.shape)
    chunks = change.replaced[key].split(rows) if key in change.replaced else base.chunks(key)
    delta = change.deltas.get(key)
    if delta is None:
        yield from chunks
        return
    for chunk, left in zip(chunks, delta.left.split(rows), strict=True):
        yield (chunk.float() + (left @ delta.right).reshape(chunk.shape)).to(spec.torch_dtype)
