"""What the workflow would do: the literal commands, models from elsewhere, what is refused before any job."""

import json
from pathlib import Path

import pytest
import yaml

from .conftest import Runner, jobs

TRAINING = ("init", "pretrain", "sft", "grpo", "merge", "soup", "quantize", "pack", "stage")


def test_tiny_from_nothing(snakemake: Runner) -> None:
    counts = jobs(snakemake("-n"))
    expected = {
        "init": 1,
        "pretrain": 1,
        "sft": 1,
        "grpo": 3,
        "merge": 1,
        "soup": 1,
        "quantize": 1,
        "stage": 9,
    }
    expected |= {
        "verify": 7,
        "bench_read": 8,
        "bench_score": 8,
        "convert_shard": 2,
        "corpus_outputs": 1,
        "report": 1,
        "all": 1,
    }
    assert {rule: counts[rule] for rule in expected} == expected
    assert not {"fetch", "unpack", "fetch_model", "external"} & set(counts)


def test_the_literal_cluster_command_also_after_a_demo(snakemake: Runner, project: Path) -> None:
    (project / "demo").mkdir()
    (project / "demo" / "recipe.json").write_text('{"recipe": "tiny"}', encoding="utf-8")
    done = snakemake("--profile", "slurm", "-n", "results/soup/bench.json")
    counts = jobs(done)
    expected = {
        "sft": 1,
        "grpo": 6,
        "soup": 1,
        "quantize": 1,
        "verify": 9,
        "bench_score": 9,
        "bench_read": 9,
        "fetch_model": 1,
    }
    assert {rule: counts[rule] for rule in expected} == expected
    assert "pretrain" not in counts and "report" not in counts
    text = done.stdout + done.stderr
    assert text.count("launch.py --gpus 8 --nodes 1 --vllm-gpus 1 --accelerate zero2 --") == 6
    score = next(line for line in text.splitlines() if "bench_score.py" in line and "--run soup " in line)
    assert "--relative parent=sft=results/sft/bench.json ingredient=grpo_token-1=" in score
    assert score.count("ingredient=") == 6 and "quantised=fp8=results/fp8/bench.json" in score


def test_a_corpus_of_ones_own(snakemake: Runner, project: Path) -> None:
    (project / "my papers").mkdir()
    done = snakemake("-n", "convert_corpus", "--config", "corpus=my papers", "shards=3", "model=sft")
    counts = jobs(done)
    assert counts["convert_shard"] == 3 and counts["sft"] == 1
    assert not {"grpo", "soup", "quantize", "bench_read", "report"} & set(counts)
    plan = next(line for line in (done.stdout + done.stderr).splitlines() if "plan_corpus.py" in line)
    assert "--corpus 'my papers' --shards 3 --out 'results/corpus/my papers/plan.parquet'" in plan


def test_commands_do_not_grow_with_the_shards(snakemake: Runner, project: Path) -> None:
    """A command line holds 128 KiB; the receipts of 5,000 shards would not fit."""
    (project / "papers").mkdir()
    done = snakemake("-n", "convert_corpus", "--config", "corpus=papers", "shards=60", "model=sft")
    assert jobs(done)["convert_shard"] == 60
    lines = (done.stdout + done.stderr).splitlines()
    for script in ("corpus_outputs.py", "corpus_report.py"):
        (command,) = [line for line in lines if f"workflow/scripts/{script} " in line]
        assert "--receipts results/corpus/papers/shards --shards 60 " in command and "59.json" not in command


@pytest.mark.parametrize("model", ["http://localhost:9/v1", "hub:org/name@0123abc"])
def test_a_model_from_elsewhere_trains_nothing(snakemake: Runner, model: str) -> None:
    done = snakemake("-n", "--config", f"model={model}", "adapter=qwen2.5-vl")
    counts = jobs(done)
    assert not set(TRAINING) & set(counts)
    assert (counts["external"], counts["bench_read"], counts["convert_shard"]) == (1, 1, 2)
    text = done.stdout + done.stderr
    assert "--out results/external/bench.json" in text
    assert text.count(f"--model {model} --adapter qwen2.5-vl --threads 1") == 3


@pytest.mark.parametrize("command", [("--dag", "mermaid-js"), ("--rulegraph", "mermaid-js")])
def test_graphs_are_drawn_on_a_clean_output(snakemake: Runner, command: tuple[str, str]) -> None:
    done = snakemake(*command)
    assert done.returncode == 0, done.stderr
    assert done.stdout.lstrip().startswith(("---", "flowchart"))
    assert "bench_score" in done.stdout or "Score" in done.stdout


def refusal(snakemake: Runner, *arguments: str) -> str:
    """The error of a launch that stops before its first job: short, and no traceback of Python's."""
    done = snakemake(*arguments)
    text = done.stdout + done.stderr
    assert done.returncode == 1
    assert "WorkflowError" in text and "Traceback" not in text and len(text.splitlines()) < 40
    return text


