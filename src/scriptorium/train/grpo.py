"""Reinforcement by unit tests: TRL's GRPOTrainer on pages, with full weights or LoRA.

TRL does the mathematics; this file brings it rows that can earn something, rewards, a place that generates, and a
watch over what it does to the tests.
"""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from datasets import Dataset
from transformers import AutoProcessor, ProcessorMixin
from trl import GRPOConfig, GRPOTrainer

from scriptorium.bench.rules import check_tests
from scriptorium.errors import ConfigError, InputError, ScriptoriumError
from scriptorium.recipe.plan import Run
from scriptorium.serve.adapter import load
from scriptorium.train import processes, rollouts
from scriptorium.train.collapse import Watch
from scriptorium.train.engine import Journal, Resumed, load_model, make_arguments, run_trainer
from scriptorium.train.evaluate import evaluate
from scriptorium.train.packing import check_kinds
from scriptorium.train.pictures import remember
from scriptorium.train.rewards.functions import Rewards, options
from scriptorium.train.rows import Encoder, picture, question, read_rows, shorter, tests_of
from scriptorium.train.sft import lora
from scriptorium.train.stage import Files, Trained

PROMPT_TOKENS = 4096
"""Tokens that a server for rollouts leaves for the prompt, beside the answer: a page at 1,288 px has 1,800."""


class Trainer(Resumed, GRPOTrainer):
    """A GRPOTrainer that resumes from a checkpoint's weights."""


def make_config(run: Run, state: Path, weights: list[float]) -> GRPOConfig:
    """TRL's configuration of a run. Raises ConfigError, see `engine.make_arguments`."""
    config = make_arguments(GRPOConfig, run, state, reward_weights=weights)
    check_groups(run, config)
    return config


def check_groups(run: Run, config: GRPOConfig) -> None:
    """Raises ConfigError where `medoid` would see parts of groups: each process judges its own answers."""
    each = config.per_device_train_batch_size * config.steps_per_generation
    if "medoid" in run.rewards and each % config.num_generations:
        raise ConfigError(
            f"stage {run.stage}: rewards.medoid needs a page's samples on one process: "
            f"per_device_train_batch_size x steps_per_generation is {each}, no multiple of "
            f"args.num_generations, {config.num_generations}"
        )


def check_prompts(processor: ProcessorMixin, rows: Dataset, prompt: str, image_first: bool = False) -> None:
    """Prove with the first pages that the trainer asks as the server is asked, and knows where images are.

    Raises InputError otherwise: Qwen2.5-VL would be trained at wrong positions without a word.
    """
    pages = [rows[index] for index in range(min(2, len(rows)))]
    asked = Encoder(processor, prompt, image_first=image_first).prompts(pages)
    masks = asked["attention_mask"].bool()
    for row, page in enumerate(pages):
        ids, kinds = asked["input_ids"][row][masks[row]], asked["mm_token_type_ids"][row][masks[row]]
        check_kinds(ids, kinds, getattr(processor, "image_token_id", None))
        content = [
            part | {"image": picture(page)} if part["type"] == "image" else part
            for part in question(prompt, image_first)[0]["content"]
        ]
        trained = processor.apply_chat_template(
            [{"role": "user", "content": content}],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
        )
        if list(trained["input_ids"][0]) != ids.tolist():
            raise InputError(f"page {page['id']}: the trainer's prompt is not the server's, token by token")


def trainable(rows: Dataset, rewards: Rewards, where: str) -> Dataset:
    """The rows that every reward can say something of; how many were left out is said.

    A page without tests would earn nothing from its tests and something for its form. Raises InputError for tests
    that cannot be used, and when no row is left.
    """
    kept = []
    for index, row in enumerate(rows.select_columns(["id", "tests", "text"])):
        tests = tests_of(row)
        try:
            check_tests(tests)
        except ScriptoriumError as error:
            raise InputError(f"{where}: page {row['id']}: {error}; mend it, or leave the page out") from error
        if (tests or not rewards.needs_tests) and (row["text"] is not None or not rewards.needs_truth):
            kept.append(index)
    if not kept:
        raise InputError(
            f"{where}: none of {len(rows)} pages has the tests or the text that its rewards need"
        )
    if len(kept) < len(rows):
        print(
            f"{len(rows) - len(kept)} of {len(rows)} pages have no tests or no text: left out",
            file=sys.stderr,
        )
    return rows.select(kept) if len(kept) < len(rows) else rows


