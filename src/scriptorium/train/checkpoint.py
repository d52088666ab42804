"""A stage's resumable state: one writer, checkpoints whole or not at all, and a digest of what shaped them.

The state folder is not declared to Snakemake, which deletes declared outputs before a retry.
"""

import json
import os
import random
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy
import torch
from safetensors.torch import load_file, save_file

from scriptorium.errors import ConfigError
from scriptorium.files import sha256_file, whole, write_json
from scriptorium.receipt import weights_sha256
from scriptorium.recipe.plan import Run
from scriptorium.serve.adapter import load
from scriptorium.train.sharding import like

KEPT = 2
"""Checkpoints kept: the newest, and the one before it."""

MANIFEST = "manifest.json"
"""A checkpoint's list of files; it is complete when this is there and true."""

SHAPELESS = {"resources", "note", "fidelity", "collapse"}
"""Fields of a run that do not change its weights."""

SHAPELESS_ARGS = {
    "logging_steps",
    "save_steps",
    "report_to",
    "save_total_limit",
    "disable_tqdm",
    "dataloader_num_workers",
    "per_device_eval_batch_size",
}
"""Training arguments that do not change the weights."""


def shape(run: Run, parents: Mapping[str, Path], rows: list[Path]) -> dict[str, Any]:
    """Everything that shapes the weights of a run: its stage and prompt, its parents' weights, its data, by hash."""
    stage = run.model_dump(mode="json", exclude=SHAPELESS)
    # Where the last checkpoints are averaged, or the best one is taken, it matters when they are written.
    chooses = run.average_last > 1 or run.args.get("load_best_model_at_end")
    shapeless = SHAPELESS_ARGS - {"save_steps"} if chooses else SHAPELESS_ARGS
    stage["args"] = {name: value for name, value in stage["args"].items() if name not in shapeless}
    return {
        "stage": stage,
        "prompt": load(run.model).prompt_sha256,
        "parents": {name: weights_sha256(folder) for name, folder in parents.items()},
        "rows": {f"{path.parent.name}/{path.name}": sha256_file(path) for path in rows},
    }


def claim(state: Path, wanted: dict[str, Any]) -> None:
    """Stamp a state folder with what shapes its weights, or refuse it if it was stamped otherwise.

    State of another stage that had come to its end is only a leftover, and makes room.
    """
    stamp = state / "digest.json"
    if stamp.exists():
        found = json.loads(stamp.read_text(encoding="utf-8"))
        if found == wanted:
            return
        if not (state / "finished").exists():
            raise ConfigError(
                f"{state} holds the unfinished work of another stage: {'; '.join(difference(found, wanted))}. "
                f"Put that back to go on with it, or remove {state} to start afresh"
            )
        for path in [*checkpoints(state), state / "finished"]:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        (state / "metrics.jsonl").unlink(missing_ok=True)
    write_json(stamp, wanted)


def difference(found: Any, wanted: Any, key: str = "") -> list[str]:
    """What differs between two nested values, a line each: `stage.args.learning_rate was 0.001, is 0.002`."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        names = sorted(found.keys() | wanted.keys())
        lines = [difference(found.get(name), wanted.get(name), f"{key}.{name}".lstrip(".")) for name in names]
        return [line for part in lines for line in part]
    return [] if found == wanted else [f"{key} was {found!r}, is {wanted!r}"]


def checkpoints(state: Path) -> list[Path]:
    """The checkpoint folders of a state, oldest first (`checkpoint-<step>`, as transformers names them)."""
    return sorted(state.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))


def save(
    state: Path,
    step: int,
    weights: Mapping[str, torch.Tensor],
    optimiser: dict[str, Any],
    randoms: list[dict[str, Any]],
    progress: dict[str, Any],
    furnish: Callable[[Path], None] = lambda folder: None,
) -> None:
    """Write checkpoint `step` to the disk: trained weights, optimiser, every process's random state, `progress`.

    `furnish` adds what makes it usable by itself: processor and prompt. The manifest, written last, has each file's
    size and hash.
    """
    with whole(state / f"checkpoint-{step}") as part:
        part.mkdir()
        save_file(dict(weights), part / "model.safetensors")
        torch.save(optimiser, part / "optimizer.pt")
        torch.save(randoms, part / "random.pt")
        write_json(part / "progress.json", {"step": step, **progress})
        furnish(part)
        files = {
            path.relative_to(part).as_posix(): listed(path)
            for path in sorted(part.rglob("*"))
            if path.is_file()
        }
        write_json(part / MANIFEST, {"stage": stage_of(state), "files": files})


def listed(path: Path) -> dict[str, Any]:
    """A file's size and hash, once it is on the disk and not only in memory."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return {"bytes": path.stat().st_size, "sha256": sha256_file(path)}


