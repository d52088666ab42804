"""`scriptorium bench score` and `compare` as they are run: exit codes, tables, files."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from scriptorium import cli
from scriptorium.bench import score
from scriptorium.bench.rules import OLMOCR, RULES, STRICT
from scriptorium.bench.scoring.scores import read_scores
from scriptorium.errors import InputError

from .benches import SCENARIOS, laid_out, present, scenario
from .shared import sample

EXITS = {"missing": 3, "missing_force": 3, "dup_across": 2, "dup_within": 2, "ghost_pdf": 2}
"""The exit codes of the scenarios that are not simply scored."""


def run(*arguments: str | Path) -> int:
    """The exit code of `scriptorium bench`, in this process; what it prints is captured by the test."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setattr(sys, "argv", ["scriptorium", "bench", *map(str, arguments)])
        patch.setenv("COLUMNS", "200")
        cli.main()
        sys.exit(0)
    return int(ended.value.code or 0)


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    tests = {"x.jsonl": [present("a.pdf", 1), present("a.pdf", 2, "beta|<b>"), present("b.pdf", 1)]}
    outputs = {
        "full/a_pg1_repeat1.md": "alpha beta|\\<b>",
        "full/b_pg1_repeat1.md": "alpha",
        "half/a_pg1_repeat1.md": "alpha",
        "half/b_pg1_repeat1.md": "words",
        "torn/a_pg1_repeat1.md": "alpha",
    }
    return laid_out(tmp_path / "bench", tests, outputs, ["a.pdf", "b.pdf"])


