"""Reinforcement by unit tests: TRL's GRPOTrainer on pages, with full weights or LoRA.

TRL does the mathematics; this file brings it rows, rewards, exact resumption and metrics as JSONL.
"""

import json
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import AutoModelForImageTextToText, AutoProcessor, ProcessorMixin, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from scriptorium.errors import ConfigError
from scriptorium.recipe.plan import Run
from scriptorium.serve.adapter import load
from scriptorium.train import checkpoint
from scriptorium.train.evaluate import evaluate
from scriptorium.train.loop import keep_metrics
from scriptorium.train.rewards import make_rewards
from scriptorium.train.rows import Encoder, picture, question, read_rows
from scriptorium.train.sft import lora
from scriptorium.train.stage import Files, Trained
from scriptorium.train.stop import StopRequest

OURS = {"output_dir", "report_to", "use_cpu", "reward_weights", "resume_from_checkpoint"}
"""Arguments of GRPOConfig that this file sets; a recipe may not."""


class Journal(TrainerCallback):
    """Writes what the trainer logs to a JSONL file, a line a step."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any
    ) -> None:
        """Append the metrics of a step; the closing summary of a run, which has no reward, is passed over."""
        if logs and "reward" in logs:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": state.global_step, **logs}) + "\n")


class Leave(TrainerCallback):
    """Has the trainer write a checkpoint and end when it is asked to stop."""

    def __init__(self, request: StopRequest) -> None:
        self.request = request

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """After each step."""
        if self.request.asked:
            control.should_save = control.should_training_stop = True


class Trainer(GRPOTrainer):
    """A GRPOTrainer that resumes from a checkpoint's weights.

    transformers 5.23 looks for the module names of the model in memory in a file that holds the names of the
    published checkpoints. For Qwen2.5-VL no name fits, and it goes on from the parent with only a warning.
    """

    def _load_from_checkpoint(
        self, resume_from_checkpoint: str, model: torch.nn.Module | None = None
    ) -> None:
        if self.model is not self.accelerator.unwrap_model(self.model) or hasattr(self.model, "peft_config"):
            super()._load_from_checkpoint(resume_from_checkpoint, model)
            return
        saved = AutoModelForImageTextToText.from_pretrained(resume_from_checkpoint, dtype=self.model.dtype)
        self.model.load_state_dict(saved.state_dict(), strict=True)


def make_config(run: Run, state: Path, weights: list[float]) -> GRPOConfig:
    """TRL's configuration of a run: the recipe's arguments, and what this machine dictates."""
    taken = OURS & run.args.keys()
    if taken:
        raise ConfigError(f"stage {run.stage}: args.{sorted(taken)[0]} is set by the workflow; remove it")
    gpu = torch.cuda.is_available()
    seed = run.seed or 0
    settings = {
        "seed": seed,
        "data_seed": seed,
        "bf16": gpu,
        "save_total_limit": checkpoint.KEPT,
        "logging_steps": 1,
    } | run.args
    try:
        return GRPOConfig(
            output_dir=str(state),
            report_to=[],
            use_cpu=not gpu,
            reward_weights=weights,
            **settings,
        )
    except (TypeError, ValueError) as error:
        raise ConfigError(f"stage {run.stage}: args do not fit TRL's GRPOConfig: {error}") from error


def prompts(rows: Dataset, prompt: str) -> Dataset:
    """Rows as GRPOTrainer takes them: `prompt` (a conversation) and `image`, decoded when read; `tests`, `text`."""

    def convert(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        pages = [{"image": data} for data in batch["image"]]
        return {
            "prompt": [question(prompt) for _ in pages],
            "image": [picture(page) for page in pages],
            "tests": batch["tests"],
            "text": batch["text"],
        }

    return rows.with_transform(convert)


def make_trainer(run: Run, parent: Path, rows: Dataset, processor: ProcessorMixin, state: Path) -> Trainer:
    """A trainer over the model in `parent`; sampling never emits what its generation config suppresses."""
    model = AutoModelForImageTextToText.from_pretrained(parent, **({"dtype": "float32"} | run.model_args))
    ends = model.generation_config.eos_token_id
    functions, weights = make_rewards(run.rewards, set(ends if isinstance(ends, list) else [ends]))
    config = make_config(run, state, weights)
    if model.generation_config.suppress_tokens and not config.use_vllm:
        suppressed = {"suppress_tokens": list(model.generation_config.suppress_tokens)}
        config.generation_kwargs = suppressed | (config.generation_kwargs or {})
    trainer = Trainer(
        model=model,
        args=config,
        train_dataset=prompts(rows, load(run.model).prompt),
        reward_funcs=functions,
        processing_class=processor,
        peft_config=lora(run.adapter) if run.adapter else None,
        callbacks=[Journal(state / "metrics.jsonl")],
    )
    if run.adapter:
        # A path of this machine would make equal adapters differ.
        trainer.model.peft_config["default"].base_model_name_or_path = run.parents[0]
    return trainer


def train(run: Run, files: Files) -> Trained:
    """Reinforce `run` from the model in `files.parent`, going on from the newest checkpoint."""
    # Prompts of unequal length in a batch would shift the positions of their images otherwise.
    processor = AutoProcessor.from_pretrained(files.parent, padding_side="left")
    cache = files.state / "cache"
    data = read_rows(files.rows, cache, run.data[0].amount)
    trainer = make_trainer(run, files.parent, data, processor, files.state)
    found = checkpoint.checkpoints(files.state)
    keep_metrics(files.state / "metrics.jsonl", int(found[-1].name.rpartition("-")[2]) if found else 0)
    request = StopRequest()
    trainer.add_callback(Leave(request))
    trainer.train(resume_from_checkpoint=str(found[-1]) if found else None)
    if trainer.state.global_step < trainer.state.max_steps:
        request.leave(trainer.state.global_step)
    last = {}
    if files.eval_rows:
        encoder = Encoder(processor, load(run.model).prompt)
        held_out = read_rows(files.eval_rows, cache)
        last = evaluate(trainer.model, encoder, held_out, trainer.args.max_completion_length)
    return Trained(trainer.model, processor, trainer.state.global_step, last)
