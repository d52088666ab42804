"""A recipe laid over another: what it changes, what it leaves, what it may not say."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.errors import ConfigError
from scriptorium.recipe.lineage import varied
from scriptorium.recipe.overlay import merged
from scriptorium.recipe.plan import make_plan, run_text
from scriptorium.recipe.recipe import load

from .test_recipe import ROOT, small

ABLATIONS = sorted((ROOT / "config" / "ablations").glob("*.yaml"))


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(ROOT)
    path = tmp_path / "base.yaml"
    path.write_text(yaml.safe_dump(small()), encoding="utf-8")
    return path


def over(base: Path, **values: object) -> Path:
    path = base.with_name("over.yaml")
    path.write_text(yaml.safe_dump({"over": str(base), **values}), encoding="utf-8")
    return path


def test_a_variant_is_a_stage_beside_the_one_it_varies(base: Path) -> None:
    path = over(base, variants={"rl_free": {"of": "rl", "args": {"beta": 0.0}, "rewards": {"eos": 1.0}}})
    recipe = load(str(path))
    plain, plan = make_plan(load(str(base))), make_plan(recipe)
    assert {name: run_text(run) for name, run in plan.items() if name in plain} == {
        name: run_text(run) for name, run in plain.items()
    }
    assert [name for name in plan if name not in plain] == ["rl_free-1", "rl_free-2"]
    assert plan["rl_free-1"].args == {"beta": 0.0}
    assert plan["rl_free-1"].rewards == {"bench": 1.0, "eos": 1.0}
    assert recipe.name == "small" and recipe.variants == {"rl_free": "rl"}
    assert varied(recipe.variants, plan) == [("rl_free-1", "rl-1"), ("rl_free-2", "rl-2")]


def test_other_keys_are_merged_and_null_takes_one_out(base: Path) -> None:
    recipe = load(str(over(base, name="other", stages={"fp8": None, "rl": {"seeds": [7]}})))
    assert recipe.name == "other" and list(recipe.stages) == ["base", "rl", "soup"]
    assert recipe.stages["rl"].seeds == [7] and recipe.variants == {}


@pytest.mark.parametrize(
    ("variants", "words"),
    [
        ({"x": {"of": "rll"}}, r"over\.yaml: variants\.x\.of: no stage 'rll'; did you mean rl"),
        ({"x": {"args": {}}}, r"variants\.x: needs `of`"),
        ({"soup": {"of": "rl"}}, r"variants\.soup: a stage has that name"),
        ({"x": {"of": "rl", "sedes": [1]}}, r"stages\.x\.sedes: unknown key; did you mean seeds"),
    ],
)
def test_what_cannot_be_is_refused_by_file_and_key(base: Path, variants: dict, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load(str(over(base, variants=variants)))


def test_no_recipe_is_laid_over_one_that_is(base: Path) -> None:
    first = over(base)
    second = base.with_name("second.yaml")
    second.write_text(f"over: {first}", encoding="utf-8")
    with pytest.raises(ConfigError, match="is itself laid over"):
        load(str(second))


leaves = st.integers() | st.text() | st.lists(st.integers())
trees = st.recursive(leaves, lambda inner: st.dictionaries(st.text(max_size=3), inner, max_size=3))
mappings = st.dictionaries(st.text(max_size=3), trees, max_size=4)


@given(mappings, mappings)
def test_merging_again_changes_nothing_and_nothing_is_lost(base: dict, changes: dict) -> None:
    once = merged(base, changes)
    assert merged(once, changes) == once
    assert merged(base, {}) == base
    assert set(once) == set(base) | set(changes)


@pytest.mark.parametrize("path", ABLATIONS, ids=lambda path: path.stem)
@pytest.mark.parametrize("recipe", ["tiny", "olmocr-2-7b"])
def test_shipped_ablations_lie_over_both_recipes(
    path: Path, recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    only_tiny = {"soup", "data-share", "pretraining"}  # their stages and sources are tiny's
    if recipe != "tiny" and path.stem in only_tiny:
        return
    copy = tmp_path / path.name
    copy.write_text(yaml.safe_dump(values | {"over": recipe}), encoding="utf-8")
    laid = load(str(copy))
    plan = make_plan(laid)
    found = varied(laid.variants, plan)
    assert {plan[variant].stage for variant, _ in found} == set(laid.variants)
    for variant, base in found:
        assert run_text(plan[variant]) != run_text(plan[base]).replace(base, variant)
