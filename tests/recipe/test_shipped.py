"""Every shipped recipe: its configs build, its batches come out at the steps of the runs it stands for."""

import re
from pathlib import Path

import pytest

from scriptorium.errors import ConfigError
from scriptorium.recipe.arithmetic import batch_of, rows_of
from scriptorium.recipe.launch import FOLDER, launch_line
from scriptorium.recipe.plan import Run, make_plan
from scriptorium.recipe.recipe import Recipe, load
from scriptorium.serve.adapter import load as load_adapter

from .test_recipe import ROOT, small

RECIPES = sorted(path.stem for path in (ROOT / "config" / "recipes").glob("*.yaml"))


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def runs_of(name: str, *methods: str) -> dict[str, Run]:
    return {run: found for run, found in make_plan(load(name)).items() if found.method in methods}


@pytest.mark.parametrize("name", RECIPES)
def test_its_adapter_is_there_and_every_job_can_be_launched(name: str) -> None:
    recipe = load(name)
    load_adapter(recipe.model)
    for run in make_plan(recipe).values():
        need = run.resources
        line = launch_line(["train.py"], need.gpus, need.nodes, need.vllm_gpus, need.accelerate)
        assert "train.py" in " ".join(line)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_accelerate_reads_its_files(path: Path) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    config = load_config_from_file(str(path))
    assert config.mixed_precision == "bf16" and config.num_machines == 1
    assert ("deepspeed_config" in config.to_dict()) == path.stem.startswith("zero")


@pytest.mark.parametrize("name", RECIPES)
def test_the_arguments_of_our_loop_build(name: str) -> None:
    from scriptorium.train.arguments import Arguments

    for run in runs_of(name, "pretrain", "sft").values():
        made = Arguments.of({"seed": run.seed or 0} | run.args, f"stage {run.stage}")
        batch = batch_of(load(name), run)
        assert batch is not None and batch.pages == made.pages(batch.processes)
        if batch.rows:
            assert batch.steps == made.steps(batch.rows, batch.processes)


@pytest.mark.parametrize("name", RECIPES)
def test_the_configs_of_trl_build(name: str, tmp_path: Path) -> None:
    found = runs_of(name, "grpo")
    if not found:
        pytest.skip(f"{name} has no grpo stage")
    from scriptorium.train.grpo import make_config

    for run in found.values():
        config = make_config(run, tmp_path, [1.0] * len(run.rewards))
        for key in ("max_steps", "num_generations", "temperature", "learning_rate", "loss_type", "beta"):
            assert getattr(config, key) == run.args.get(key, getattr(config, key))


def test_the_fine_tuning_of_olmocr_2_takes_the_steps_of_the_published_base() -> None:
    recipe = load("olmocr-2-7b")
    run = make_plan(recipe)["sft"]
    batch = batch_of(recipe, run)
    assert batch is not None
    assert (batch.pages, batch.steps, rows_of(recipe, run)) == (32, 8372, 267_962)
    assert batch.epochs == pytest.approx(0.9998, abs=1e-4)


def test_each_seed_of_olmocr_2_takes_306_steps_of_seven_pages() -> None:
    recipe = load("olmocr-2-7b")
    for run in runs_of("olmocr-2-7b", "grpo").values():
        batch = batch_of(recipe, run)
        assert batch is not None
        assert (batch.processes, batch.pages, batch.answers, batch.steps) == (7, 7, 28, 306)
        assert batch.samples == 196 and batch.steps * batch.pages == 2142


def test_steps_of_tiny_are_those_of_trl(tmp_path: Path) -> None:
    """TRL's own sampler and the trainer's own rule of steps, against ours."""
    import math

    from trl.trainer.utils import RepeatSampler

    from scriptorium.train.grpo import make_config

    recipe = load("tiny")
    for extra in (
        {},
        {"steps_per_generation": 4, "gradient_accumulation_steps": 4},
        {"num_iterations": 2},
        {"gradient_accumulation_steps": 3, "steps_per_generation": 2},
    ):
        run = runs_of("tiny", "grpo")["grpo_lora"]
        run = run.model_copy(update={"args": run.args | extra | {"max_steps": -1, "num_train_epochs": 2}})
        config = make_config(run, tmp_path, [1.0, 1.0, 1.0])
        sampler = RepeatSampler(
            data_source=range(800),
            mini_repeat_count=config.num_generations,
            batch_size=config.generation_batch_size // config.num_generations,
            repeat_count=config.num_iterations * config.steps_per_generation,
        )
        batches = len(sampler) // (config.per_device_train_batch_size * config.steps_per_generation)
        batch = batch_of(recipe, run)
        assert batch is not None
        assert batch.steps == math.ceil(2 * math.ceil(batches / config.gradient_accumulation_steps))


def test_a_batch_that_is_no_whole_number_of_prompts_is_refused() -> None:
    values = small()
    values["stages"]["rl"]["args"] = {"per_device_train_batch_size": 6, "num_generations": 4}
    recipe = Recipe(**values)
    with pytest.raises(ConfigError, match=r"stages\.rl\.args: .* 6 answers .* no multiple of .* 4"):
        batch_of(recipe, make_plan(recipe)["rl-1"])


def test_shares_and_numbers_of_rows_and_pages_nobody_has_counted() -> None:
    values = small()
    data = values["stages"]["rl"]["data"]
    for amount, rows in ((1.0, 4), (0.5, 2), (3, 3)):
        data[0]["amount"] = amount
        recipe = Recipe(**values)
        assert rows_of(recipe, make_plan(recipe)["rl-1"]) == rows
    values["sources"]["primer"] = {"folder": "somewhere"}
    data[0]["amount"] = 1.0
    recipe = Recipe(**values)
    run = make_plan(recipe)["rl-1"]
    batch = batch_of(recipe, run)
    assert batch is not None and batch.rows is batch.steps is batch.epochs is None


@pytest.mark.parametrize("name", RECIPES)
def test_what_departs_from_the_source_is_said_and_parents_are_pinned_or_explained(name: str) -> None:
    recipe = load(name)
    assert recipe.note and recipe.fidelity
    for run in make_plan(recipe).values():
        for parent in run.parents:
            if parent.startswith("hub:"):
                assert re.search(r"@[0-9a-f]{40}$", parent) or "commit" in recipe.note, parent