def prompts(rows: Dataset, prompt: str, image_first: bool = False) -> Dataset:
    """Rows as GRPOTrainer takes them: `prompt` (a conversation), `image`, decoded when read, `id`, `tests`, `text`."""

    def convert(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        pages = [{"image": data} for data in batch["image"]]
        return {
            "prompt": [question(prompt, image_first) for _ in pages],
            "image": [picture(page) for page in pages],
            "id": batch["id"],
            "tests": batch["tests"],
            "text": batch["text"],
        }

    return rows.with_transform(convert)


@contextlib.contextmanager
def generator(run: Run, files: Files, config: GRPOConfig) -> Iterator[None]:
    """What generates while the block runs: a vLLM server that is started here, if `config` needs one."""
    if not config.use_vllm or config.vllm_mode != "server" or config.vllm_server_base_url:
        yield
        return
    if not processes.first():
        # Only the first process speaks with the server; the others wait for it where TRL has them meet.
        yield
        return
    order = rollouts.make_order(
        files.parent,
        load(run.model),
        files.state / "rollouts.log",
        rollouts.spare_gpus(rollouts.visible_gpus()),
        config.vllm_gpu_memory_utilization,
        config.vllm_max_model_length or PROMPT_TOKENS + config.max_completion_length,
    )
    with rollouts.generating(order) as url:
        config.vllm_server_base_url = url
        yield


def make_trainer(
    run: Run, parent: Path, rows: Dataset, processor: ProcessorMixin, config: GRPOConfig, rewards: Rewards
) -> Trainer:
    """A trainer over the model in `parent`; sampling never emits what its generation config suppresses."""
    model = load_model(parent, run)
    if model.generation_config.suppress_tokens and not config.use_vllm:
        suppressed = {"suppress_tokens": list(model.generation_config.suppress_tokens)}
        config.generation_kwargs = suppressed | (config.generation_kwargs or {})
    adapter = load(run.model)
    kept = trainable(rows, rewards, f"stage {run.stage}")
    if run.max_prompt_tokens:
        encoder = Encoder(processor, adapter.prompt, image_first=adapter.image_first)
        kept = shorter(kept, encoder, most_prompt=run.max_prompt_tokens)
    check_prompts(processor, kept, adapter.prompt, adapter.image_first)
    trainer = Trainer(
        model=model,
        args=config,
        train_dataset=prompts(kept, adapter.prompt, adapter.image_first),
        reward_funcs=rewards.functions,
        processing_class=processor,
        peft_config=lora(run.adapter) if run.adapter else None,
    )
    if run.adapter:
        # A path of this machine would make equal adapters differ.
        trainer.model.peft_config["default"].base_model_name_or_path = run.parents[0]
    return trainer


def ends(processor: ProcessorMixin, parent: Path) -> list[int]:
    """The token ids that end an answer: the tokenizer's own, then those of the generation config."""
    from transformers import GenerationConfig

    own = processor.tokenizer.eos_token_id
    try:
        found = GenerationConfig.from_pretrained(parent).eos_token_id
    except OSError:  # a model may do without
        return [own]
    more = found if isinstance(found, list) else [found]
    return list(dict.fromkeys([own, *(each for each in more if each is not None)]))


def train(run: Run, files: Files) -> Trained:
    """Reinforce `run` from the model in `files.parent`, going on from the newest checkpoint.

    Raises ThresholdError where the stage's `collapse` says that it has gone wrong.
    """
    # Prompts of unequal length in a batch would shift the positions of their images otherwise.
    processor = AutoProcessor.from_pretrained(files.parent, padding_side="left")
    remember(processor)
    cache = files.state / "cache"
    data = read_rows(files.rows, cache, run.data[0].amount)
    wanted = options(run.rewards, f"stage {run.stage}")
    metrics = files.state / "metrics.jsonl"
    with Rewards(wanted, ends(processor, files.parent)) as rewards:
        config = make_config(run, files.state, [run.reward_scale * weight for weight in rewards.weights])
        with generator(run, files, config):
            trainer = make_trainer(run, files.parent, data, processor, config, rewards)
            trainer.add_callback(Journal(metrics, "reward"))
            watch = Watch(metrics, **run.collapse) if run.collapse else None
            if watch:
                trainer.add_callback(watch)
            run_trainer(trainer, run, files.state)
            if watch:
                watch.check(run.stage)
    last = {}
    if files.eval_rows:
        adapter = load(run.model)
        encoder = Encoder(processor, adapter.prompt, image_first=adapter.image_first)
        held_out = read_rows(files.eval_rows, cache)
        last = evaluate(trainer.model, encoder, held_out, trainer.args.max_completion_length)
    return Trained(trainer.model, processor, trainer.state.global_step, last)
