"""GRPO through TRL: it learns something, resumes exactly, and leaves an adapter that names its parent."""

import functools
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from transformers import AutoProcessor

from scriptorium.errors import ConfigError, InputError
from scriptorium.receipt import read_receipt, weights_sha256
from scriptorium.recipe.plan import Run
from scriptorium.serve.adapter import load
from scriptorium.train import grpo
from scriptorium.train.engine import check_arguments
from scriptorium.train.pictures import remember
from scriptorium.train.rewards.functions import Rewards, options
from scriptorium.train.rewards.pool import JudgePool
from scriptorium.train.rows import read_rows
from tests.train import conftest
from tests.train.conftest import PRIMER, run

ARGS = {
    "max_steps": 4,
    "per_device_train_batch_size": 8,
    "num_generations": 4,
    "max_completion_length": 12,
    "learning_rate": 1.0e-3,
    "lr_scheduler_type": "constant",
    "gradient_checkpointing": False,
    "save_steps": 2,
    "seed": 1,
}
REWARDS = {"bench": 1.0, "front_matter": 1.0, "eos": {"weight": 1.0, "published": True}}
"""What ends by itself earns something even of a model that knows nothing: there is something to learn."""


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def stage(adapter: dict[str, Any] | None = None, **args: Any) -> Run:
    return run(
        "rl", "grpo", parents=["base"], data=[PRIMER], args=ARGS | args, rewards=REWARDS, adapter=adapter
    )


go = functools.partial(conftest.go, grpo.train)


LORA = {"r": 4, "lora_alpha": 8, "lora_dropout": 0.0, "target_modules": "all-linear", "merge": False}


