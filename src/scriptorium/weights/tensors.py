"""Checkpoints as streams of tensors: read from any sharding, written in one order, a few rows at a time."""

import json
import math
import shutil
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from scriptorium.errors import InputError
from scriptorium.progress import track

DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
"""The names of safetensors for the dtypes that a checkpoint may hold."""

WHOLE_FILE = "model.safetensors"
INDEX = "model.safetensors.index.json"
CHUNK = 1 << 20
"""Numbers held at a time of one tensor: 4 MB in float32."""
SHARD_BYTES = 5_000_000_000
NOT_COMPANIONS = (
    *("*.safetensors", "*.index.json", "*.bin", "*.pt", "*.pth", "*.md"),
    *("adapter_config.json", "trainer_state.json", "training_args.json", "soup.json"),
)
"""Files of a model folder that are its own: weights, the state of its training, what it was made of."""


@dataclass(frozen=True)
class Spec:
    """A tensor's dtype, by safetensors' name, and its shape."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def torch_dtype(self) -> torch.dtype:
        """The dtype as torch names it."""
        return DTYPES[self.dtype]

    @property
    def size(self) -> int:
        """Bytes of the tensor's data."""
        return math.prod(self.shape) * self.torch_dtype.itemsize


class Checkpoint:
    """The tensors of a model folder (or of one safetensors file), mapped, never loaded as a whole."""

    def __init__(self, path: Path) -> None:
        """Open `path`. Raises InputError if files are missing, damaged, or name a tensor twice."""
        self.path = path
        self._files: dict[str, Any] = {}
        self.specs: dict[str, Spec] = {}
        for file in weight_files(path):
            try:
                handle = safe_open(file, "pt")
            except (SafetensorError, OSError) as error:
                raise InputError(f"{file}: not a readable safetensors file: {error}") from error
            for name in handle.keys():  # noqa: SIM118 - a file handle, not a dict
                if name in self.specs:
                    raise InputError(f"{file}: tensor {name} is in another file of this folder too")
                part = handle.get_slice(name)
                if part.get_dtype() not in DTYPES:
                    raise InputError(
                        f"{file}: tensor {name} has dtype {part.get_dtype()}; known: {', '.join(DTYPES)}"
                    )
                self.specs[name] = Spec(part.get_dtype(), tuple(part.get_shape()))
                self._files[name] = handle

    def read(self, name: str) -> torch.Tensor:
        """The whole tensor `name`."""
        return self._files[name].get_tensor(name)

    def chunks(self, name: str) -> Iterator[torch.Tensor]:
        """The tensor `name` in groups of rows of its first dimension, `CHUNK` numbers or one row each."""
        shape = self.specs[name].shape
        if not shape:
            yield self.read(name)
            return
        part = self._files[name].get_slice(name)
        rows = rows_per_chunk(shape)
        for start in range(0, shape[0], rows):
            yield part[start : start + rows]


def rows_per_chunk(shape: tuple[int, ...]) -> int:
    """Rows of the first dimension that make one chunk."""
    return max(1, CHUNK // max(1, math.prod(shape[1:])))


def weight_files(path: Path) -> list[Path]:
    """The safetensors files of a model folder by its index, or the one file. InputError if any is missing."""
    if path.is_file():
        return [path]
    index = path / INDEX
    if index.exists():
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        missing = [name for name in names if not (path / name).exists()]
        if missing:
            raise InputError(f"{index}: names files that are not there: {', '.join(missing)}")
        return [path / name for name in names]
    if (path / WHOLE_FILE).exists():
        return [path / WHOLE_FILE]
    raise InputError(f"{path}: holds neither {WHOLE_FILE} nor {INDEX}; expected a whole model")


def write(
    folder: Path,
    specs: dict[str, Spec],
    chunks: Callable[[str], Iterable[torch.Tensor]],
    shard_bytes: int = SHARD_BYTES,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write the tensors `specs` into `folder`, each from its `chunks`, rows in order.

    Order and split depend on the specs alone, so equal tensors give equal files. A file holds up to
    `shard_bytes`; several have an index. `metadata` goes into the head of every file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Widest dtype first keeps every tensor aligned in the file, as safetensors' own writer does.
    names = sorted(specs, key=lambda name: (-specs[name].torch_dtype.itemsize, name))
    shards = split(names, specs, shard_bytes)
    files = (
        [WHOLE_FILE]
        if len(shards) == 1
        else [f"model-{i:05}-of-{len(shards):05}.safetensors" for i in range(1, len(shards) + 1)]
    )
    for file, shard in zip(files, shards, strict=True):
        _write_file(folder / file, {name: specs[name] for name in shard}, chunks, metadata or {})
    if len(shards) > 1:
        weight_map = {name: file for file, shard in zip(files, shards, strict=True) for name in shard}
        total = sum(spec.size for spec in specs.values())
        index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))}
        (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def split(names: list[str], specs: dict[str, Spec], shard_bytes: int) -> list[list[str]]:
    """`names` in runs whose tensors take at most `shard_bytes`; a larger tensor has a run of its own."""
    shards: list[list[str]] = [[]]
    filled = 0
    for name in names:
        if shards[-1] and filled + specs[name].size > shard_bytes:
            shards.append([])
            filled = 0
        shards[-1].append(name)
        filled += specs[name].size
    return shards


def _write_file(
    path: Path,
    specs: dict[str, Spec],
    chunks: Callable[[str], Iterable[torch.Tensor]],
    metadata: Mapping[str, str],
) -> None:
    header: dict[str, Any] = {"__metadata__": {"format": "pt", **metadata}}
    offset = 0
    for name, spec in specs.items():
        header[name] = {
            "dtype": spec.dtype,
            "shape": list(spec.shape),
            "data_offsets": [offset, offset + spec.size],
        }
        offset += spec.size
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(encoded)) + encoded)
        for name, spec in track(specs.items(), len(specs), f"writing {path.name}, tensors"):
            written = 0
            for chunk in chunks(name):
                if chunk.dtype != spec.torch_dtype:
                    raise TypeError(f"{name}: a chunk of {chunk.dtype} for a tensor of {spec.torch_dtype}")
                written += file.write(chunk.contiguous().reshape(-1).view(torch.uint8).numpy().data)
            if written != spec.size:
                raise ValueError(f"{name}: {written} bytes for a tensor of {spec.size}")


def copy_companions(source: Path, folder: Path) -> None:
    """Copy what belongs to a model besides its weights: config, processor, chat template, prompt."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.iterdir()):
        if path.is_file() and not path.name.startswith(".") and not any(map(path.match, NOT_COMPANIONS)):
            shutil.copyfile(path, folder / path.name)
