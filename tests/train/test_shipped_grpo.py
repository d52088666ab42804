"""The shipped recipes' reinforcement: the final arguments say what was asked, as run and as one would now."""

from pathlib import Path

import pytest

from scriptorium.recipe.plan import Run, make_plan
from scriptorium.recipe.recipe import load
from scriptorium.train import grpo
from scriptorium.train.rewards.functions import options

ROOT = Path(__file__).parents[2]
RECIPES = sorted(path.stem for path in (ROOT / "config" / "recipes").glob("*.yaml"))


def reinforced(recipe: str) -> list[Run]:
    """The runs of a recipe that reinforce."""
    plan = make_plan(load(str(ROOT / "config" / "recipes" / f"{recipe}.yaml")))
    return [run for run in plan.values() if run.method == "grpo"]


@pytest.mark.parametrize("recipe", RECIPES)
def test_its_arguments_are_what_trl_makes_of_them(recipe: str, tmp_path: Path) -> None:
    for run in reinforced(recipe):
        rewards = options(run.rewards, run.name)
        made = grpo.make_config(run, tmp_path, [each.weight for each in rewards.values()])
        assert {name: getattr(made, name) for name in run.args} == run.args
        assert made.seed == made.data_seed == run.seed or run.seed is None


def test_olmocr_2_is_as_it_was_run(tmp_path: Path) -> None:
    """Six seeds of 306 steps, each of 7 pages with 28 answers: 2,142 of 2,186 pages (25 September 2025)."""
    runs = reinforced("olmocr-2-7b")
    assert [(run.seed, run.args["importance_sampling_level"]) for run in runs] == [
        (seed, level) for level in ("token", "sequence") for seed in (1, 2, 3)
    ]
    for run in runs:
        made = grpo.make_config(run, tmp_path, [1.0, 1.0, 1.0])
        training = run.resources.gpus - run.resources.vllm_gpus
        answers = training * made.per_device_train_batch_size * made.gradient_accumulation_steps
        assert answers == 196
        assert answers // made.num_generations * made.max_steps == 2142
        assert made.per_device_train_batch_size * made.steps_per_generation == made.num_generations
        assert {name: getattr(made, name) for name in AS_RUN} == AS_RUN
        assert all(each.published for each in options(run.rewards, run.name).values())


AS_RUN = {
    "learning_rate": 2.0e-6,
    "lr_scheduler_type": "linear",
    "warmup_steps": 100,
    "max_steps": 306,
    "temperature": 0.7,
    "top_p": 1.0,
    "max_completion_length": 3000,
    "num_generations": 28,
    "num_iterations": 1,
    "beta": 0.01,
    "loss_type": "bnpo",
    "scale_rewards": "group",
    "use_bias_correction_kl": False,
    "vllm_importance_sampling_correction": False,
}
"""From the runs' own arguments; two later defaults of TRL are switched off."""
