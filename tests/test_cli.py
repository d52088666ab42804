"""The command `scriptorium` as a person runs it: a process with arguments, output and an exit code."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from scriptorium.cli import app
from scriptorium.convert.report import read_rows
from scriptorium.pages.front_matter import FrontMatter, encode
from scriptorium.serve.adapter import load, write_prompt

from .serve.conftest import model_folder as model_folder
from .serve.scripted import ScriptedServer, answer, in_turn

COMMAND = [sys.executable, "-c", "from scriptorium.cli import main; main()"]


def scriptorium(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, words)], capture_output=True, text=True)


def test_version() -> None:
    from scriptorium import __version__

    done = scriptorium("--version")
    assert (done.returncode, done.stdout.strip()) == (0, __version__)


@pytest.mark.parametrize("group", [[], ["bench"], ["bench", "prepare"], ["recipe"]], ids=" ".join)
def test_help_lists_the_commands_of_a_group_and_each_has_its_own(group: list[str]) -> None:
    found = typer.main.get_command(app)
    for name in group:
        assert isinstance(found, TyperGroup)
        found = found.commands[name]
    assert isinstance(found, TyperGroup)
    done = CliRunner().invoke(app, [*group, "--help"])
    assert done.exit_code == 0
    for name, command in found.commands.items():
        assert command.name == name and command.help
        assert f" {name} " in done.stdout
        assert CliRunner().invoke(app, [*group, name, "--help"]).exit_code == 0


def test_a_misspelt_command_is_told() -> None:
    done = scriptorium("bench", "scor")
    assert done.returncode == 2
    assert "Did you mean 'score'?" in done.stderr


def test_a_command_does_not_load_what_the_others_need() -> None:
    code = (
        "import sys\nfrom scriptorium.cli import app\napp(['bench', 'score', '--help'], standalone_mode=False)\n"
        "print(sorted(name for name in sys.modules if name.startswith('scriptorium.bench.commands.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "['scriptorium.bench.commands.score']", done.stderr


def test_imports_no_heavy_library() -> None:
    code = (
        "import scriptorium.cli, scriptorium.convert.shard, scriptorium.convert.outputs.write, sys\n"
        "heavy = {'torch', 'transformers', 'datasets', 'snakemake', 'huggingface_hub'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["convert", "x", "--out", "y"], "--server URL or --model DIR"),
        (["convert", "x", "--out", "y", "--server", "localhost:8000"], "not a URL"),
        (["convert", "x", "--out", "y", "--model", "m", "--adapter", "tini"], "tiny"),
        (["convert", "x", "--out", "y", "--model", "hub:some/body"], "--adapter"),
        (["convert", "x", "--server", "http://127.0.0.1:9"], "give --out"),
        (["convert", "x", "--out", __file__, "--server", "http://127.0.0.1:9"], "a file, not a folder"),
        (["recipe", "show", "no-such-recipe"], "no-such-recipe"),
    ],
)
def test_a_wrong_command_line_is_told_without_a_traceback(words: list[str], message: str) -> None:
    done = scriptorium(*words)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_corpus_is_told(tmp_path: Path) -> None:
    done = scriptorium(
        "convert", tmp_path / "nowhere", "--out", tmp_path / "out", "--server", "http://127.0.0.1:9"
    )
    assert done.returncode == 2
    assert "nowhere: no such folder" in done.stderr


def test_a_server_that_is_not_there_is_code_5(tmp_path: Path) -> None:
    corpus = Path(__file__).parents[2] / "shared" / "data" / "pdfs"
    if not corpus.is_dir():
        pytest.skip("the shared sample PDFs are not there")
    pdf = min(corpus.glob("*.pdf"), key=lambda path: path.stat().st_size)
    done = scriptorium("convert", pdf, "--out", tmp_path, "--server", "http://127.0.0.1:9")
    assert done.returncode == 5, done.stderr
    assert "Traceback" not in done.stderr


def test_recipe_show_prints_runs() -> None:
    done = scriptorium("recipe", "show", "tiny", "--json")
    if "no such" in done.stderr:
        pytest.skip("recipe tiny is not there")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.partition("\n}")[0] + "}")["recipe"] == "tiny"


MALFORMED = Path(__file__).parents[2] / "shared" / "data" / "malformed"
GOOD = MALFORMED / "pdfminer-six__simple1.pdf"
LOCKED = MALFORMED / "format-corpus__lorem-ipsum-openprintcopypw.pdf"
needs_pdfs = pytest.mark.skipif(not MALFORMED.is_dir(), reason="the shared sample PDFs are not there")


@needs_pdfs
def test_convert_one_pdf_with_a_server(tmp_path: Path) -> None:
    with ScriptedServer(in_turn(answer(encode(FrontMatter(), "Hello, world.")))) as server:
        done = scriptorium("convert", GOOD, "--out", tmp_path / "out", "--server", server.url)
    assert done.returncode == 0, done.stderr
    assert "1 ok" in done.stdout
    assert (tmp_path / "out" / "markdown" / f"{GOOD.stem}.md").read_text() == "Hello, world.\n"


@needs_pdfs
def test_convert_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for path in (GOOD, LOCKED):
        (tmp_path / "in" / path.name).write_bytes(path.read_bytes())
    with ScriptedServer(in_turn(answer(encode(FrontMatter(), "Hello, world.")))) as server:
        done = scriptorium("convert", tmp_path / "in", "--out", tmp_path / "out", "--server", server.url)
    assert done.returncode == 3, done.stderr
    assert "report.json" in done.stderr and "Traceback" not in done.stderr
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["statuses"] == {"ok": 1, "unreadable": 1}
    assert (tmp_path / "out" / "markdown" / f"{GOOD.stem}.md").is_file()


@needs_pdfs
@pytest.mark.slow
def test_convert_with_a_model_served_here(tmp_path: Path, model_folder: Path) -> None:
    """The model's noise gives way to the text layer; the adapter comes from the model's folder."""
    write_prompt(model_folder, load("tiny"))
    done = scriptorium("convert", GOOD, "--out", tmp_path, "--model", model_folder, "--threads", "1")
    assert done.returncode == 0, done.stderr
    (row,) = read_rows(tmp_path / "report.json")
    assert (row["status"], row["attempts"]) == ("fallback_text", len(load("tiny").temperatures))
    assert "Hello" in (tmp_path / "markdown" / f"{GOOD.stem}.md").read_text()
