"""A stage's resumable state: one writer, checkpoints whole or not at all, and a digest of what shaped them.

The state folder is not declared to Snakemake, which deletes declared outputs before a retry.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from scriptorium.errors import ConfigError
from scriptorium.files import sha256_file, whole, write_json
from scriptorium.receipt import weights_sha256
from scriptorium.recipe.plan import Run

KEPT = 2
"""Checkpoints kept: the newest, and the one before it."""

SHAPELESS = {"resources", "note", "fidelity"}
"""Fields of a run that do not change its weights."""

SHAPELESS_ARGS = {"logging_steps", "save_steps", "report_to", "save_total_limit", "disable_tqdm"}
"""Training arguments that do not change the weights."""


def shape(run: Run, parents: Mapping[str, Path], rows: list[Path]) -> dict[str, Any]:
    """Everything that shapes the weights of a run: its stage, its parents' weights, its data, by hash."""
    stage = run.model_dump(mode="json", exclude=SHAPELESS)
    stage["args"] = {name: value for name, value in stage["args"].items() if name not in SHAPELESS_ARGS}
    return {
        "stage": stage,
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
    state: Path, step: int, model: torch.nn.Module, optimiser: torch.optim.Optimizer, progress: dict[str, Any]
) -> None:
    """Write checkpoint `step`: weights, optimiser, random state and `progress`; the oldest ones go."""
    with whole(state / f"checkpoint-{step}") as part:
        part.mkdir()
        weights = {
            name: value.contiguous() for name, value in model.named_parameters() if value.requires_grad
        }
        save_file(weights, part / "model.safetensors")
        torch.save(optimiser.state_dict(), part / "optimizer.pt")
        torch.save(torch.get_rng_state(), part / "random.pt")
        write_json(part / "progress.json", {"step": step, **progress})
    for old in checkpoints(state)[:-KEPT]:
        shutil.rmtree(old)


def restore(state: Path, model: torch.nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Any] | None:
    """Load the newest checkpoint into the model and the optimiser; its progress, or None if there is none."""
    found = checkpoints(state)
    if not found:
        return None
    weights = load_file(found[-1] / "model.safetensors")
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.requires_grad:
                value.copy_(weights[name])
    optimiser.load_state_dict(torch.load(found[-1] / "optimizer.pt", weights_only=True))
    torch.set_rng_state(torch.load(found[-1] / "random.pt", weights_only=True))
    progress: dict[str, Any] = json.loads((found[-1] / "progress.json").read_text(encoding="utf-8"))
    return progress


def finish(state: Path, metrics: Path) -> None:
    """Publish the metrics beside the receipt and mark the state as one that came to its end."""
    with whole(metrics) as part:
        shutil.copyfile(state / "metrics.jsonl", part)
    (state / "finished").touch()
