"""Supervised training, on lines of text (`pretrain`) and on pages (`sft`): one loop, two targets."""

import time
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForImageTextToText, AutoProcessor, PreTrainedModel

from scriptorium.errors import ConfigError
from scriptorium.job import lease
from scriptorium.receipt import Format, write_receipt
from scriptorium.recipe.plan import Run
from scriptorium.serve.adapter import load
from scriptorium.train import checkpoint
from scriptorium.train.arguments import Arguments
from scriptorium.train.export import export
from scriptorium.train.loop import Loop, Stop
from scriptorium.train.order import Curriculum, Order
from scriptorium.train.rows import Encoder, read_rows, shorter

TARGETS = {"pretrain": "text", "sft": "page"}
"""What each method learns to write: the text alone, or the whole page with its front matter."""


def device() -> torch.device:
    """The first GPU, or the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def lora(adapter: dict[str, Any]) -> LoraConfig:
    """peft's configuration of a stage's `adapter`, without the options that are ours."""
    return LoraConfig(
        **{name: value for name, value in adapter.items() if name not in ("merge", "load_in_4bit")}
    )


def load_model(folder: Path, model_args: dict[str, str], adapter: dict[str, Any] | None) -> PreTrainedModel:
    """A model to train: from `folder`, in the dtype asked for (float32 by default), with LoRA if `adapter` says so."""
    model = AutoModelForImageTextToText.from_pretrained(folder, **({"dtype": "float32"} | model_args))
    if adapter:
        model = get_peft_model(model, lora(adapter))
    return model.to(device())


def make_loop(run: Run, parent: Path, rows: list[Path], eval_rows: list[Path], state: Path) -> Loop:
    """The training loop of a run."""
    arguments = Arguments.of({"seed": run.seed or 0} | run.args, f"stage {run.stage}")
    torch.manual_seed(arguments.seed)
    encoder = Encoder(AutoProcessor.from_pretrained(parent), load(run.model).prompt, TARGETS[run.method])
    data = read_rows(rows, state / "cache", run.data[0].amount)
    if run.max_tokens:
        data = shorter(data, encoder, run.max_tokens)
    curriculum = (
        Curriculum(**(run.curriculum | {"groups": tuple(run.curriculum["groups"])}))
        if run.curriculum
        else None
    )
    if run.stop and not eval_rows:
        raise ConfigError(f"stage {run.stage}: `stop` needs `eval_data` to look at")
    model = load_model(parent, run.model_args, run.adapter)
    model.train()
    return Loop(
        model,
        encoder,
        data,
        Order.of(
            data["group"], arguments.seed if arguments.data_seed is None else arguments.data_seed, curriculum
        ),
        arguments,
        state,
        read_rows(eval_rows, state / "cache") if eval_rows else None,
        Stop(**run.stop) if run.stop else None,
    )


def train(
    run: Run,
    parent: Path,
    rows: list[Path],
    eval_rows: list[Path],
    state: Path,
    out: Path,
    metrics: Path,
    receipt: Path,
) -> None:
    """Train `run` from the model in `parent`; model, metrics and receipt appear at the end, whole."""
    started = time.monotonic()
    parents = {run.parents[0]: parent}
    with lease(state / "lease"):
        checkpoint.claim(state, checkpoint.shape(run, parents, [*rows, *eval_rows]))
        loop = make_loop(run, parent, rows, eval_rows, state)
        steps, last = loop.run()
        export(loop.model, loop.encoder.processor, run, out)
        checkpoint.finish(state, metrics)
        kind: Format = "adapter" if run.adapter and not run.adapter.get("merge", True) else "full"
        write_receipt(receipt, run, out, parents, [*rows, *eval_rows], kind, steps, started, last)
