"""Preferences learnt directly: TRL's DPOTrainer on pairs of answers, to pages or to text."""

from pathlib import Path
from typing import Any

from datasets import Dataset
from transformers import AutoProcessor, AutoTokenizer
from trl import DPOConfig, DPOTrainer

from scriptorium.errors import ConfigError, InputError
from scriptorium.recipe.plan import Run
from scriptorium.serve.adapter import load
from scriptorium.train.engine import Journal, Resumed, load_model, make_arguments, run_trainer
from scriptorium.train.evaluate import evaluate
from scriptorium.train.pictures import remember
from scriptorium.train.rows import Encoder, picture, question, read_rows
from scriptorium.train.sft import lora
from scriptorium.train.stage import Files, Trained

NEEDED = ("chosen", "rejected")


class Trainer(Resumed, DPOTrainer):
    """A DPOTrainer that resumes from a checkpoint's weights."""


def make_config(run: Run, state: Path) -> DPOConfig:
    """TRL's configuration of a run. Raises ConfigError, see `engine.make_arguments`, and for a cut of pages."""
    if run.modality == "vision" and run.args.get("max_length") is not None:
        raise ConfigError(
            f"stage {run.stage}: args.max_length would cut an image's tokens; leave it out or write null"
        )
    whole = {} if "max_length" in run.args else {"max_length": None}
    # Pages are decoded when they are read; the trainer would drop the columns that this is made from.
    return make_arguments(DPOConfig, run, state, remove_unused_columns=False, **whole)


def page_pairs(rows: Dataset, prompt: str, image_first: bool = False) -> Dataset:
    """Rows with `image`, `chosen` and `rejected` as DPOTrainer takes them; pages are decoded when read."""

    def convert(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        pages = [{"image": data} for data in batch["image"]]
        return {
            "prompt": [question(prompt, image_first) for _ in pages],
            "images": [[picture(page)] for page in pages],
            **{name: [answered(text) for text in batch[name]] for name in NEEDED},
        }

    return rows.with_transform(convert)


def answered(text: str) -> list[dict[str, Any]]:
    """An answer as the end of a conversation."""
    return [{"role": "assistant", "content": [{"type": "text", "text": text}]}]


def check_columns(rows: Dataset, run: Run) -> None:
    """Raises InputError for rows that are no pairs, naming what they have."""
    asked = (*NEEDED, "image" if run.modality == "vision" else "prompt")
    missing = [name for name in asked if name not in rows.column_names]
    if missing:
        raise InputError(
            f"stage {run.stage}: its rows have no column {', '.join(missing)}, but {', '.join(rows.column_names)}; "
            "name a stage of method pairs, or a source of rows that has it"
        )


def make_trainer(run: Run, parent: Path, rows: Dataset, config: DPOConfig) -> Trainer:
    """A trainer over the model in `parent`; its reference is the parent itself, or the model without the adapter."""
    check_columns(rows, run)
    adapter = load(run.model)
    if run.modality == "vision":
        processor = AutoProcessor.from_pretrained(parent, padding_side="left")
        remember(processor)
        data = page_pairs(rows, adapter.prompt, adapter.image_first)
    else:
        processor = AutoTokenizer.from_pretrained(parent)
        data = rows.select_columns(["prompt", *NEEDED])
    trainer = Trainer(
        model=load_model(parent, run),
        args=config,
        train_dataset=data,
        processing_class=processor,
        peft_config=lora(run.adapter) if run.adapter else None,
    )
    if run.adapter:
        # A path of this machine would make equal adapters differ.
        trainer.model.peft_config["default"].base_model_name_or_path = run.parents[0]
    return trainer


def train(run: Run, files: Files) -> Trained:
    """Train `run` from the model in `files.parent`, going on from the newest checkpoint."""
    cache = files.state / "cache"
    rows = read_rows(files.rows, cache, run.data[0].amount)
    trainer = make_trainer(run, files.parent, rows, make_config(run, files.state))
    trainer.add_callback(Journal(files.state / "metrics.jsonl", "rewards/margins"))
    run_trainer(trainer, run, files.state)
    last = {}
    if files.eval_rows:
        adapter = load(run.model)
        encoder = Encoder(trainer.processing_class, adapter.prompt, image_first=adapter.image_first)
        last = evaluate(trainer.model, encoder, read_rows(files.eval_rows, cache), adapter.max_tokens)
    return Trained(trainer.model, trainer.processing_class, trainer.state.global_step, last)
