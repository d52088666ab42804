"""Fetching data sets: a folder instead of the hub, and what is said when the hub cannot be reached."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scriptorium.errors import ConfigError
from scriptorium.files import sha256_tree
from scriptorium.mix.hub import fetch

from .made import label, mix, pdf

SCRIPT = Path(__file__).parents[2] / "workflow" / "scripts" / "fetch.py"


def test_a_local_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    source = mix(tmp_path / "mix", [label("x")], {"x.pdf": pdf()})
    (source / "linked.txt").symlink_to(source / "00_documents_eval.parquet")
    fetch(str(source), tmp_path / "out")
    assert sha256_tree(tmp_path / "out") == sha256_tree(source)
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_symlink()]


@pytest.mark.parametrize("source", ["hub:org/name", "hub:name@abc1234", "hub:", "no/such/folder"])
def test_a_source_of_another_form_is_refused(tmp_path: Path, source: str) -> None:
    with pytest.raises(ConfigError, match="hub:org/name@revision"):
        fetch(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_the_hub_it_says_what_to_do(tmp_path: Path) -> None:
    command = [sys.executable, SCRIPT, "--source", "hub:org/name@abc1234", "--out", tmp_path / "out"]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home")}
    found = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert found.returncode == 5
    assert "hub:org/name@abc1234 cannot be fetched" in found.stderr
    assert "start again" in found.stderr
    assert not (tmp_path / "out").exists()
