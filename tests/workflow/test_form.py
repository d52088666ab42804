"""The form of the workflow: linters, the rules' order, the profiles, the import contracts."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from yte import process_yaml

from .conftest import ROOT, Runner

BIN = Path(sys.executable).parent
ORDER = ["input", "output", "log", "benchmark", "wildcard_constraints", "priority", "conda", "threads"]
ORDER += ["resources", "params", "message", "shell"]
TARGETS = ("ablation", "all", "convert_corpus", "corpus_viewer", "measure_candidates")
FILES = [ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk"))]


TAKING_AFTER = {"sft", "grpo", "dpo", "rejection", "pairs", "greedy_soup", "compress"}
"""Rules that take what they do not say from another (`use rule`)."""


def rules() -> dict[str, list[str]]:
    """Rule -> its directives in order; of a `use rule` only those that it changes."""
    found = {}
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        for name, body in re.findall(
            r"^(?:use rule \w+ as|rule) (\w+)(?: with)?:\n((?:    .*\n|\n)+)", text, re.M
        ):
            found[name] = re.findall(r"^    (\w+):", body, re.M)
    return found


def test_snakemakes_lint_is_content(snakemake: Runner) -> None:
    done = snakemake("--lint")
    assert done.returncode == 0 and "good condition" in done.stderr + done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    "command", [["snakefmt", "--check", "Snakefile", "rules"], ["lint-imports"]], ids=lambda c: c[0]
)
def test_checkers_are_content(command: list[str]) -> None:
    done = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("name", "directives"), rules().items())
def test_every_rule_says_everything_in_one_order(name: str, directives: list[str]) -> None:
    assert [each for each in ORDER if each in directives] == [
        each for each in directives if each != "default_target"
    ]
    if name in TARGETS:
        return
    needed = {"log", "benchmark", "message"}
    if name not in TAKING_AFTER:
        needed |= {"output", "conda", "threads", "shell"}
    if name not in (*TAKING_AFTER, "stage", "external"):  # local: a file is written
        needed |= {"input", "resources"}
    assert needed <= set(directives)


def test_no_rule_retries_or_runs_python_of_its_own() -> None:
    for path in FILES:
        assert not re.search(
            r"^    (run|script|retries|notebook|wrapper):", path.read_text(encoding="utf-8"), re.M
        )


def test_scripts_that_rules_name_are_there_and_are_all() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in FILES)
    named = set(re.findall(r'script\("(\w+\.py)"\)', text)) | {
        f"{method}.py" for method in ("pretrain", "sft", "dpo", "grpo")
    }
    there = {path.name for path in (ROOT / "workflow" / "scripts").glob("*.py")}
    assert named <= there
    assert there - named == {"recover.py", "scores.py", "prepare.py"}  # make calls two, people the third


def test_the_default_profile_holds_only_what_is_true_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "profiles" / "default" / "config.yaml").read_text(encoding="utf-8")
    forbidden = (
        "executor jobs resources default-resources set-resources set-threads retries config configfile cores"
    )
    monkeypatch.setattr(sys, "argv", ["snakemake", "convert_corpus"])
    assert process_yaml(text)["cores"] == "all"
    for words in (
        ["--profile", "slurm"],
        ["--cores", "2"],
        ["-c1"],
        ["--jobs=3"],
        ["--executor", "slurm"],
        ["-j", "2"],
    ):
        monkeypatch.setattr(sys, "argv", ["snakemake", *words, "convert_corpus"])
        profile = process_yaml(text)
        assert not set(forbidden.split()) & set(profile) and profile["rerun-incomplete"] is True


def test_the_slurm_profile_is_safe_and_chooses_its_recipe_by_a_file() -> None:
    profile = yaml.safe_load((ROOT / "slurm" / "config.yaml").read_text(encoding="utf-8"))
    assert profile["slurm-status-command"] == "squeue" and profile["slurm-requeue"] is True
    assert "slurm-array-jobs" not in profile and "config" not in profile
    assert (
        yaml.safe_load((ROOT / profile["configfile"]).read_text(encoding="utf-8"))["recipe"] == "olmocr-2-7b"
    )
    assert (ROOT / "slurm").is_symlink() and (ROOT / "slurm").readlink() == Path("profiles/slurm")
