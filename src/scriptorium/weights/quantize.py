"""FP8 without data, GPU or model in memory: a checkpoint rewritten in the format of compressed-tensors.

Scheme FP8_DYNAMIC: the decoder's linear weights in E4M3 with one scale per output channel; activations are
quantised per token by whoever serves the model. Embeddings, head, norms and vision tower stay as they are.
"""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from scriptorium.errors import ConfigError, InputError
from scriptorium.files import whole
from scriptorium.receipt import Receipt, write_receipt
from scriptorium.recipe.plan import Run
from scriptorium.weights.compressor import check, compress
from scriptorium.weights.names import linear_modules, parameter_names, skeleton
from scriptorium.weights.tensors import DTYPES, Checkpoint, Spec, copy_companions, write
from scriptorium.weights.verify import verify

SCHEME = "FP8_DYNAMIC"
LARGEST = torch.finfo(torch.float8_e4m3fn).max
"""448: the largest number of E4M3."""
SCALE = "_scale"
"""What is added to a weight's key to name its scales."""


def quantize(run: Run, parent: Path, model: Path, receipt: Path, pages: Path | None = None) -> Receipt:
    """Write the model in `parent`, quantised by `run.scheme`, to `model`, and its receipt.

    `run.ignore` names modules to leave, or patterns behind `re:`. FP8_DYNAMIC is written here, and verified before
    it takes its place; any other scheme is llm-compressor's, with `pages`, a bench folder, where it needs data.
    Raises ConfigError, InputError, or ThresholdError if the result strays too far.
    """
    started = time.monotonic()
    if run.scheme != SCHEME:
        return _by_compressor(run, parent, model, receipt, pages, started)
    checkpoint = Checkpoint(parent)
    network = skeleton(parent)
    chosen, left = choose(run, network, checkpoint)
    with whole(model) as part:
        copy_companions(parent, part)
        write_config(part / "config.json", left)
        write_weights(checkpoint, chosen, part)
        metrics = verify(checkpoint, Checkpoint(part), chosen)
    metrics |= {"quantised_modules": len(chosen), "left_modules": len(left)}
    return write_receipt(receipt, run, model, {run.parents[0]: parent}, [], "fp8", 0, started, metrics)


def _by_compressor(
    run: Run, parent: Path, model: Path, receipt: Path, pages: Path | None, started: float
) -> Receipt:
    """The same by llm-compressor, for the schemes that it knows; what is left alone is the same."""
    check(run, pages)  # before anything is read
    chosen, left = choose(run, skeleton(parent), Checkpoint(parent))
    with whole(model) as part:
        part.mkdir()
        compress(run, parent, pages, left, part)
    metrics = {"quantised_modules": len(chosen), "left_modules": len(left)}
    return write_receipt(receipt, run, model, {run.parents[0]: parent}, [], "compressed", 0, started, metrics)


def choose(run: Run, network: PreTrainedModel, checkpoint: Checkpoint) -> tuple[set[str], list[str]]:
    """The checkpoint keys of the weights to quantise, and the names of all Linear modules that are left."""
    decoder = network.get_decoder()
    prefix = next(name for name, module in network.named_modules() if module is decoder)
    linear = linear_modules(network)
    ignored = {name for pattern in run.ignore for name in _matches(run, pattern, linear)}
    keys = {parameter: key for key, parameter in parameter_names(network, checkpoint.specs).items()}
    modules = {
        name: keys[f"{name}.weight"]
        for name in linear
        if name.startswith(f"{prefix}.") and name not in ignored and f"{name}.weight" in keys
    }
    for name, key in modules.items():
        if checkpoint.specs[key].dtype not in ("F32", "F16", "BF16"):
            raise InputError(
                f"{checkpoint.path}: tensor {key} is {checkpoint.specs[key].dtype}; is it quantised already?"
            )
        if checkpoint.specs[key].shape != tuple(linear[name].weight.shape):
            raise InputError(
                f"{checkpoint.path}: tensor {key} has shape {list(checkpoint.specs[key].shape)}, "
                f"but {list(linear[name].weight.shape)} by config.json"
            )
    if not modules:
        raise InputError(f"{checkpoint.path}: found no linear weight to quantise under {prefix}")
    return set(modules.values()), sorted(linear.keys() - modules.keys())


