"""Supervised training, on lines of text (`pretrain`) and on pages (`sft`): one loop, two targets."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from transformers import AutoModelForImageTextToText, AutoProcessor, BitsAndBytesConfig, PreTrainedModel
from transformers.utils import is_flash_attn_2_available

from scriptorium.errors import ConfigError
from scriptorium.recipe.plan import Run
from scriptorium.serve.adapter import load, write_prompt
from scriptorium.train import checkpoint, processes
from scriptorium.train.arguments import Arguments
from scriptorium.train.groups import freeze
from scriptorium.train.loop import Loop, Stop
from scriptorium.train.order import Curriculum, Order
from scriptorium.train.patches import project_patches
from scriptorium.train.rows import Encoder, read_rows, shorter
from scriptorium.train.sharding import sharded
from scriptorium.train.stage import Files, Trained

TARGETS = {"pretrain": "text", "sft": "page"}
"""What each method learns to write: the text alone, or the whole page with its front matter."""


def lora(adapter: dict[str, Any]) -> LoraConfig:
    """peft's configuration of a stage's `adapter`, without the options that are ours. Raises ConfigError."""
    options = {name: value for name, value in adapter.items() if name not in ("merge", "load_in_4bit")}
    try:
        return LoraConfig(**options)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"adapter: its options do not fit peft's LoraConfig: {error}") from error


def four_bits() -> BitsAndBytesConfig:
    """Weights in four bits, computed with in bfloat16, as QLoRA has them. Raises ConfigError without bitsandbytes."""
    if importlib.util.find_spec("bitsandbytes") is None or not torch.cuda.is_available():
        raise ConfigError(
            "adapter.load_in_4bit: needs a GPU and the package bitsandbytes; install it, or set load_in_4bit: false"
        )
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def attention(model_args: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a model, with torch's own attention where FlashAttention is asked for and not installed."""
    if model_args.get("attn_implementation") != "flash_attention_2" or is_flash_attn_2_available():
        return model_args
    print("flash_attention_2 is not installed here: attention is torch's own (sdpa)", file=sys.stderr)
    return model_args | {"attn_implementation": "sdpa"}


def load_model(folder: Path, model_args: dict[str, Any], adapter: dict[str, Any] | None) -> PreTrainedModel:
    """A model to train: from `folder`, in the dtype asked for (float32 by default), with LoRA if `adapter` says so.

    Without LoRA in four bits it is on the CPU.
    """
    settings = {"dtype": "float32"} | attention(model_args)
    if adapter and adapter.get("load_in_4bit"):
        settings |= {"quantization_config": four_bits(), "device_map": {"": processes.device()}}
    model = AutoModelForImageTextToText.from_pretrained(folder, **settings)
    project_patches(model)
    if adapter:
        if adapter.get("load_in_4bit"):
            model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
        model = get_peft_model(model, lora(adapter))
    return model


def trainable(run: Run, folder: Path, where: str) -> PreTrainedModel:
    """The model of a run with its parts frozen, on the CPU."""
    model = load_model(folder, run.model_args, run.adapter)
    if run.adapter:
        # A path of this machine would make equal adapters differ.
        model.peft_config["default"].base_model_name_or_path = run.parents[0]
    if run.freeze:
        freeze(model, run.freeze, f"{where}: freeze")
    model.train()
    return model


def make_loop(run: Run, files: Files) -> Loop:
    """The training loop of a run."""
    where = f"stage {run.stage}"
    arguments = Arguments.of({"seed": run.seed or 0} | run.args, where)
    torch.manual_seed(arguments.seed)
    adapter = load(run.model)
    processor = AutoProcessor.from_pretrained(files.parent)
    encoder = Encoder(processor, adapter.prompt, TARGETS[run.method], adapter.image_first)
    cache = files.state / "cache"
    data = read_rows(files.rows, cache, run.data[0].amount)
    if run.max_tokens or run.max_prompt_tokens:
        data = shorter(data, encoder, run.max_tokens, run.max_prompt_tokens)
    curriculum = (
        Curriculum(**(run.curriculum | {"groups": tuple(run.curriculum["groups"])}))
        if run.curriculum
        else None
    )
    if (run.stop or arguments.eval_strategy != "no") and not files.eval_rows:
        raise ConfigError(f"{where}: `stop` and args.eval_strategy need `eval_data` to look at")
    model = trainable(run, files.parent, where)
    if arguments.gradient_checkpointing:
        model.activation_checkpointing_enable({"use_reentrant": False})
    if processes.size() == 1 or files.accelerate == "multi_gpu":
        model = model.to(processes.device())  # sharding moves its own parts

    def furnish(folder: Path) -> None:
        encoder.processor.save_pretrained(folder)
        write_prompt(folder, adapter)

    return Loop(
        model,
        encoder,
        data,
        Order.of(
            data["group"], arguments.seed if arguments.data_seed is None else arguments.data_seed, curriculum
        ),
        arguments,
        files.state,
        held_out={f"{path.parent.name}_{path.stem}": read_rows([path], cache) for path in files.eval_rows},
        stop=Stop(**run.stop) if run.stop else None,
        rates=run.learning_rates,
        average_last=run.average_last,
        accelerate=files.accelerate,
        furnish=furnish,
    )


def train(run: Run, files: Files) -> Trained:
    """Train `run` from the model in `files.parent`, going on from the newest checkpoint."""
    loop = make_loop(run, files)
    steps, last = loop.run()
    weights = loop.chosen(steps) if processes.first() else None
    model = loop.model
    if weights is not None:
        if sharded(loop.wrapped):  # its parts are elsewhere: the model is made again, whole
            model = trainable(run, files.parent, f"stage {run.stage}")
        checkpoint.put(model, weights)
    return Trained(model, loop.encoder.processor, steps, last)
