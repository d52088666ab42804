"""Supervised training, on lines of text (`pretrain`) and on pages (`sft`): one loop, two targets."""

from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForImageTextToText, AutoProcessor, PreTrainedModel

from scriptorium.errors import ConfigError
from scriptorium.recipe.plan import Run
from scriptorium.serve.adapter import load
from scriptorium.train.arguments import Arguments
from scriptorium.train.loop import Loop, Stop
from scriptorium.train.order import Curriculum, Order
from scriptorium.train.rows import Encoder, read_rows, shorter
from scriptorium.train.stage import Files, Trained

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


def make_loop(run: Run, files: Files) -> Loop:
    """The training loop of a run."""
    arguments = Arguments.of({"seed": run.seed or 0} | run.args, f"stage {run.stage}")
    torch.manual_seed(arguments.seed)
    encoder = Encoder(
        AutoProcessor.from_pretrained(files.parent), load(run.model).prompt, TARGETS[run.method]
    )
    cache = files.state / "cache"
    data = read_rows(files.rows, cache, run.data[0].amount)
    if run.max_tokens:
        data = shorter(data, encoder, run.max_tokens)
    curriculum = (
        Curriculum(**(run.curriculum | {"groups": tuple(run.curriculum["groups"])}))
        if run.curriculum
        else None
    )
    if run.stop and not files.eval_rows:
        raise ConfigError(f"stage {run.stage}: `stop` needs `eval_data` to look at")
    model = load_model(files.parent, run.model_args, run.adapter)
    model.train()
    return Loop(
        model,
        encoder,
        data,
        Order.of(
            data["group"], arguments.seed if arguments.data_seed is None else arguments.data_seed, curriculum
        ),
        arguments,
        files.state,
        read_rows(files.eval_rows, cache) if files.eval_rows else None,
        Stop(**run.stop) if run.stop else None,
    )


def train(run: Run, files: Files) -> Trained:
    """Train `run` from the model in `files.parent`, going on from the newest checkpoint."""
    loop = make_loop(run, files)
    steps, last = loop.run()
    return Trained(loop.model, loop.encoder.processor, steps, last)