def test_an_unknown_key_and_a_missing_corpus_are_named(snakemake: Runner) -> None:
    assert "--config: corpis: unknown key; did you mean corpus?" in refusal(
        snakemake, "-n", "--config", "corpis=x"
    )
    assert "--config: corpus: no folder 'nowhere'" in refusal(snakemake, "-n", "--config", "corpus=nowhere")


def test_nothing_to_convert_is_said_only_to_who_asks(snakemake: Runner) -> None:
    arguments = ("--config", "recipe=olmocr-2-7b")
    assert "convert_shard" not in jobs(snakemake("-n", *arguments))
    done = snakemake("-n", "convert_corpus", *arguments)
    assert (
        done.returncode == 1
        and "config: corpus: the recipe generates none; name a folder" in done.stdout + done.stderr
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sft": {"parent": "pretrian"}}, "stages.sft.parent: no stage 'pretrian'; did you mean pretrain?"),
        ({"pretrain": {"parent": "sft"}}, "recipe tiny: stages form a circle: "),
    ],
)
def test_a_broken_graph_is_named(snakemake: Runner, project: Path, changes: dict, words: str) -> None:
    recipe = yaml.safe_load((project / "config/recipes/tiny.yaml").read_text(encoding="utf-8"))
    for stage, fields in changes.items():
        recipe["stages"][stage] |= fields
    (project / "mine.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False), encoding="utf-8")
    assert words in refusal(snakemake, "-n", "--config", "recipe=mine.yaml")


def test_a_sites_file_beats_the_profile(snakemake: Runner, project: Path) -> None:
    recipe = yaml.safe_load((project / "config/recipes/olmocr-2-7b.yaml").read_text(encoding="utf-8"))
    recipe["stages"]["grpo_token"]["seeds"] = [5]
    recipe["stages"]["soup"]["parents"] = ["grpo_token"]
    del recipe["stages"]["grpo_sequence"]
    (project / "cut.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False), encoding="utf-8")
    (project / "config" / "site.yaml").write_text("recipe: cut.yaml\n", encoding="utf-8")
    assert jobs(snakemake("--profile", "slurm", "-n", "results/soup/bench.json"))["grpo"] == 1


def test_another_recipes_folder_is_refused_and_a_dry_run_warns(snakemake: Runner, project: Path) -> None:
    (project / "results").mkdir()
    owner = project / "results" / "recipe.json"
    owner.write_text(json.dumps({"recipe": "other"}), encoding="utf-8")
    done = snakemake("-n", "results/base/stage.yaml")
    assert jobs(done)["stage"] == 1
    assert "this folder holds the results of recipe 'other', not 'tiny'" in done.stdout
    assert "recipe 'other', not 'tiny'" in refusal(snakemake, "results/base/stage.yaml")
    assert not (project / "results" / "base").exists()
    assert json.loads(owner.read_text(encoding="utf-8")) == {"recipe": "other"}


def test_a_corpus_behind_a_uri(snakemake: Runner) -> None:
    done = snakemake("-n", "convert_corpus", "--config", "corpus=s3://bucket/in/*.pdf", "model=sft")
    text = done.stdout + done.stderr
    assert done.returncode == 0, text
    assert "--corpus 's3://bucket/in/*.pdf'" in text and "results/corpus/bucket-in-.pdf/plan.parquet" in text


def test_soups_of_every_kind_and_schemes_of_the_compressor_resolve(snakemake: Runner, project: Path) -> None:
    path = project / "config" / "recipes" / "tiny.yaml"
    recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    dev = {"source": "primer", "split": "dev"}
    small = {"threads": 1, "mem_mb": 2000, "runtime": "10m"}
    two = ["grpo_token", "grpo_sequence"]
    recipe["stages"] |= {
        "best": {"method": "soup", "parents": two, "greedy": True, "eval_data": [dev], "resources": small},
        "task": {"method": "soup", "base": "sft", "parents": two, "alphas": [0.5, 1.0], "resources": small},
        "tail": {"method": "soup", "parents": ["grpo_token-1"], "last": 2, "resources": small},
        "int8": {
            "method": "quantize",
            "parent": "soup",
            "scheme": "W8A8",
            "calibration": dev | {"rows": 8},
            "resources": small,
        },
    }
    path.write_text(yaml.safe_dump(recipe, sort_keys=False), encoding="utf-8")
    done = snakemake("-n", "-p", "--config", "results=sweep")
    counts = jobs(done)
    assert (counts["soup"], counts["greedy_soup"], counts["quantize"], counts["compress"]) == (4, 1, 1, 1)
    assert counts["verify"] == 7 + 5
    text = done.stdout + done.stderr
    assert "--pages sweep/pages/primer/dev --adapter tiny --threads 1" in text
    assert "--state sweep/grpo_token-1/state" in text
    assert "--pages sweep/pages/primer/dev --model sweep/int8/model" in text
