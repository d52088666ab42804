"""Rows of a model's own answers in the workflow: filter, rejection and pairs, and who learns from them."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from .conftest import ROOT, Runner, jobs

SAMPLED = {"modality": "vision", "parent": "base", "data": [{"source": "primer", "split": "rl"}]}
SAMPLED |= {"sampling": {"samples": 2, "max_tokens": 4, "above": -1.0}}
ARGS = {"max_steps": 1, "per_device_train_batch_size": 2, "gradient_checkpointing": False}
MORE = {"num_generations": 2, "max_completion_length": 4}


def stage(method: str, parent: str, source: str, **fields: Any) -> dict[str, Any]:
    """A stage that learns from the rows of another."""
    data = [{"source": source}]
    return {"method": method, "modality": "vision", "parent": parent, "data": data, "args": ARGS} | fields


@pytest.fixture
def recipe(project: Path) -> Path:
    """`tiny`'s fresh model, a handful of pages, and every way to make rows of its answers."""
    tiny = yaml.safe_load((ROOT / "config" / "recipes" / "tiny.yaml").read_text())
    stages = {
        "base": tiny["stages"]["base"],
        "hard": {"method": "filter"} | SAMPLED,
        "own": {"method": "rejection"} | SAMPLED,
        "duel": {"method": "pairs"} | SAMPLED,
        "rl": stage("grpo", "base", "hard", rewards={"bench": 1.0, "eos": 0.5}, args=ARGS | MORE),
        "sft": stage("sft", "base", "own"),
        "dpo": stage("dpo", "sft", "duel"),
    }
    splits = {"rl": {"pages": 3}, "bench": {"pages": 2}}
    made = {
        "name": "sampled",
        "model": "tiny",
        "sources": {"primer": {"synth": "primer", "seed": 1, "splits": splits}},
        "bench": {"source": "primer", "split": "bench"},
        "serve": tiny["serve"],
        "stages": stages,
    }
    path = project / "sampled.yaml"
    path.write_text(yaml.safe_dump(made))
    return path


def test_rows_come_from_stages(recipe: Path, snakemake: Runner) -> None:
    counts = jobs(snakemake("-n", "--config", "recipe=sampled.yaml", "results=new"))
    once = dict.fromkeys(("init", "filter", "rejection", "pairs", "grpo", "sft", "dpo", "pack"), 1)
    assert {rule: counts[rule] for rule in once} == once
    assert counts["bench_score"] == 4  # of the models; rows are not measured


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dpo": {"data": [{"source": "own"}]}}, "dpo needs pairs; 'own' is a rejection"),
        ({"sft": {"data": [{"source": "duel"}]}}, "pairs are for dpo"),
        ({"sft": {"data": [{"source": "rl"}]}}, "stage 'rl' makes a model"),
        ({"hard": {"parent": "rl"}}, "form a circle"),
        ({"hard": {"sampling": None}}, "needs `sampling`"),
    ],
)
def test_rows_of_the_wrong_kind_are_refused(
    recipe: Path, snakemake: Runner, change: dict[str, dict[str, Any]], message: str
) -> None:
    made = yaml.safe_load(recipe.read_text())
    for name, fields in change.items():
        made["stages"][name] |= fields
    recipe.write_text(yaml.safe_dump(made))
    done = snakemake("-n", "--config", "recipe=sampled.yaml", "results=new")
    assert done.returncode != 0
    assert message in done.stdout + done.stderr


@pytest.mark.slow
def test_a_filter_feeds_a_reinforcement(recipe: Path, project: Path, snakemake: Runner) -> None:
    done = snakemake(
        "--cores", "1", "--config", "recipe=sampled.yaml", "results=new", "--", "new/rl/model.json"
    )
    logs = "".join(path.read_text()[-2000:] for path in project.glob("new/logs/*/*.log"))
    assert done.returncode == 0, done.stderr[-3000:] + logs
    assert pq.read_metadata(project / "new" / "hard" / "rows.parquet").num_rows == 3
    receipt = json.loads((project / "new" / "rl" / "model.json").read_text())
    assert receipt["steps"] == 1
    assert list(receipt["data"]) == ["new/hard/rows.parquet"]
