"""A recipe says what it means, or is refused in a line that names file, key and the nearest known name."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from scriptorium.errors import ConfigError
from scriptorium.recipe.options import Resources
from scriptorium.recipe.recipe import Recipe, Split, load
from scriptorium.recipe.typed import parse, read

ROOT = Path(__file__).parents[2]


def small() -> dict[str, Any]:
    """A recipe of four stages that holds."""
    training = {
        "method": "grpo",
        "modality": "vision",
        "parent": "base",
        "data": [{"source": "primer", "split": "rl"}],
        "rewards": {"bench": 1.0},
    }
    return {
        "name": "small",
        "model": "tiny",
        "sources": {"primer": {"synth": "primer", "splits": {"rl": {"pages": 4}, "bench": {"pages": 2}}}},
        "bench": {"source": "primer", "split": "bench"},
        "stages": {
            "base": {"method": "init", "config": {"model_type": "qwen2_5_vl"}},
            "rl": {**training, "seeds": [1, 2]},
            "soup": {"method": "soup", "parents": ["rl"]},
            "fp8": {"method": "quantize", "parent": "soup"},
        },
    }


def refused(values: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as error:
        parse(Recipe, values, "small.yaml")
    return str(error.value)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "config" / "recipes").glob("*.yaml")), ids=lambda path: path.stem
)
def test_shipped_recipes_are_named_after_their_files(path: Path) -> None:
    assert read(Recipe, path).name == path.stem


def test_an_unknown_key_is_named_with_its_path_and_the_nearest_known_one() -> None:
    values = small()
    values["stages"]["rl"]["reward"] = {}
    assert refused(values) == "small.yaml: stages.rl.reward: unknown key; did you mean rewards?"
    values = small()
    values["sources"]["primer"]["splits"]["rl"]["page"] = 3
    assert refused(values) == "small.yaml: sources.primer.splits.rl.page: unknown key; did you mean pages?"
    values = small()
    values["modle"] = "tiny"
    assert refused(values) == "small.yaml: modle: unknown key; did you mean model?"


def test_every_fault_has_a_line_of_its_own() -> None:
    values = small()
    del values["model"]
    values["stages"]["base"]["method"] = "pretrian"
    lines = refused(values).splitlines()
    assert lines[0] == "small.yaml: model: missing"
    assert lines[1].startswith("small.yaml: stages.base.method: ") and "'pretrian'" in lines[1]


@pytest.mark.parametrize(
    ("stage", "changes", "words"),
    [
        ("base", {"parent": "rl"}, "needs a `parent`; only init has none"),
        ("base", {"config": {}}, "needs `config`"),
        ("rl", {"parent": None}, "needs a `parent`"),
        ("rl", {"data": []}, "needs `data`"),
        ("rl", {"rewards": {}}, "needs `rewards`"),
        ("rl", {"seeds": [1, 1]}, "names a seed twice"),
        ("rl", {"args": {"seed": 3}}, "has `seeds` and args.seed"),
        ("rl", {"method": "sft", "rewards": {}, "engine": "verl"}, "cannot use verl"),
        ("rl", {"stop": {"above": 50.0, "every": 5}}, "`stop` but no `eval_data`"),
        ("rl", {"parents": ["base"]}, "only a soup has `parents`"),
        ("soup", {"parents": []}, "needs `parents`"),
        ("fp8", {"seeds": [1]}, "has no `seeds`"),
    ],
)
def test_a_method_gets_what_it_needs_and_nothing_else(
    stage: str, changes: dict[str, Any], words: str
) -> None:
    values = small()
    parse(Recipe, values, "small.yaml")
    values["stages"][stage] |= changes
    assert words in refused(values)
    assert f"stages.{stage}: " in refused(values)


def test_a_number_that_yaml_reads_as_text_is_refused() -> None:
    values = small()
    values["stages"]["rl"]["args"] = yaml.safe_load("{learning_rate: 1e-6}")
    assert "learning_rate is the text '1e-6'" in refused(values) and "1.0e-6" in refused(values)
    values["stages"]["rl"]["args"] = yaml.safe_load("{learning_rate: 1.0e-6, loss_type: bnpo}")
    assert parse(Recipe, values, "small.yaml").stages["rl"].args["learning_rate"] == 1e-6


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"synth": "primer"}, "needs splits"),
        ({"hub": "org/name", "kind": "pairs"}, "needs revision"),
        ({"hub": "org/name", "revision": "main", "kind": "pairs"}, "revision"),
        ({"folder": "a", "synth": "primer"}, "exactly one"),
        ({}, "exactly one"),
        ({"folder": "a", "splits": {"x": {"pages": 1}}}, "generated source only"),
        ({"synth": "primer", "splits": {"x": {"pages": 1, "shards": 2}}}, "2 shards for 1 pages"),
        ({"rows": "a", "filters": ["rotated"]}, "go through no filters"),
    ],
)
def test_a_source_has_one_origin_and_what_belongs_to_it(source: dict[str, Any], words: str) -> None:
    values = small()
    values["sources"]["other"] = source
    assert words in refused(values) and "sources.other" in refused(values)


def test_amounts_tell_shares_from_rows() -> None:
    values = small()
    data = values["stages"]["rl"]["data"][0]
    for amount, kind in ((1, int), (1.0, float), (0.5, float), (30, int)):
        data["amount"] = amount
        assert type(parse(Recipe, values, "small.yaml").stages["rl"].data[0].amount) is kind
    data["amount"] = 1.5
    assert "share above 1" in refused(values)


def test_shards_share_out_every_page() -> None:
    split = Split(pages=11, shards=4)
    assert [split.pages_of(shard) for shard in range(4)] == [3, 3, 3, 2]


def test_wall_times_are_minutes_and_a_gpu_is_left_to_train() -> None:
    assert [Resources(runtime=text).minutes for text in ("30m", "4h", "2d")] == [30, 240, 2880]
    with pytest.raises(ValueError, match="none is left to train"):
        Resources(gpus=1, vllm_gpus=1)


def test_a_recipe_that_is_not_there_is_named_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(ConfigError, match="did you mean tiny"):
        load("tinny")
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: [", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"broken\.yaml: not YAML"):
        load(str(broken))
    broken.write_text("- a list", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"broken\.yaml: expected a mapping"):
        load(str(broken))
