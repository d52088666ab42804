"""File names and texts are Unicode, whatever console and locale say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..faults import world

NAME = "Ж日本 🦉 é.pdf"
STATES = {
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "C, no UTF-8 mode": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "C": {"LC_ALL": "C"},
}


def convert(corpus: Path, out: Path, url: str, **more: str) -> subprocess.CompletedProcess[bytes]:
    """The command in an environment; it warns where a file is opened in the locale's encoding."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG", "PYTHON"))}
    words = [
        "convert",
        corpus,
        "--out",
        out,
        "--server",
        url,
        "--adapter",
        world.ADAPTER,
        "--format",
        "markdown",
    ]
    words += ["--format", "dolma", "--format", "html", "--format", "json", "--format", "text"]
    code = "from scriptorium.cli import main; main()"
    command = [sys.executable, "-X", "warn_default_encoding", "-c", code, *map(str, words)]
    return subprocess.run(
        command, capture_output=True, env=env | more | {"OMP_NUM_THREADS": "1"}, timeout=200
    )


@pytest.mark.parametrize("state", STATES)
def test_names_and_texts_survive(tmp_path: Path, server: world.FaultyServer, state: str) -> None:
    corpus = tmp_path / "corpus Ж"
    corpus.mkdir()
    (corpus / NAME).write_bytes(world.document("x", 2))
    (corpus / f"bad {NAME}").write_bytes(b"%PDF-1.7\nno more")
    done = convert(corpus, tmp_path / "out", server.url, **STATES[state])
    assert done.returncode == 3 and b"Traceback" not in done.stderr, done.stderr.decode("utf-8", "replace")
    warned = [line for line in done.stderr.splitlines() if b"EncodingWarning" in line]
    assert not [line for line in warned if b"/src/scriptorium/" in line]
    text = (tmp_path / "out" / "markdown" / NAME).with_suffix(".md").read_text(encoding="utf-8")
    (record,) = world.records(tmp_path / "out")
    assert text.strip() == "\n\n".join(world.page_texts(record))
    assert record["metadata"]["Source-File"] == (corpus / NAME).as_posix()


def test_what_a_console_cannot_show_is_escaped(tmp_path: Path, server: world.FaultyServer) -> None:
    (tmp_path / "Ж.pdf").write_bytes(b"no PDF")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from scriptorium.cli import main; main()",
            "convert",
            tmp_path,
            "--dry-run",
            "--out",
            tmp_path / "out",
        ],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "cp1252"},
    )
    assert done.returncode == 3, done.stderr
    assert b"\\u0416.pdf" in done.stdout
