"""The graph of jobs of every shipped recipe, and of an ablation."""

from pathlib import Path

import pytest

from .conftest import ROOT, Runner, jobs

FOLDERS = {
    "olmocr-0725": ("data/olmocr-mix-0225/train", "data/olmocr-mix-0225/eval"),
    "olmocr-0825": ("data/olmocr-mix-0225/train", "data/olmocr-mix-0225/eval"),
    "finetune-lora": ("my-pages/train", "my-pages/dev", "my-pages/bench"),
    "finetune-chandra": ("my-pages/train", "my-pages/dev", "my-pages/bench"),
}
"""What someone has to have before a recipe can start."""

EXPECTED = {
    "olmocr-0725": {"sft": 1, "quantize": 1, "fetch_model": 1, "fetch": 1, "bench_score": 2, "pack": 2},
    "finetune-lora": {"sft": 1, "merge": 1, "quantize": 1, "fetch_model": 1, "bench_score": 2, "pack": 2},
}
EXPECTED |= {"olmocr-0825": EXPECTED["olmocr-0725"], "finetune-chandra": EXPECTED["finetune-lora"]}
RECIPES = sorted(path.stem for path in (ROOT / "config" / "recipes").glob("*.yaml"))


@pytest.mark.parametrize("name", RECIPES)
def test_its_graph_resolves(name: str, project: Path, snakemake: Runner) -> None:
    for folder in FOLDERS.get(name, ()):
        (project / folder).mkdir(parents=True)
    counts = jobs(snakemake("-n", "--config", f"recipe={name}", "results=new"))
    expected = EXPECTED.get(name, {"all": 1})
    assert {rule: counts[rule] for rule in expected} == expected


def test_an_ablation_is_one_command_and_shares_what_both_descend_from(snakemake: Runner) -> None:
    counts = jobs(snakemake("-n", "ablation", "--config", "recipe=config/ablations/frozen-vision.yaml"))
    expected = {"ablation_table": 1, "pretrain": 1, "sft": 2, "bench_score": 2, "init": 1}
    assert {rule: counts[rule] for rule in expected} == expected
    assert not {"grpo", "soup", "report"} & set(counts)


def test_a_recipe_that_varies_nothing_has_no_table(snakemake: Runner) -> None:
    done = snakemake("-n", "ablation")
    assert done.returncode != 0 and "name one of config/ablations" in done.stdout + done.stderr
