"""What the documents say is so: links, commands, options, config, recipes, the picture of the graph."""

import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
import yaml

from scriptorium.bench.candidates.specs import read_candidates
from scriptorium.cli import app
from scriptorium.recipe.config import Config, load_config
from scriptorium.recipe.plan import make_plan
from scriptorium.recipe.recipe import load as load_recipe
from scriptorium.serve.adapter import load as load_adapter

from ..workflow.conftest import Runner
from ..workflow.conftest import project as project
from ..workflow.conftest import snakemake as snakemake

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def blocks(page: Path, *languages: str) -> list[str]:
    """The code blocks of a page in these languages."""
    return [
        text for language, text in FENCE.findall(page.read_text(encoding="utf-8")) if language in languages
    ]


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def lines(page: Path) -> Iterator[list[str]]:
    """The commands of a page's shell blocks, as words."""
    for block in blocks(page, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield [words[0].removeprefix(".venv/bin/"), *words[1:]]


def spoken(page: Path) -> list[str]:
    """What stands between back-ticks in a page's prose."""
    return re.findall(r"`([^`\n]+)`", prose(page))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), f"{page.name} links to {link}, which is not there"
        if anchor:
            assert anchor in anchors(target), f"{page.name}: {link}: no such heading"


def test_every_page_is_found_from_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in LINK.findall(prose(index))}
    assert {page for page in PAGES if page.is_relative_to(index.parent)} <= linked | {index}


@each_page
def test_make_targets_are_there(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.search(r"^\.PHONY: (.+)$", makefile, re.M).group(1).split())  # type: ignore[union-attr]
    said = [text.split() for text in spoken(page)] + list(lines(page))
    named = {word for words in said if words[:1] == ["make"] for word in words[1:]}
    assert named <= targets


def command(words: list[str]) -> tuple[typer.core.TyperCommand, list[str]]:
    """The command of `scriptorium` that these words name, and the words left for it."""
    found, rest = typer.main.get_command(app), words[1:]
    while isinstance(found, typer.core.TyperGroup) and rest and not rest[0].startswith("-"):
        size = 2 if " ".join(rest[:2]) in found.commands else 1  # `convert worker` is one command
        name = " ".join(rest[:size])
        assert name in found.commands, f"scriptorium has no command {name!r}: {shlex.join(words)}"
        found, rest = found.commands[name], rest[size:]
    return found, rest


@each_page
def test_scriptoriums_commands_parse(page: Path) -> None:
    for words in lines(page):
        if words[0] == "scriptorium":
            found, rest = command(words)
            found.make_context(found.name, rest)  # an unknown option or a missing one raises


@each_page
def test_scriptoriums_commands_in_prose_are_there(page: Path) -> None:
    for text in spoken(page):
        if text.startswith("scriptorium "):
            found, rest = command(text.split())
            known = {option for each in found.params for option in each.opts} | {"--help"}
            assert {word for word in rest if word.startswith("--")} <= known, text


@each_page
def test_scripts_are_there(page: Path) -> None:
    said = [text.split() for text in spoken(page)] + list(lines(page))
    for words in said:
        if words[0] == "python" and words[1:] and words[1].endswith(".py"):
            assert (ROOT / words[1]).is_file(), words[1]


@each_page
def test_config_on_the_command_line_has_known_keys(page: Path) -> None:
    for words in lines(page):
        if words[0] != "snakemake" or "--config" not in words:
            continue
        rest = words[words.index("--config") + 1 :]
        pairs = [word.split("=", 1) for word in rest if re.match(r"\w+=", word)]
        assert pairs, words
        assert {key for key, _ in pairs} <= set(Config.model_fields)


@each_page
def test_profiles_are_there(page: Path) -> None:
    for words in lines(page):
        if "--profile" in words:
            assert (ROOT / words[words.index("--profile") + 1] / "config.yaml").is_file()


YAML = [(page, text) for page in PAGES for text in blocks(page, "yaml")]


