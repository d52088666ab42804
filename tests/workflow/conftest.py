"""A copy of the workflow in a folder of its own, with a space in its name, and Snakemake run in it."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COPIED = ("Snakefile", "rules", "config", "envs", "profiles", "workflow")
Runner = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The workflow's files, copied; the package behind a link."""
    folder = tmp_path / "a project"
    folder.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    (folder / "config" / "site.yaml").unlink(missing_ok=True)
    (folder / "src").symlink_to(ROOT / "src")
    (folder / "slurm").symlink_to("profiles/slurm")
    return folder


@pytest.fixture
def snakemake(project: Path) -> Runner:
    """Run `snakemake` with these arguments in the project, as the command in an activated environment."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PATH": path, "OMP_NUM_THREADS": "1"}
        return subprocess.run(
            ["snakemake", *arguments], cwd=project, env=environment, capture_output=True, text=True
        )

    return run


def jobs(done: subprocess.CompletedProcess[str]) -> Counter[str]:
    """The jobs of a dry run by rule, as its table counts them."""
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
    table = (done.stdout + done.stderr).rpartition("Job stats:")[2].partition("total")[0]
    return Counter({rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", table, re.M)})
