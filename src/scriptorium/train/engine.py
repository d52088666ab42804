"""What GRPO and DPO have in common: TRL's trainers with exact resumption, metrics as JSONL, an orderly stop.

TRL does the mathematics. A later TRL touches this file, grpo.py and dpo.py.
"""

import json
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    TrainerCallback,
    TrainerState,
    TrainingArguments,
)

from scriptorium.errors import ConfigError
from scriptorium.files import write_json
from scriptorium.recipe.plan import Run
from scriptorium.train import checkpoint, processes
from scriptorium.train.loop import keep_metrics
from scriptorium.train.sft import attention
from scriptorium.train.stop import StopRequest

OURS = {"output_dir", "report_to", "use_cpu", "reward_weights", "resume_from_checkpoint", "model_init_kwargs"}
"""Arguments that the workflow sets; a recipe may not."""

ADDED = {"generation_kwargs"}
"""Arguments to which this program adds what the model's own generation config says."""

MACHINE = {"output_dir", "logging_dir", "run_name", "hub_token", "push_to_hub_token", "local_rank"}
"""Arguments that say where a run took place: they stay out of what is published."""


class Journal(TrainerCallback):
    """Writes what the trainer logs to a JSONL file, a line a step; `key` tells such a line from the summary."""

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self.key = key

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any
    ) -> None:
        """Append the metrics of a step; the closing summary of a run is passed over."""
        if logs and self.key in logs and state.is_world_process_zero:
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


class Resumed:
    """Over a trainer of TRL: it resumes from a checkpoint's weights.

    transformers 5.23 looks for the module names of the model in memory in a file that holds the names of the
    published checkpoints. For Qwen2.5-VL no name fits, and it goes on from the parent with only a warning.
    """

    model: Any
    accelerator: Any

    def _load_from_checkpoint(
        self, resume_from_checkpoint: str, model: torch.nn.Module | None = None
    ) -> None:
        if self.model is not self.accelerator.unwrap_model(self.model) or hasattr(self.model, "peft_config"):
            super()._load_from_checkpoint(resume_from_checkpoint, model)  # type: ignore[misc]
            return
        saved = type(self.model).from_pretrained(resume_from_checkpoint, dtype=self.model.dtype)
        self.model.load_state_dict(saved.state_dict(), strict=True)


def load_model(folder: Path, run: Run) -> Any:
    """The model in `folder`, as `model_args` say: of images and text, or of text; float32 by default."""
    kind = AutoModelForImageTextToText if run.modality == "vision" else AutoModelForCausalLM
    return kind.from_pretrained(folder, **attention({"dtype": "float32"} | run.model_args))


def make_arguments(kind: type, run: Run, state: Path, **ours: Any) -> Any:
    """TRL's configuration of a run: the recipe's arguments, and what this machine dictates.

    Raises ConfigError for an argument that is not there, is the workflow's, or came out otherwise than asked.
    """
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
    }
    try:
        made = kind(output_dir=str(state), report_to=[], use_cpu=not gpu, **(settings | run.args), **ours)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"stage {run.stage}: args do not fit TRL's {kind.__name__}: {error}") from error
    check_arguments(run, made)
    return made


def check_arguments(run: Run, made: TrainingArguments) -> None:
    """Raises ConfigError where the configuration does not say what the recipe asked for, down to the value."""
    for name, asked in run.args.items():
        found = getattr(made, name)
        if name not in ADDED and found != asked:
            raise ConfigError(
                f"stage {run.stage}: args.{name} was asked to be {asked!r}, and TRL makes it {found!r}; "
                "write what it makes of it, or leave it out"
            )


def read_state(folder: Path) -> TrainerState:
    """Where a checkpoint stands."""
    return TrainerState.load_from_json(str(folder / "trainer_state.json"))


def run_trainer(trainer: Any, run: Run, state: Path) -> None:
    """Train to the end, going on from the newest checkpoint; leave with the requeue code if asked to stop.

    The final arguments are written to `arguments.json` in `state`.
    """
    check_arguments(run, trainer.args)
    found = checkpoint.checkpoints(state)
    if processes.first():
        keep_metrics(state / "metrics.jsonl", int(found[-1].name.rpartition("-")[2]) if found else 0)
        final = {name: value for name, value in trainer.args.to_dict().items() if name not in MACHINE}
        write_json(state / "arguments.json", final)
    processes.wait()
    if found and (ended := read_state(found[-1])).global_step >= ended.max_steps:
        # transformers would do one step more.
        trainer._load_from_checkpoint(str(found[-1]))
        trainer.state = ended
        return
    request = StopRequest()
    trainer.add_callback(Leave(request))
    trainer.train(resume_from_checkpoint=str(found[-1]) if found else None)
    if request.asked and trainer.state.global_step < trainer.state.max_steps:
        request.leave(trainer.state.global_step)