@pytest.mark.parametrize(
    ("page", "text"), YAML, ids=lambda value: value.name if isinstance(value, Path) else ""
)
def test_yaml_is_what_the_workflow_reads(
    page: Path, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every block begins with a comment that names its file; the file's reader takes it."""
    named = re.match(r"# (\S+\.yaml)\n", text)
    assert named, f"{page.name}: a YAML block does not begin with the name of its file"
    path = tmp_path / Path(named[1]).name
    path.write_text(text, encoding="utf-8")
    match named[1].split("/")[:2]:
        case ["config", "site.yaml"]:
            values = yaml.safe_load(text)
            monkeypatch.chdir(tmp_path)
            if "corpus" in values:
                (tmp_path / values["corpus"]).mkdir()
            load_config(values, [path], {})
        case ["config", "recipes"]:
            recipe = load_recipe(str(path))
            assert make_plan(recipe) and recipe.name == path.stem
            load_adapter(recipe.model)
        case ["config", "ablations"]:
            recipe = load_recipe(str(path))
            assert make_plan(recipe) and recipe.variants
        case ["config", "models"]:
            assert load_adapter(str(path)).name == path.stem
        case [*_, "candidates.yaml"]:
            assert read_candidates(path)
        case ["profiles", profile]:
            there = yaml.safe_load((ROOT / "profiles" / profile / path.name).read_text(encoding="utf-8"))
            assert yaml.safe_load(text).keys() <= there.keys()
        case _:
            pytest.fail(f"{page.name}: nothing reads {named[1]}")


def test_there_is_yaml_of_every_kind() -> None:
    kinds = {part for _, text in YAML for part in re.split("[ /]", text.split("\n")[0])}
    assert {"site.yaml", "recipes", "models", "candidates.yaml"} <= kinds


def drawn(text: str) -> tuple[set[str], set[tuple[str, str]], dict[str, set[str]]]:
    """Nodes and edges of a mermaid flow chart, and the members of its subgraphs."""
    nodes: set[str] = set()
    edges: set[tuple[str, str]] = set()
    groups: dict[str, set[str]] = {}
    group: str | None = None
    for line in map(str.strip, text.splitlines()):
        if line.startswith("subgraph "):
            group = line.split()[1]
            groups[group] = set()
        elif line == "end":
            group = None
        elif "-->" in line:
            steps = [[name.strip() for name in step.split("&")] for step in line.split("-->")]
            found = {name for step in steps for name in step}
            nodes |= found
            if group:
                groups[group] |= found
            for left, right in itertools.pairwise(steps):
                edges |= {(a, b) for a in left for b in right}
    return nodes - groups.keys(), edges, groups


def rule_graph(text: str) -> tuple[set[str], set[tuple[str, str]]]:
    """Rules and edges as Snakemake draws them."""
    names = dict(re.findall(r"^\s*(id\d+)\[(\w+)\]$", text, re.M))
    edges = re.findall(r"^\s*(id\d+) --> (id\d+)$", text, re.M)
    return set(names.values()), {(names[a], names[b]) for a, b in edges}


def test_the_picture_shows_the_rule_graph(snakemake: Runner) -> None:
    done = snakemake("--rulegraph", "mermaid-js")
    assert done.returncode == 0, done.stderr
    rules, true_edges = rule_graph(done.stdout)
    (picture,) = blocks(ROOT / "README.md", "mermaid")
    nodes, edges, groups = drawn(picture)
    assert nodes == rules
    for left, right in edges:
        ends = {(a, b) for a in groups.get(left, {left}) for b in groups.get(right, {right})}
        assert ends & true_edges, f"no rule of {left} feeds one of {right}"


def test_readme_is_short_and_has_room_for_the_scores() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 200
    table = text.partition("<!-- scores -->")[2].partition("<!-- /scores -->")[0]
    assert table.strip().startswith("| run | olmocr-2026.03 | scriptorium-1 |")


@each_page
def test_no_page_speaks_of_one_machine(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w/.])/(work|tmp|root|home|mnt|data)/", text)
