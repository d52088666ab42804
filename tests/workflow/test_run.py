"""Small parts of the workflow, run for real in a folder with a space in its name."""

import json
import os
from pathlib import Path

import pyarrow.parquet as pq
import yaml

from ..faults.world import document
from .conftest import Runner


def test_pages_become_rows_and_a_planned_corpus(snakemake: Runner, project: Path) -> None:
    recipe = yaml.safe_load((project / "config/recipes/tiny.yaml").read_text(encoding="utf-8"))
    recipe["sources"]["primer"]["splits"] |= {"dev": {"pages": 6, "shards": 2}, "corpus": {"pages": 4}}
    (project / "mine.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False), encoding="utf-8")
    (project / "config" / "site.yaml").write_text(
        "recipe: mine.yaml\nresults: my results\n", encoding="utf-8"
    )
    targets = ["rows/primer/dev.parquet", "corpus/library/plan.parquet", "sft/stage.yaml"]
    done = snakemake(*(f"my results/{target}" for target in targets))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    results = project / "my results"
    assert pq.read_table(results / targets[0]).num_rows == 6
    plan = pq.read_table(results / targets[1]).to_pylist()
    assert len(plan) == 4 and {row["status"] for row in plan} == {"pending"}
    assert json.loads((results / "recipe.json").read_text(encoding="utf-8")) == {"recipe": "tiny"}
    assert yaml.safe_load((results / "sft" / "stage.yaml").read_text(encoding="utf-8"))["parents"] == [
        "pretrain"
    ]
    assert list((results / "leases").iterdir())
    # A job that asks for more memory is the same job; one that learns faster is not.
    recipe["stages"]["sft"]["resources"]["mem_mb"] = 9000
    (project / "mine.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False), encoding="utf-8")
    assert "Nothing to be done" in snakemake("-n", *(f"my results/{target}" for target in targets)).stdout
    recipe["stages"]["sft"]["args"]["learning_rate"] = 0.5
    (project / "mine.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False), encoding="utf-8")
    assert "Params have changed" in snakemake("-n", f"my results/{targets[2]}").stdout


def test_a_file_in_a_folder_below_is_noticed(snakemake: Runner, project: Path) -> None:
    """The folder's own time says nothing of it; the plan is made again for a file that is new or changed."""
    deep = project / "papers" / "deep" / "er"
    deep.mkdir(parents=True)
    (deep / "a.pdf").write_bytes(document("a", 2))
    arguments = ("results/corpus/papers/plan.parquet", "--config", "corpus=papers", "shards=2")
    done = snakemake(*arguments, "model=http://localhost:9/v1", "adapter=qwen2.5-vl")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    arguments += ("model=http://localhost:9/v1", "adapter=qwen2.5-vl", "-n")
    assert "Nothing to be done" in snakemake(*arguments).stdout
    (deep / "b.pdf").write_bytes(document("b", 1))
    os.utime(project / "papers", (1, 1))
    os.utime(deep, (1, 1))
    assert "Params have changed" in snakemake(*arguments).stdout