def _matches(run: Run, pattern: str, linear: dict[str, torch.nn.Linear]) -> list[str]:
    """The Linear modules that one entry of `ignore` names: by full name, or by a pattern from its start."""
    if pattern.startswith("re:"):
        found = [name for name in linear if re.match(pattern[3:], name)]
    else:
        found = [name for name in linear if name == pattern]
    if not found:
        raise ConfigError(
            f"stage {run.stage}: ignore: {pattern!r} names no linear module; they are called, for "
            f"example, {', '.join([*linear][:1] + [*linear][-2:])}"
        )
    return found


def write_config(path: Path, left: list[str]) -> None:
    """Add to a config.json what tells transformers and vLLM how the weights are stored."""
    config = json.loads(path.read_text(encoding="utf-8"))
    config["quantization_config"] = quantization_config(left)
    path.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def quantization_config(left: list[str]) -> dict[str, Any]:
    """FP8_DYNAMIC in the words of compressed-tensors; `left` are the modules' names, not checkpoint keys."""
    eight_bits = {"num_bits": 8, "type": "float", "symmetric": True}
    return {
        "quant_method": "compressed-tensors",
        "format": "float-quantized",
        "quantization_status": "compressed",
        "config_groups": {
            "group_0": {
                "targets": ["Linear"],
                "weights": eight_bits | {"strategy": "channel", "dynamic": False},
                "input_activations": eight_bits | {"strategy": "token", "dynamic": True},
                "output_activations": None,
            }
        },
        "ignore": left,
        "kv_cache_scheme": None,
    }


def write_weights(checkpoint: Checkpoint, chosen: set[str], folder: Path) -> None:
    """Write the checkpoint with the `chosen` tensors in E4M3 and their scales beside them."""
    specs: dict[str, Spec] = {}
    for key, spec in checkpoint.specs.items():
        specs[key] = Spec("F8_E4M3", spec.shape) if key in chosen else spec
        if key in chosen:
            specs[key + SCALE] = Spec(spec.dtype, (spec.shape[0], 1))

    # Scales are as wide as the weights were, so they come first in the file: they are made once, and kept.
    made: dict[str, torch.Tensor] = {}

    def chunks(key: str) -> Iterator[torch.Tensor]:
        weight = key.removesuffix(SCALE)
        if weight not in chosen:
            yield from checkpoint.chunks(key)
            return
        where = f"{checkpoint.path}: tensor {weight}"
        if weight not in made:
            made[weight] = torch.cat([scales_of(where, chunk) for chunk in checkpoint.chunks(weight)])
        if key != weight:
            yield made[weight]
            return
        row = 0
        for chunk in checkpoint.chunks(weight):
            yield divided(chunk, made[weight][row : row + len(chunk)])
            row += len(chunk)

    write(folder, specs, chunks)


def to_fp8(where: str, weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows [n, k] as E4M3 [n, k] and scales [n, 1] in the weight's dtype. Raises InputError for inf and NaN."""
    scale = scales_of(where, weight)
    return divided(weight, scale), scale


def scales_of(where: str, weight: torch.Tensor) -> torch.Tensor:
    """The scale of each row, [n, 1]: its largest magnitude over 448. Raises InputError for inf and NaN."""
    largest = weight.abs().amax(1, keepdim=True).float()  # five times as fast as aminmax; NaN comes through
    if not torch.isfinite(largest).all():
        raise InputError(f"{where} holds numbers that are not finite; the training run has failed")
    return (largest / LARGEST).clamp(min=torch.finfo(weight.dtype).tiny).to(weight.dtype)


def divided(weight: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Rows over their scales, as E4M3. In float32: a slightly smaller error than in the weight's dtype."""
    wide = weight.float() if weight.dtype != torch.float32 else weight.clone()
    return wide.div_(scale.float()).clamp_(-LARGEST, LARGEST).to(DTYPES["F8_E4M3"])