@pytest.mark.skipif(not SCENARIOS, reason="shared/data/bench-vectors is missing")
@pytest.mark.parametrize("name", SCENARIOS)
def test_scenarios(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("score", scenario(tmp_path, name), "--candidate", "cand") == EXITS.get(name, 0)
    said = capsys.readouterr()
    if EXITS.get(name) != 2:
        assert all(rules in said.out for rules in RULES)
        assert "(empty)" in said.out
    if name.startswith("missing"):
        assert "1 of 2 pages have no output; their tests fail: b (missing)" in said.out
        assert "cand (1 of 2)" in said.err
    if name.startswith("dup"):
        assert "'t1'" in said.err
    if name == "page_without_tests":
        assert "1 outputs of pages without a test: a#2" in said.out


def test_all_candidates_by_default(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("score", bench) == 3
    out = capsys.readouterr().out
    assert "full less half" in out and "half less torn" in out
    assert "1 missing" in out
    assert run("score", bench, "--candidate", "full", "--candidate", "half") == 0


def test_thresholds(bench: Path, tmp_path: Path) -> None:
    both = ("--candidate", "full")
    assert run("score", bench, *both, "--fail-under", "100") == 0
    assert run("score", bench, "--candidate", "half", "--fail-under", "60") == 4
    assert run("score", bench, "--candidate", "half", "--against", "full", "--max-drop", "100") == 0
    assert run("score", bench, "--candidate", "half", "--against", "full", "--max-drop", "5") == 4
    assert run("score", bench, *both, "--against", "half") == 0
    kept = tmp_path / "full.json"
    assert run("score", bench, *both, "--json", kept) == 0
    assert run("score", bench, "--candidate", "half", "--against", kept) == 4
    assert run("score", bench, *both, "--against", kept) == 0
    assert run("score", bench, *both, "--candidate", "half", "--json", kept) == 0
    assert run("score", bench, *both, "--candidate", "half", "--against", kept) == 0
    assert run("score", bench, "--candidate", "torn", "--against", kept) == 2


def test_strict_coverage(bench: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.json"
    assert run("score", bench, "--candidate", "torn", "--strict-coverage", "--json", out) == 3
    assert "torn: 1 ok, 1 missing" in capsys.readouterr().err
    assert not out.exists()
    assert run("score", bench, "--candidate", "full", "--strict-coverage") == 0


@pytest.mark.parametrize(
    "wrong",
    [
        ("--candidate", "nobody"),
        ("--rules", "olmocr-2020"),
        ("--profile", "none"),
        ("--category", "poems"),
        ("--against", "missing.json"),
        ("--eval-results", "x.yaml"),
    ],
)
def test_wrong_options(bench: Path, wrong: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("score", bench, *wrong) == 2
    assert "error: " in capsys.readouterr().err


def test_a_file_that_holds_no_scores(tmp_path: Path) -> None:
    for text in ("", "[]", "{}", '{"candidates": [{"candidate": "x"}]}', '{"candidates": []}'):
        (tmp_path / "s.json").write_text(text)
        with pytest.raises(InputError, match=r"s\.json"):
            read_scores(tmp_path / "s.json")


def test_files(bench: Path, tmp_path: Path) -> None:
    names = {"json": "s.json", "jsonl": "s.jsonl", "csv": "s.csv", "junit": "s.xml", "markdown": "s.md"}
    options = [part for kind, name in names.items() for part in (f"--{kind}", str(tmp_path / name))]
    chosen = ("--candidate", "full", "--candidate", "torn")
    assert run("score", bench, *chosen, *options) == 3
    first = {name: (tmp_path / name).read_bytes() for name in names.values()}
    assert run("score", bench, *chosen, *options, "--no-cache", "--jobs", "2") == 3
    assert {name: (tmp_path / name).read_bytes() for name in names.values()} == first

    value = json.loads(first["s.json"])
    assert read_scores(tmp_path / "s.json", "full") == score(bench, "full")
    assert [each["a"] for each in value["comparisons"]] == ["full"]
    assert value["candidates"][1]["incomplete"] == {"b": "missing"}
    rows = [json.loads(line) for line in first["s.jsonl"].splitlines()]
    assert rows == [row for each in value["candidates"] for row in each["rows"]]
    table = list(csv.DictReader(first["s.csv"].decode().splitlines()))
    assert [line["id"] for line in table] == [row["id"] for row in rows]
    assert {line[f"{STRICT} counts"] for line in table} == {"True", "False"}


def test_junit(bench: Path, tmp_path: Path) -> None:
    tests = [present("a.pdf", 9, "not there", checked=None), present("b.pdf", 8)]
    tests[0]["id"] = "odd \x0b\u0000 <id>"
    laid_out(bench, {"z.jsonl": tests}, {}, [])
    run("score", bench, "--candidate", "torn", "--junit", tmp_path / "s.xml")
    root = ElementTree.parse(tmp_path / "s.xml").getroot()
    suites = {suite.get("name"): suite for suite in root}
    assert list(suites) == [f"torn ({name})" for name in RULES]
    suite = suites[f"torn ({STRICT})"]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("7", "2", "3")
    odd = next(case for case in suite if "odd" in case.get("name", ""))
    assert odd.get("name") == "odd \ufffd\ufffd <id>"
    assert [fault.tag for fault in odd] == ["failure"]


def test_markdown_is_escaped(bench: Path, tmp_path: Path) -> None:
    (bench / "half").rename(bench / "a|_b_")
    run("score", bench, "--candidate", "a|_b_", "--markdown", tmp_path / "s.md")
    assert r"| a\|\_b\_ |" in (tmp_path / "s.md").read_text()


def test_eval_results(bench: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ask = ("score", bench, "--candidate", "half", "--eval-results", tmp_path / "olmocrbench.yaml")
    assert run(*ask) == 2 and "has no category x" in capsys.readouterr().err
    (bench / "x.jsonl").rename(bench / "old_scans.jsonl")
    run(*ask)
    found = yaml.safe_load((tmp_path / "olmocrbench.yaml").read_text())
    assert {each["dataset"]["id"] for each in found} == {"allenai/olmOCR-bench"}
    values = {each["dataset"]["task_id"]: each["value"] for each in found}
    assert values == {"overall": 66.6667, "baseline": 100.0, "old_scans": 33.3333}
    assert OLMOCR in found[0]["notes"] and "without arxiv_math" in found[0]["notes"]


def test_compare(bench: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("score", bench, "--candidate", "half", "--json", tmp_path / "half.json") == 0
    capsys.readouterr()
    assert run("compare", bench, "full", tmp_path / "half.json", "--json", tmp_path / "c.json") == 0
    assert "full less half" in capsys.readouterr().out
    (found,) = json.loads((tmp_path / "c.json").read_text())["comparisons"]
    assert found["rules"][OLMOCR]["gained"] == {"missing": ["a.pdf-2", "b.pdf-1"]}
    assert run("compare", bench, "full") == 2


def test_only_some_categories_and_profiles(bench: Path, tmp_path: Path) -> None:
    out = tmp_path / "s.json"
    assert run("score", bench, "--candidate", "half", "--category", "x", "--no-nulls", "--json", out) == 0
    scores = read_scores(out)
    assert list(scores.rules[STRICT]["categories"]) == ["x"]
    assert scores.nulls == {}
    assert run("score", bench, "--candidate", "half", "--skip-baseline", "--json", out) == 0
    assert set(read_scores(out).rules[OLMOCR]["types"]) == {"present"}
    assert run("score", bench, "--candidate", "half", "--category", "baseline", "--skip-baseline") == 2
    (bench / "x.jsonl").rename(bench / "headers_footers.jsonl")
    assert run("score", bench, "--candidate", "half", "--profile", "keep-headers", "--json", out) == 0
    assert list(read_scores(out).rules[STRICT]["apart"]) == ["headers_footers"]


def test_the_sample_in_a_process_of_its_own() -> None:
    """The real command, with an environment that lets it keep nothing."""
    code = "from scriptorium.cli import main; main()"
    command = [sys.executable, "-c", code, "bench", "score", str(sample())]
    environment = os.environ | {"SCRIPTORIUM_CACHE": "/proc/nowhere", "COLUMNS": "120"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "94.3 [89.9, 97.6]" in done.stdout


def test_what_is_kept_is_scored_without_what_judges(bench: Path, tmp_path: Path) -> None:
    """The second run finds all verdicts kept: it loads no library that reads pages or counts chances."""
    code = (
        "import sys\nfrom scriptorium.cli import app\napp(standalone_mode=False)\n"
        "print(sorted({'httpx', 'lxml', 'markdown_it', 'numpy', 'rapidfuzz', 'yaml'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, "bench", "score", str(bench), "--candidate", "full"]
    environment = os.environ | {"SCRIPTORIUM_CACHE": str(tmp_path)}
    first, second = (
        subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
        for _ in range(2)
    )
    *table, loaded = first.stdout.splitlines()
    assert {"lxml", "markdown_it", "numpy"} <= set(re.findall(r"\w+", loaded)), first.stderr
    assert second.stdout.splitlines() == [*table, "[]"], second.stderr


def test_an_output_that_cannot_be_written_is_named(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("score", bench, "--candidate", "full", "--json", bench / "x.jsonl" / "scores.json") == 6
    assert "x.jsonl" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", ["nan", "-1", "101"])
def test_a_threshold_that_is_no_percentage_is_refused(bench: Path, wrong: str) -> None:
    assert run("score", bench, "--candidate", "full", f"--fail-under={wrong}") == 2


def test_a_tool_that_fails_on_every_page_is_there_and_fails(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (bench / "broken").mkdir()
    for page in ("a_pg1", "a_pg2", "b_pg1"):
        sidecar = bench / "broken" / f"{page}_repeat1.json"
        sidecar.write_text('{"state": "error", "error": "it crashed"}', encoding="utf-8")
    assert run("score", bench, "--no-nulls") == 3
    assert "broken: 2 of 2 pages have no output" in capsys.readouterr().out


def test_a_drop_needs_something_to_drop_from(bench: Path) -> None:
    assert run("score", bench, "--candidate", "full", "--max-drop", "1") == 2
    assert run("score", bench, "--candidate", "full", "--fail-under", "0.8") == 2
