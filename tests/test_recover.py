"""After a killed launch: its lock is lifted, its orphans are waited for, a live launch is left alone."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from scriptorium.errors import HostError
from scriptorium.job import holder
from scriptorium.recover import recover, wait_for_leases

HOLD = """
import sys, time
from pathlib import Path
from scriptorium.job import lease
with lease(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
    time.sleep(1)
"""


@pytest.fixture
def killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which Snakemake was killed: a Snakefile, and the lock it left."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Snakefile").write_text(
        "rule all:\n    output: 'x'\n    shell: 'touch x'\n", encoding="utf-8"
    )
    locks = tmp_path / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text(f"{tmp_path}/x\n", encoding="utf-8")
    return locks


def test_a_dead_launchs_lock_is_lifted(killed: Path) -> None:
    recover(Path("demo"))
    assert not list(killed.glob("*"))
    recover(Path("demo"))


def test_a_live_launch_is_left_alone(killed: Path, tmp_path: Path) -> None:
    live = subprocess.Popen(["bash", "-c", "exec -a snakemake sleep 60"], cwd=tmp_path)
    try:
        while psutil.Process(live.pid).cmdline()[:1] != ["snakemake"]:  # bash has not become it yet
            time.sleep(0.01)
        with pytest.raises(HostError, match=rf"pid {live.pid}\) works in this folder"):
            recover(Path("demo"))
    finally:
        live.kill()
        live.wait()
    assert list(killed.glob("*"))


@pytest.mark.parametrize("place", ["leases/sft-0123", "sft/state/lease"])
def test_an_orphan_is_named_and_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    path = tmp_path / place
    orphan = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert orphan.stdout and orphan.stdin and orphan.stdout.readline() == "held\n"
    assert holder(path)
    orphan.stdin.write("\n")
    orphan.stdin.flush()
    wait_for_leases(tmp_path)
    assert holder(path) is None
    assert f"pid {orphan.pid}" in capsys.readouterr().err
    orphan.wait()


def test_nothing_to_recover_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    recover(tmp_path / "demo")
    assert capsys.readouterr().err == ""
