"""DPO through TRL: on pages and on text; it prefers what was chosen, and resumes exactly."""

import functools
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

from scriptorium.errors import ConfigError, InputError
from scriptorium.pages.front_matter import FrontMatter, encode
from scriptorium.recipe.plan import Run
from scriptorium.train import dpo
from scriptorium.train.init import character_tokenizer
from scriptorium.train.rows import read_rows
from tests.train import conftest
from tests.train.conftest import PRIMER, run

ARGS = {
    "max_steps": 4,
    "per_device_train_batch_size": 2,
    "learning_rate": 1.0e-3,
    "lr_scheduler_type": "constant",
    "gradient_checkpointing": False,
    "save_steps": 2,
}
go = functools.partial(conftest.go, dpo.train)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def stage(**fields: Any) -> Run:
    return run("dpo", "dpo", parents=["base"], data=[PRIMER], seed=1, **({"args": ARGS} | fields))


@pytest.fixture(scope="module")
def pairs(rows: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of the rows, each with its truth and something else."""
    other = encode(FrontMatter(), "something else")
    table = pq.read_table(rows).slice(0, 8).to_pylist()
    path = tmp_path_factory.mktemp("pairs") / "pairs.parquet"
    kept = [row | {"chosen": row["text"], "rejected": other} for row in table]
    pq.write_table(pa.Table.from_pylist(kept), path)
    return path


def metrics(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_it_comes_to_prefer_what_was_chosen_and_resumes(base: Path, pairs: Path, tmp_path: Path) -> None:
    whole = go(stage(), base, pairs, tmp_path / "a")
    lines = metrics(tmp_path / "a")
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    assert lines[0]["rewards/margins"] == pytest.approx(0.0, abs=1e-4)
    assert lines[-1]["rewards/margins"] > 0.01

    class Stopped(Exception):
        """Stands for a kill after the third step: the checkpoint of the second is the newest."""

    class Stop(dpo.Journal):
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **given: Any) -> None:
            super().on_log(args, state, control, logs, **given)
            if state.global_step == 3:
                raise Stopped

    journal, dpo.Journal = dpo.Journal, Stop
    try:
        with pytest.raises(Stopped):
            go(stage(), base, pairs, tmp_path / "b")
    finally:
        dpo.Journal = journal
    assert go(stage(), base, pairs, tmp_path / "b") == whole


def test_the_final_arguments_are_those_that_were_asked_for(base: Path, pairs: Path, tmp_path: Path) -> None:
    """A helper for the schedule once made 3 epochs and no warm-up of one epoch and a hundred steps of it."""
    wanted = {"num_train_epochs": 1, "warmup_steps": 1, "lr_scheduler_type": "constant_with_warmup"}
    args = {name: value for name, value in ARGS.items() if name != "max_steps"} | wanted
    go(stage(args=args | {"per_device_train_batch_size": 4}), base, pairs, tmp_path)
    final = json.loads((tmp_path / "state" / "arguments.json").read_text())
    assert {name: final[name] for name in wanted} == wanted
    assert [line["step"] for line in metrics(tmp_path)] == [1, 2]  # one epoch of eight pairs
    assert metrics(tmp_path)[0]["learning_rate"] == 0.0


def test_the_image_comes_first_where_the_adapter_says_so(pairs: Path, tmp_path: Path) -> None:
    data = read_rows([pairs], tmp_path)
    for image_first, kinds in ((False, ["text", "image"]), (True, ["image", "text"])):
        (asked,) = dpo.page_pairs(data, "Read.", image_first)[0]["prompt"]
        assert [part["type"] for part in asked["content"]] == kinds


def test_text_learns_too(tmp_path: Path) -> None:
    tokenizer = character_tokenizer("abcdefghijklmnopqrstuvwxyz ", [])
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    torch.manual_seed(1)
    Qwen2ForCausalLM(config).save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    rows = [{"prompt": "say it ", "chosen": f"well {k * 'a'}", "rejected": "badly"} for k in range(4)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "pairs.parquet")
    text = stage().model_copy(update={"modality": "text"})
    go(text, tmp_path / "base", tmp_path / "pairs.parquet", tmp_path)
    assert metrics(tmp_path)[-1]["rewards/margins"] > 0


def test_rows_that_are_no_pairs_are_refused(base: Path, rows: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no column chosen, rejected"):
        go(stage(), base, rows, tmp_path)


def test_pages_are_never_cut(base: Path, pairs: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="would cut an image"):
        go(stage(args=ARGS | {"max_length": 64}), base, pairs, tmp_path)
