"""The command `scriptorium` as a person runs it: a process with arguments, output and an exit code."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "from scriptorium.cli import main; main()"]


def scriptorium(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, words)], capture_output=True, text=True)


def test_version() -> None:
    from scriptorium import __version__

    done = scriptorium("--version")
    assert (done.returncode, done.stdout.strip()) == (0, __version__)


def test_imports_no_heavy_library() -> None:
    code = (
        "import scriptorium.cli, scriptorium.convert.shard, scriptorium.convert.outputs, sys\n"
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
    done = scriptorium("recipe", "show", "tiny")
    if "no such" in done.stderr:
        pytest.skip("recipe tiny is not there")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.partition("\n}")[0] + "}")["recipe"] == "tiny"