def stage_of(state: Path) -> str:
    """The hash of what shapes the stage whose state this is; empty where nobody claimed it."""
    stamp = state / "digest.json"
    return sha256_file(stamp) if stamp.exists() else ""


def damage(folder: Path) -> str:
    """What is wrong with a checkpoint: a missing, cut or altered file, another stage. Empty for a whole one."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        stage, files = manifest["stage"], manifest["files"].items()
    except (OSError, ValueError, KeyError) as error:
        return f"{MANIFEST} cannot be read ({type(error).__name__})"
    if stage != stage_of(folder.parent):
        return "it belongs to another stage"
    for name, entry in files:
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        if path.stat().st_size != entry["bytes"]:
            return f"{name} has {path.stat().st_size} bytes, not {entry['bytes']}"
        if sha256_file(path) != entry["sha256"]:
            return f"{name} is not what was written"
    return ""


def newest(state: Path) -> Path | None:
    """The newest checkpoint that is whole; one that is not is passed over, with a line that says why."""
    for folder in reversed(checkpoints(state)):
        fault = damage(folder)
        if not fault:
            return folder
        print(f"{folder.name} is passed over: {fault}", file=sys.stderr, flush=True)
    return None


def prune(state: Path, keep: int, best: int | None = None) -> None:
    """Remove all checkpoints but the newest `keep`, and the one of step `best`."""
    for old in checkpoints(state)[:-keep]:
        if old.name != f"checkpoint-{best}":
            shutil.rmtree(old)


def put(model: torch.nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
    """Give a model its trained weights back, by name."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                parameter.copy_(like(weights[name], parameter))


def mean(folders: list[Path]) -> dict[str, torch.Tensor]:
    """The mean of some checkpoints' weights, summed in float64, in the dtype they have."""
    total: dict[str, torch.Tensor] = {}
    dtypes: dict[str, torch.dtype] = {}
    for folder in folders:
        for name, value in load_file(folder / "model.safetensors").items():
            dtypes[name] = value.dtype
            total[name] = total[name] + value.double() if name in total else value.double()
    return {name: (value / len(folders)).to(dtypes[name]) for name, value in total.items()}


def random_state() -> dict[str, Any]:
    """The state of every source of chance in this process: torch's, its GPU's, Python's and numpy's."""
    kind, keys, *rest = numpy.random.get_state(legacy=True)
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state() if torch.cuda.is_initialized() else None,
        "python": random.getstate(),
        "numpy": [kind, numpy.asarray(keys).tolist(), *rest],
    }


def set_random_state(state: dict[str, Any]) -> None:
    """Go on with chance where `random_state` was taken."""
    torch.set_rng_state(state["torch"])
    if state["cuda"] is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"])
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    kind, keys, *rest = state["numpy"]
    numpy.random.set_state((kind, numpy.array(keys, dtype=numpy.uint32), *rest))


def finish(state: Path, metrics: Path) -> None:
    """Publish the metrics beside the receipt and mark the state as one that came to its end."""
    with whole(metrics) as part:
        shutil.copyfile(state / "metrics.jsonl", part)
    (state / "finished").touch()
