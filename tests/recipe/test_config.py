"""The config in force: what lies over what, and what a launch works on."""

import json
from pathlib import Path

import pytest

from scriptorium.errors import ConfigError
from scriptorium.recipe import claim, environments, schema
from scriptorium.recipe.choice import choose
from scriptorium.recipe.config import Config, load_config
from scriptorium.recipe.plan import make_plan
from scriptorium.recipe.recipe import Recipe
from scriptorium.recipe.typed import read

ROOT = Path(__file__).parents[2]
TINY = read(Recipe, ROOT / "config" / "recipes" / "tiny.yaml")
PLAN = make_plan(TINY)
CONFIG = Path("config/config.yaml")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes config/site.yaml in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    return (tmp_path / "config" / "site.yaml").write_text


def test_the_site_lies_over_the_files_and_the_command_line_over_both(site) -> None:
    assert load_config({"shards": 2}, [], {}).shards == 2
    site("shards: 7\nresults: there\n")
    config = load_config({"shards": 2, "recipe": "olmocr-2-7b"}, [], {"results": "here"})
    assert (config.shards, config.results, config.recipe) == (7, "here", "olmocr-2-7b")


def test_a_fault_names_the_file_it_stands_in(site) -> None:
    site("corpas: x\n")
    with pytest.raises(ConfigError, match=r"^config/site\.yaml: corpas: unknown key; did you mean corpus\?$"):
        load_config({}, [CONFIG], {})
    site("")
    CONFIG.write_text("shards: 0\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"^config/config\.yaml: shards: .*found 0$"):
        load_config({"shards": 0}, [CONFIG], {})
    with pytest.raises(ConfigError, match=r"^--config: shards: "):
        load_config({"shards": 0}, [CONFIG], {"shards": "many"})
    with pytest.raises(ConfigError, match=r"^--config: corpus: no folder 'nowhere'"):
        load_config({}, [CONFIG], {"corpus": "nowhere"})


@pytest.mark.parametrize("results", ["", "/", "a{b}", "<x>"])
def test_results_must_be_a_folder_the_workflow_can_name(results: str) -> None:
    with pytest.raises(ConfigError, match="no folder the workflow can use"):
        load_config({}, [], {"results": results})


def test_by_default_the_last_run_converts_what_the_recipe_generates() -> None:
    choice = choose(Config(results="r"), TINY, PLAN)
    assert (choice.run, choice.external, choice.adapter) == ("fp8", None, "tiny")
    assert (choice.corpus, choice.documents) == ("library", "r/synth/primer/corpus/0/documents")
    assert choice.benches == (
        "base",
        "pretrain",
        "sft",
        "grpo_token-1",
        "grpo_sequence-1",
        "merged",
        "soup",
        "fp8",
    )


def test_a_folder_is_a_corpus_of_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "my papers").mkdir()
    choice = choose(Config(corpus=f"{tmp_path}/my papers/"), TINY, PLAN)
    assert (choice.corpus, choice.documents) == ("my papers", f"{tmp_path}/my papers/")


@pytest.mark.parametrize("model", ["hub:org/name@abc", "http://host:8000/v1", "https://host", "."])
def test_a_model_from_elsewhere_stands_alone(model: str) -> None:
    choice = choose(Config(model=model, adapter="qwen2.5-vl"), TINY, PLAN)
    assert (choice.external, choice.run, choice.adapter) == (model, "external", "qwen2.5-vl")
    assert choice.benches == ("external",)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"model": "fp9"}, "did you mean fp8"),
        ({"model": "grpo_lora"}, "is an adapter"),
        ({"benches": ["suop"]}, "did you mean soup"),
        ({"benches": ["grpo_lora"]}, "no whole model 'grpo_lora'"),
        ({"adapter": "tiny"}, "goes with a `model` from elsewhere"),
    ],
)
def test_a_choice_that_is_not_there_is_refused(values: dict, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        choose(Config(**values), TINY, PLAN)


def test_a_results_folder_keeps_its_recipe(tmp_path: Path) -> None:
    claim.check(tmp_path, "tiny")
    claim.claim(tmp_path, "tiny")
    claim.claim(tmp_path, "tiny")
    assert json.loads((tmp_path / "recipe.json").read_text(encoding="utf-8")) == {"recipe": "tiny"}
    with pytest.raises(ConfigError, match=r"recipe 'tiny', not 'other'"):
        claim.claim(tmp_path, "other")
    assert json.loads((tmp_path / "recipe.json").read_text(encoding="utf-8")) == {"recipe": "tiny"}


def test_schemas_and_page_are_what_the_types_say() -> None:
    stale = [path.name for path, text in schema.files().items() if path.read_text(encoding="utf-8") != text]
    assert not stale, "run: python -m scriptorium.recipe.schema"


def test_environments_are_what_project_and_lock_say() -> None:
    made = environments.files()
    stale = [path.name for path, text in made.items() if path.read_text(encoding="utf-8") != text]
    assert not stale, "run: python -m scriptorium.recipe.environments"
    assert sorted((ROOT / "envs").glob("*.yaml")) == sorted(made)


def test_a_requirement_that_the_lock_lacks_is_named() -> None:
    project = (
        '[project]\ndependencies = ["httpx>=0.28"]\n[project.optional-dependencies]\nx = ["Left_Pad[a]>=1"]\n'
    )
    assert "- httpx==1.2\n      - left-pad[a]==3\n" in environments.environment(
        ("x",), project, "httpx==1.2\nleft-pad==3\n"
    )
    with pytest.raises(ConfigError, match="Left_Pad is missing"):
        environments.environment(("x",), project, "httpx==1.2\n")
