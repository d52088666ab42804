"""A LoRA adapter merged into its base, tensor by tensor: W + (alpha / r) B A, with DoRA scaled to its magnitudes.

The weights are merged without loading the model. Then both are loaded, one after the other, and asked the same
question: what answers otherwise than base and adapter did is not written.
"""

import json
import math
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from scriptorium.errors import InputError
from scriptorium.files import whole
from scriptorium.receipt import Receipt, write_receipt
from scriptorium.recipe.plan import Run
from scriptorium.weights.agreement import check_merge
from scriptorium.weights.names import parameter_names, skeleton
from scriptorium.weights.tensors import Checkpoint, copy_companions, rows_per_chunk, write

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
PREFIX = "base_model.model."
FACTOR = re.compile(r"^(?P<module>.+)\.(?P<kind>lora|lora_embedding)_(?P<side>[AB])(?P<end>\.weight)?$")
MAGNITUDE = re.compile(r"^(?P<module>.+)\.lora_magnitude_vector(\.weight)?$")
BIAS = re.compile(r"^(?P<module>.+)\.lora_B\.bias$")
UNSUPPORTED = (
    *("target_parameters", "trainable_token_indices", "layer_replication"),
    *("alora_invocation_tokens", "arrow_config", "use_qalora", "lora_ga_config", "velora_config"),
)
"""Settings of peft that change more than W + (alpha / r) B A and its magnitudes."""
MOVES_THE_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga")
"""Beginnings of an adapter that take something out of the base's weights."""


@dataclass(frozen=True)
class Delta:
    """What is added to a base weight, in float32: `left` [rows, r], scaled, times `right` [r, columns].

    With a `magnitude` (DoRA, arXiv:2402.09353) the sum is then scaled to it: each row to its own norm, or each
    column where `columns` says so (embeddings, transposed weights).
    """

    left: torch.Tensor
    right: torch.Tensor
    magnitude: torch.Tensor | None = None
    columns: bool = False


@dataclass(frozen=True)
class Change:
    """What an adapter does to a base, by checkpoint key: sums, and tensors it brings whole.

    `added` are vectors (biases of factors), in float32.
    """

    deltas: dict[str, Delta] = field(default_factory=dict)
    added: dict[str, torch.Tensor] = field(default_factory=dict)
    replaced: dict[str, torch.Tensor] = field(default_factory=dict)


def merge(run: Run, adapter: Path, base: Path, model: Path, receipt: Path) -> Receipt:
    """Write `base` with the peft adapter in `adapter` merged into it to `model`, and its receipt.

    The sum is taken in float32 and rounded once to the base's dtype. Processor, chat template and prompt
    come from the adapter's folder where it has them, else from the base's. Raises InputError where the two
    do not fit, ThresholdError where the merged model answers otherwise than base and adapter.
    """
    started = time.monotonic()
    checkpoint = Checkpoint(base)
    change = read_change(adapter, checkpoint)
    with whole(model) as part:
        copy_companions(base, part)
        copy_companions(adapter, part)
        write(part, checkpoint.specs, lambda name: merged(checkpoint, change, name))
        metrics = check_merge(base, adapter, part)
    named = {run.parents[0]: adapter, base.as_posix(): base}
    metrics |= {"merged_tensors": len(change.deltas), "replaced_tensors": len(change.replaced)}
    return write_receipt(receipt, run, model, named, [], "full", 0, started, metrics)


def read_change(adapter: Path, base: Checkpoint) -> Change:
    """The adapter in terms of the base's tensors. InputError if it is no plain LoRA or finds no weight."""
    config = read_config(adapter)
    tensors = Checkpoint(adapter / WEIGHTS)
    network = skeleton(base.path)
    keys = {parameter: key for key, parameter in parameter_names(network, base.specs).items()}
    change = Change()
    for name in sorted(tensors.specs):
        short = name.removeprefix(PREFIX)
        if MAGNITUDE.match(short):
            continue
        found, bias = FACTOR.match(short), BIAS.match(short)
        target = short.replace(".base_layer.", ".")
        if bias or found:
            target = f"{(bias or found)['module']}.{'bias' if bias else 'weight'}"  # type: ignore[index]
        key = keys.get(parameter_names(network, [target]).get(target, ""))
        if key is None:
            raise InputError(
                f"{adapter / WEIGHTS}: tensor {name} finds no weight {target} in the base {base.path}"
            )
        if bias:
            rank = tensors.specs[name.replace(".lora_B.bias", ".lora_A.weight")].shape[0]
            change.added[key] = tensors.read(name).float() * scaling(config, bias["module"], rank)
        elif not found:
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
    start = str(config.get("init_lora_weights", True)).lower()
    if start.startswith(MOVES_THE_BASE):
        raise InputError(
            f"{path}: init_lora_weights: {start} changed the base before training, and these factors belong to "
            "the changed one; save the adapter with path_initial_model_for_weight_conversion"
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
    scaled = left * scaling(config, found["module"], len(right))
    return Delta(scaled, right, _magnitude(tensors, found["module"]), turned)


def _magnitude(tensors: Checkpoint, module: str) -> torch.Tensor | None:
    """The magnitudes that DoRA learnt for a module, in float32, one for each row or column; None without DoRA."""
    names = (f"{PREFIX}{module}.lora_magnitude_vector{end}" for end in ("", ".weight"))
    found = next((name for name in names if name in tensors.specs), None)
    return tensors.read(found).float().flatten() if found else None


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
    delta = change.deltas.get(key)
    if key in change.added:
        yield (_source(base, change, key).float() + change.added[key]).to(spec.torch_dtype)
    elif delta is None:
        yield from _chunks(base, change, key)
    else:
        norms = _column_norms(base, change, key) if delta.magnitude is not None and delta.columns else None
        row = 0
        for chunk in _sums(base, change, key):
            if delta.magnitude is not None and norms is not None:
                chunk *= delta.magnitude / norms
            elif delta.magnitude is not None:
                flat = chunk.flatten(1)
                wanted = delta.magnitude[row : row + len(chunk), None]
                chunk = (flat * (wanted / flat.norm(dim=1, keepdim=True))).reshape(chunk.shape)
            row += len(chunk)
            yield chunk.to(spec.torch_dtype)


def _chunks(base: Checkpoint, change: Change, key: str) -> Iterable[torch.Tensor]:
    """A base weight, or what the adapter brings in its place, in chunks of rows."""
    if key in change.replaced:
        return change.replaced[key].split(rows_per_chunk(base.specs[key].shape))
    return base.chunks(key)


def _source(base: Checkpoint, change: Change, key: str) -> torch.Tensor:
    return change.replaced[key] if key in change.replaced else base.read(key)


def _sums(base: Checkpoint, change: Change, key: str) -> Iterator[torch.Tensor]:
    """W + (alpha / r) B A in float32, in chunks of rows."""
    delta = change.deltas[key]
    lefts = delta.left.split(rows_per_chunk(base.specs[key].shape))
    for chunk, left in zip(_chunks(base, change, key), lefts, strict=True):
        yield chunk.float() + (left @ delta.right).reshape(chunk.shape)


def _column_norms(base: Checkpoint, change: Change, key: str) -> torch.Tensor:
    """The norm of each column of W + (alpha / r) B A."""
    squares = torch.zeros(change.deltas[key].right.shape[1], dtype=torch.float64)
    for chunk in _sums(base, change, key):
        squares += chunk.double().square().sum(0)
    return squares.sqrt().float()