@pytest.mark.parametrize("adapter", [None, LORA], ids=["whole", "lora"])
def test_stopped_and_resumed_it_ends_with_the_same_weights(
    base: Path, rows: Path, tmp_path: Path, adapter: dict[str, Any] | None
) -> None:
    whole = go(stage(adapter), base, rows, tmp_path / "a")
    assert whole != weights_sha256(base)
    metrics = [json.loads(line) for line in (tmp_path / "a" / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in metrics] == [1, 2, 3, 4]
    assert all({"reward", "reward_std", "frac_reward_zero_std"} <= line.keys() for line in metrics)

    class Stopped(Exception):
        """Stands for a kill after the third step: the checkpoint of the second is the newest."""

    class Stop(grpo.Journal):
        def on_log(
            self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any
        ) -> None:
            super().on_log(args, state, control, logs)
            if state.global_step == 3:
                raise Stopped

    journal, grpo.Journal = grpo.Journal, Stop
    try:
        with pytest.raises(Stopped):
            go(stage(adapter), base, rows, tmp_path / "b")
    finally:
        grpo.Journal = journal  # type: ignore[misc]
    assert (tmp_path / "b" / "state" / "checkpoint-2").exists()
    assert go(stage(adapter), base, rows, tmp_path / "b") == whole
    # Killed after its last checkpoint, before the model was written: not a step more.
    (tmp_path / "b" / "state" / "finished").unlink()
    shutil.rmtree(tmp_path / "b" / "model")
    assert go(stage(adapter), base, rows, tmp_path / "b") == whole
    resumed = [json.loads(line) for line in (tmp_path / "b" / "metrics.jsonl").read_text().splitlines()]
    assert [(line["step"], line["reward"]) for line in resumed] == [
        (line["step"], line["reward"]) for line in metrics
    ]


def test_an_adapter_is_left_as_one_and_names_its_parent(base: Path, rows: Path, tmp_path: Path) -> None:
    go(stage(LORA, max_steps=1), base, rows, tmp_path)
    assert (
        json.loads((tmp_path / "model" / "adapter_config.json").read_text())["base_model_name_or_path"]
        == "base"
    )
    assert read_receipt(tmp_path / "model.json").format == "adapter"


@pytest.mark.parametrize(
    ("args", "message"),
    [({"report_to": "wandb"}, "set by the workflow"), ({"max_prompt_length": 512}, "GRPOConfig")],
)
def test_arguments_that_cannot_be_are_named(
    base: Path, rows: Path, tmp_path: Path, args: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        go(stage(**args), base, rows, tmp_path)


@pytest.mark.parametrize("family", ["base", "base3"])
def test_it_learns_from_a_reference_too(
    family: str, request: pytest.FixtureRequest, rows: Path, tmp_path: Path
) -> None:
    """Two steps with a penalty for leaving the parent: a gradient, its spread, the penalty."""
    parent = request.getfixturevalue(family)
    go(stage(max_steps=2, beta=0.01, max_completion_length=24), parent, rows, tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert max(line["reward_std"] for line in lines) > 0
    assert max(line["grad_norm"] for line in lines) > 0
    assert all({"kl", "completions/clipped_ratio", "pass_rate/present"} <= line.keys() for line in lines)
    final = json.loads((tmp_path / "state" / "arguments.json").read_text())
    assert {name: final[name] for name in ARGS} == ARGS | {
        "max_steps": 2,
        "max_completion_length": 24,
    }
    assert str(tmp_path) not in json.dumps(final)


def test_pages_are_turned_into_patches_once(base: Path) -> None:
    processor = AutoProcessor.from_pretrained(base)
    plain, remembering = (AutoProcessor.from_pretrained(base).image_processor for _ in range(2))
    processor.image_processor = remembering
    remember(processor)
    colours = [Image.new("RGB", (112, 56), colour) for colour in ("white", "black", "white")]
    wanted = plain(images=colours, return_tensors="pt")
    for _ in range(2):
        found = remembering(images=[[one.copy()] for one in colours], return_tensors="pt")
        assert found.keys() == wanted.keys()
        assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    assert remembering.processed == 2
    assert remembering.to_dict() == plain.to_dict()


def test_a_group_asks_for_its_page_once(base: Path, rows: Path, tmp_path: Path) -> None:
    run_ = stage(max_steps=2, save_steps=10)
    made: list[Any] = []

    class Seen(grpo.Journal):
        def on_train_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            made.append(given["processing_class"].image_processor.processed)

    journal, grpo.Journal = grpo.Journal, Seen
    try:
        go(run_, base, rows, tmp_path)
    finally:
        grpo.Journal = journal
    assert made == [6]  # two pages to begin with, two steps of eight samples of two pages; 34 without


def test_pages_that_could_earn_only_by_form_are_left_out(
    rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pq.read_table(rows).slice(0, 3).to_pylist()
    table[0]["tests"], table[1]["text"] = "[]", None
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pylist(table), path)
    data = read_rows([path], tmp_path / "cache")
    pool = JudgePool(1)

    def kept(wanted: dict[str, Any]) -> list[str]:
        rewards = Rewards(options(wanted, "here"), [1], pool)
        return list(grpo.trainable(data, rewards, "here")["id"])

    everything = [row["id"] for row in table]
    assert kept({"bench": 1.0}) == everything[1:]
    assert "1 of 3 pages have no tests or no text" in capsys.readouterr().err
    assert kept({"edit": 1.0}) == [everything[0], everything[2]]
    assert kept({"eos": 1.0}) == everything
    table[2]["tests"] = json.dumps([{"type": "nonsense"}])
    pq.write_table(pa.Table.from_pylist(table), path)
    data = read_rows([path], tmp_path / "other")
    with pytest.raises(InputError, match=everything[2]):
        kept({"bench": 1.0})
    pool.close()


def test_a_middle_needs_its_whole_group(tmp_path: Path) -> None:
    """Two processes that hold two of a page's four answers each make one batch that TRL is content with."""
    middle = stage().model_copy(update={"rewards": {"medoid": 1.0}})
    made = grpo.make_config(middle, tmp_path, [1.0])
    made.per_device_train_batch_size = 2
    with pytest.raises(ConfigError, match=r"rewards\.medoid needs a page's samples on one process"):
        grpo.check_groups(middle, made)


def test_the_trainer_asks_as_the_server_is_asked(base: Path, rows: Path, tmp_path: Path) -> None:
    data = read_rows([rows], tmp_path / "cache", 2)
    processor = AutoProcessor.from_pretrained(base)
    prompt = load("tiny").prompt
    grpo.check_prompts(processor, data, prompt)
    template = processor.chat_template
    processor.chat_template = template.replace("assistant", "model")
    grpo.check_prompts(processor, data, prompt)  # another template is another for both
    plain = type(processor).apply_chat_template

    class Drifted(type(processor)):  # type: ignore[misc]
        def apply_chat_template(self, conversation: Any, **given: Any) -> Any:
            if given.get("tokenize"):
                given["chat_template"] = template
            return plain(self, conversation, **given)

    grpo.check_prompts(processor, data, prompt, image_first=True)
    processor.__class__ = Drifted
    wanted = Rewards(options(REWARDS, "here"), [1], JudgePool(1))
    config = grpo.make_config(stage(), tmp_path, wanted.weights)
    with wanted, pytest.raises(InputError, match="not the server's"):
        grpo.make_trainer(stage(), base, data, processor, config, wanted)


def test_long_prompts_are_no_part_of_it(base: Path, rows: Path, tmp_path: Path) -> None:
    data = read_rows([rows], tmp_path / "cache", 4)
    processor = AutoProcessor.from_pretrained(base, padding_side="left")
    bounded = stage().model_copy(update={"max_prompt_tokens": 500})
    wanted = Rewards(options(REWARDS, "here"), [1], JudgePool(1))
    config = grpo.make_config(bounded, tmp_path, wanted.weights)
    with wanted:
        made = grpo.make_trainer(bounded, base, data, processor, config, wanted)
        assert len(made.train_dataset) == 4
        with pytest.raises(InputError, match="longer than 3 tokens without the answer"):
            grpo.make_trainer(
                stage().model_copy(update={"max_prompt_tokens": 3}), base, data, processor, config, wanted
            )


def test_an_argument_that_comes_out_otherwise_is_refused(tmp_path: Path) -> None:
    """As olmOCR's own script lost its epochs and its warm-up to a helper for the schedule."""
    made = grpo.make_config(stage(num_train_epochs=1, warmup_steps=100), tmp_path, [1.0])
    made.set_lr_scheduler("constant")
    with pytest.raises(ConfigError, match=r"asked to be"):
        check_arguments(stage(num_train_epochs=1, warmup_steps=100, lr_scheduler_type="linear"), made)
