"""The receipt of a run (`model.json`): what went in, what came out, on what, and what it cost."""

import functools
import hashlib
import importlib.metadata
import json
import math
import os
import platform
import struct
import sys
import time
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from scriptorium.errors import InputError
from scriptorium.files import sha256_file, sha256_json, sha256_tree, write_json

Format = Literal["full", "adapter", "fp8", "compressed"]
PACKAGES = (
    "scriptorium",
    "torch",
    "transformers",
    "trl",
    "peft",
    "accelerate",
    "safetensors",
    "compressed-tensors",
)
"""The distributions whose versions a receipt names, where they are installed."""


class Run(Protocol):
    """What a receipt needs of a `scriptorium.recipe.plan.Run`."""

    name: str
    stage: str
    method: str
    recipe: str
    model: str
    seed: int | None

    def model_dump(self, *, mode: str, exclude: set[str]) -> dict[str, Any]:
        """The run's fields as plain values."""


class Receipt(BaseModel):
    """`model.json`. Hashes are SHA-256 in hex, times seconds, memory bytes of the largest process."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str
    stage: str
    method: str
    recipe: str
    model: str
    format: Format
    parents: dict[str, str]
    data: dict[str, str]
    weights: dict[str, str]
    weights_sha256: str
    stage_sha256: str
    seed: int | None
    steps: int
    parameters: int
    versions: dict[str, str]
    device: str
    wall_seconds: float
    gpu_seconds: float
    peak_memory_bytes: int
    metrics: dict[str, Any]


def write_receipt(
    path: Path,
    run: Run,
    model: Path,
    parents: dict[str, Path],
    data: list[Path],
    format: Format,
    steps: int,
    started: float,
    metrics: dict[str, Any],
) -> Receipt:
    """Write the receipt of the finished model folder `model` and return it.

    `parents` maps a run's name, path or hub name to its folder; `data` are files or folders; `started` is
    `time.monotonic()` when the run began. Raises InputError for a folder without weights.
    """
    wall = time.monotonic() - started
    weights = weight_files(model)
    receipt = Receipt(
        run=run.name,
        stage=run.stage,
        method=run.method,
        recipe=run.recipe,
        model=run.model,
        format=format,
        parents={name: weights_sha256(folder) for name, folder in parents.items()},
        data={path.as_posix(): sha256_tree(path) if path.is_dir() else sha256_file(path) for path in data},
        weights=weights,
        weights_sha256=_over(weights),
        stage_sha256=sha256_json(run.model_dump(mode="json", exclude={"resources"})),
        seed=run.seed,
        steps=steps,
        parameters=count_parameters(model),
        versions=versions(),
        device=device(),
        wall_seconds=round(wall, 3),
        gpu_seconds=round(wall * gpus(), 3),
        peak_memory_bytes=peak_memory(),
        metrics=metrics,
    )
    write_json(path, receipt.model_dump(mode="json"))
    return receipt


def read_receipt(path: Path) -> Receipt:
    """The receipt in `path`. Raises InputError if it is missing, not JSON or not a receipt."""
    try:
        return Receipt.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such receipt; run the stage that writes it") from error
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'file'}: {fault['msg']}"
            for fault in error.errors()
        )
        raise InputError(f"{path}: not a receipt: {faults}") from error


def weight_files(folder: Path) -> dict[str, str]:
    """File name to SHA-256 of a model folder's safetensors files, by name. InputError if there are none."""
    files = {
        path.name: _sha256(path, path.stat().st_mtime_ns) for path in sorted(folder.glob("*.safetensors"))
    }
    if not files:
        raise InputError(f"{folder}: holds no .safetensors file; expected a model folder")
    return files


@functools.lru_cache(maxsize=256)
def _sha256(path: Path, changed: int) -> str:
    """The hash of a file that has not changed since: a job names its parents' weights more than once."""
    return sha256_file(path)


def weights_sha256(folder: Path) -> str:
    """One SHA-256 over a model folder's safetensors files, sorted by name: names and contents."""
    return _over(weight_files(folder))


def _over(files: dict[str, str]) -> str:
    listing = "".join(f"{name}\0{digest}\n" for name, digest in sorted(files.items()))
    return hashlib.sha256(listing.encode()).hexdigest()


def count_parameters(folder: Path) -> int:
    """How many numbers a model folder's weights hold, from the files' headers; FP8 scales left out."""
    total = 0
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length))
        total += sum(
            math.prod(entry["shape"])
            for name, entry in header.items()
            if name != "__metadata__" and not name.endswith(".weight_scale")
        )
    return total


def versions() -> dict[str, str]:
    """Python's version and those of the `PACKAGES` that are installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def device() -> str:
    """What computed: the GPU's name if this process used one, else the CPU's."""
    torch = _torch_on_gpu()
    if torch:
        return str(torch.cuda.get_device_name())
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"CPU {names[0] if names else platform.machine()}"


def gpus() -> int:
    """GPUs of this job on all its nodes; 0 if this process used none."""
    torch = _torch_on_gpu()
    if not torch:
        return 0
    world, local = (int(os.environ.get(name, "1")) for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"))
    return int(torch.cuda.device_count()) * max(1, world // local)


def _torch_on_gpu() -> Any:
    """The torch module if this process has started it on a GPU, else None; never imports it."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and torch.cuda.is_initialized() else None


def peak_memory() -> int:
    """Peak resident memory in bytes of the largest of this process and its ended children."""
    try:
        import resource
    except ImportError:
        return 0  # Windows tells no peak of children that have ended
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage(2): kilobytes on Linux, bytes on macOS
    peaks = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return max(peaks) * unit
