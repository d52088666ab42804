"""Recipe to runs: names, seeds, parents, and graphs that are refused."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.errors import ConfigError
from scriptorium.recipe import lineage
from scriptorium.recipe.options import Resources
from scriptorium.recipe.plan import hub_folder, hub_model, make_plan, read_run, run_text, write_run
from scriptorium.recipe.recipe import Recipe
from scriptorium.recipe.typed import read

from .test_recipe import ROOT, small


def shipped(name: str) -> Recipe:
    return read(Recipe, ROOT / "config" / "recipes" / f"{name}.yaml")


def plan_of(**stages: dict | None):
    """The plan of the small recipe with some stages changed, added or (None) taken out."""
    values = small()
    for name, stage in stages.items():
        values["stages"].pop(name, None)
        if stage is not None:
            values["stages"][name] = stage
    return make_plan(Recipe(**values))


def merged(parent: str) -> dict:
    return {"method": "merge", "parent": parent}


def quantised(parent: str) -> dict:
    return {"fp8": {"method": "quantize", "parent": parent}}


def souped(*parents: str, **fields) -> dict:
    return {"soup": {"method": "soup", "parents": list(parents), **fields}, "fp8": None}


def test_the_runs_of_tiny() -> None:
    plan = make_plan(shipped("tiny"))
    assert list(plan) == [
        "base",
        "pretrain",
        "sft",
        "grpo_token-1",
        "grpo_sequence-1",
        "grpo_lora",
        "merged",
        "soup",
        "fp8",
    ]
    assert plan["soup"].parents == ["grpo_token-1", "grpo_sequence-1", "merged"]
    assert all(run.resources.gpus == 0 for run in plan.values())


def test_the_runs_of_olmocr_2() -> None:
    plan = make_plan(shipped("olmocr-2-7b"))
    seeds = [f"grpo_{level}-{seed}" for level in ("token", "sequence") for seed in (1, 2, 3)]
    assert list(plan) == ["sft", *seeds, "soup", "fp8"]
    assert plan["soup"].parents == seeds
    assert {plan[name].args["temperature"] for name in seeds} == {0.7}
    assert {plan[name].args["max_completion_length"] for name in seeds} == {3000}
    assert all(plan[name].resources.gpus for name in ["sft", *seeds])


def test_a_seed_is_the_runs_own_and_no_argument() -> None:
    plan = plan_of()
    assert [plan[name].seed for name in ("rl-1", "rl-2")] == [1, 2]
    assert plan["rl-1"].args == plan["rl-2"].args == {}
    base = plan_of(base={"method": "init", "config": {"a": 1}, "args": {"seed": 7}})["base"]
    assert (base.seed, base.args) == (7, {})


def test_the_stage_file_holds_the_run_but_for_its_resources(tmp_path: Path) -> None:
    run = make_plan(shipped("tiny"))["pretrain"]
    write_run(tmp_path / "stage.yaml", run)
    again = read_run(tmp_path / "stage.yaml")
    assert again == run.model_copy(update={"resources": Resources()})
    assert run_text(run) == run_text(run.model_copy(update={"resources": Resources(threads=9)}))
    assert run_text(run) != run_text(run.model_copy(update={"seed": 2}))


@pytest.mark.parametrize("name", ["tiny", "olmocr-2-7b"])
def test_the_same_recipe_gives_the_same_bytes(name: str) -> None:
    texts = [[run_text(run) for run in make_plan(shipped(name)).values()] for _ in range(2)]
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        (quantised("suop"), r"stages\.fp8\.parent: no stage 'suop'; did you mean soup"),
        (quantised("rl"), r"'rl' has the runs rl-1, rl-2; name one"),
        (souped("rl-3"), r"stages\.soup\.parents: no stage 'rl-3'; did you mean rl"),
        (souped("rl", weights=[1.0]), r"stages\.soup\.weights: 1 for 2 parents"),
        ({"a": merged("b"), "b": merged("a")}, "circle: (a -> b -> a|b -> a -> b)"),
        ({"a": merged("a")}, "circle: a -> a"),
        ({"a-1": merged("base")}, r"stages\.a-1: not a stage's name"),
        ({"external": merged("base")}, r"stages\.external: not a stage's name"),
        ({"merged": merged("base")}, "base is a whole model, nothing to merge"),
    ],
)
def test_a_graph_that_cannot_be_is_refused(stages: dict, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        plan_of(**stages)


def test_unknown_data_is_refused_with_the_nearest_name() -> None:
    values = small()
    values["stages"]["rl"]["data"] = [{"source": "primmer", "split": "rl"}]
    with pytest.raises(ConfigError, match=r"stages\.rl\.data: no source 'primmer'; did you mean primer"):
        make_plan(Recipe(**values))
    values["stages"]["rl"]["data"] = [{"source": "primer", "split": "rll"}]
    with pytest.raises(ConfigError, match="has no split 'rll'; did you mean rl"):
        make_plan(Recipe(**values))
    values = small() | {"bench": {"source": "primer", "split": "bnech"}}
    with pytest.raises(ConfigError, match=r"bench: source 'primer' has no split 'bnech'; did you mean bench"):
        make_plan(Recipe(**values))


def test_whole_models_are_told_from_adapters() -> None:
    plan = make_plan(shipped("tiny"))
    assert [name for name in plan if not lineage.is_full(plan, name)] == ["grpo_lora"]
    assert lineage.base_of(plan, "grpo_lora") == "sft"


def test_a_soup_of_adapters_is_refused() -> None:
    lora = {**small()["stages"]["rl"], "adapter": {"r": 1, "lora_alpha": 1, "merge": False}}
    with pytest.raises(ConfigError, match="rl-1 is an adapter; merge it first"):
        plan_of(rl=lora, soup=small()["stages"]["soup"], fp8=small()["stages"]["fp8"])


def test_a_soup_is_compared_with_parent_ingredients_and_its_quantised_self() -> None:
    plan = make_plan(shipped("tiny"))
    assert lineage.relatives(plan, "soup") == [
        ("parent", "sft"),
        ("ingredient", "grpo_token-1"),
        ("ingredient", "grpo_sequence-1"),
        ("ingredient", "merged"),
        ("quantised", "fp8"),
    ]
    assert all(not lineage.relatives(plan, name) for name in [*plan, "external"] if name != "soup")


def test_ingredients_of_different_parents_have_none_in_common() -> None:
    stages = {
        "other": {"method": "init", "config": {"a": 1}},
        "rl2": {**small()["stages"]["rl"], "parent": "other", "seeds": []},
        "soup": {"method": "soup", "parents": ["rl", "rl2"]},
    }
    relations = [relation for relation, _ in lineage.relatives(plan_of(**stages), "soup")]
    assert relations == ["ingredient", "ingredient", "ingredient", "quantised"]


@given(
    st.from_regex(
        r"[A-Za-z0-9]+(-[A-Za-z0-9]+)?/[A-Za-z0-9][A-Za-z0-9._-]*(@[0-9a-f]{7,40})?", fullmatch=True
    )
)
def test_a_hub_models_folder_leads_back_to_it(name: str) -> None:
    assert "/" not in hub_folder(f"hub:{name}")
    assert hub_model(hub_folder(f"hub:{name}")) == f"hub:{name}"


def test_every_alpha_of_a_sweep_is_a_run_from_the_base() -> None:
    plan = plan_of(**souped("rl", base="base", alphas=[0.1, 1.0]))
    assert plan["soup-0.1"].alpha == 0.1 and plan["soup-1"].alpha == 1.0
    assert plan["soup-0.1"].parents == ["base", "rl-1", "rl-2"]
    assert lineage.relatives(plan, "soup-1")[0] == ("parent", "base")
    assert read_back(plan["soup-0.1"]) == plan["soup-0.1"]


def read_back(run):
    return type(run).model_validate(yaml.safe_load(run_text(run)))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"alphas": [0.5]}, "needs `base` and `alphas` together"),
        ({"base": "rl", "alphas": [0.5]}, "has the runs rl-1, rl-2; name one of them"),
        ({"greedy": True}, "needs one entry of `eval_data`"),
        ({"last": 3, "weights": [1.0, 1.0]}, "has `weights` or chooses by itself"),
        ({"base": "base", "alphas": [0.5, 0.5]}, "names an alpha twice"),
    ],
)
def test_soups_that_cannot_be_are_refused(fields: dict, words: str) -> None:
    with pytest.raises((ConfigError, ValueError), match=words):
        plan_of(**souped("rl", **fields))


def test_only_grpo_keeps_checkpoints_for_a_soup() -> None:
    assert plan_of(**souped("rl-1", last=3))["soup"].last == 3
    with pytest.raises(ConfigError, match="average_last of their own"):
        plan_of(**souped("base", last=3))


def test_stages_without_new_fields_have_the_text_they_had() -> None:
    text = run_text(plan_of(**souped("rl"))["soup"])
    assert not {"alpha", "greedy", "last"} & set(yaml.safe_load(text))


RL = {**small()["stages"]["rl"], "seeds": []}
SFT = {**RL, "method": "sft", "rewards": {}}


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ({**RL, "max_tokens": 9}, r"rl\.max_tokens: grpo does not carry it out, only pretrain, sft"),
        ({**RL, "curriculum": {"groups": ["a"]}}, r"rl\.curriculum: grpo does not"),
        ({**RL, "eval_data": RL["data"], "stop": {"every": 2}}, r"rl\.stop: grpo does not"),
        ({**RL, "freeze": ["vision"]}, r"rl\.freeze: grpo does not"),
        ({**RL, "scheme": "W8A8"}, r"rl\.scheme: grpo does not"),
        ({**RL, "modality": "text"}, "write modality: vision"),
        ({**SFT, "reward_scale": 2.0}, r"rl\.reward_scale: sft does not"),
        ({**SFT, "resources": {"gpus": 2, "vllm_gpus": 1}}, r"vllm_gpus: only grpo generates"),
        ({**SFT, "resources": {"gpus": 2, "accelerate": "zero2"}}, "write fsdp2"),
        ({**SFT, "method": "filter", "sampling": {}, "args": {"temperature": 1.0}}, "takes `seed` alone"),
        ({**SFT, "method": "filter", "sampling": {}, "model_args": {"dtype": "bfloat16"}}, "filter does not"),
    ],
)
def test_what_a_method_would_pass_over_is_refused(stage: dict, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        plan_of(rl=stage, soup=None, fp8=None)


def test_prompts_have_a_bound_where_they_are_learnt_from() -> None:
    plan = plan_of(rl={**RL, "max_prompt_tokens": 9}, soup=None, fp8=None)
    assert plan["rl"].max_prompt_tokens == 9
