"""A disk that is full, a file size that is limited: code 6, a message, and the next run goes on."""

import resource
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import world
from .conftest import Truth
from .world import FaultyServer

OPTIONS = "remount,size={}k"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB, in memory."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    tried = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=64k", "none", str(disk)], capture_output=True
    )
    if not tried or tried.returncode:
        pytest.skip("a disk in memory can be mounted by root alone")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.faults
@pytest.mark.parametrize("size", [16, 48, 80])
def test_a_full_disk(truth: Truth, small_disk: Path, server: FaultyServer, size: int) -> None:
    """The disk is full while the plan, pages or outputs are written. With room again the run goes on."""
    subprocess.run(["mount", "-o", OPTIONS.format(size), str(small_disk)], check=True)
    run = world.convert(truth.corpus, small_disk / "out", server.url)
    assert run.code == 6, run.err
    assert "full" in run.err or "No space left" in run.err
    subprocess.run(["mount", "-o", OPTIONS.format(4096), str(small_disk)], check=True)
    run = world.convert(truth.corpus, small_disk / "out", server.url)
    assert run.code == 0, run.err
    assert world.outputs(small_disk / "out") == truth.outputs


@pytest.mark.parametrize("size", [7000, pytest.param(2000, marks=pytest.mark.faults)])
def test_a_limit_to_the_size_of_files(truth: Truth, tmp_path: Path, server: FaultyServer, size: int) -> None:
    """What a quota does, without root: no file may grow beyond `size` bytes."""
    limited = world.start(
        truth.corpus,
        tmp_path / "out",
        server.url,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )
    run = world.finish(limited)
    assert run.code == 6, run.err
    assert "error: " in run.err
    run = world.convert(truth.corpus, tmp_path / "out", server.url)
    assert run.code == 0, run.err
    assert world.outputs(tmp_path / "out") == truth.outputs


@pytest.mark.faults
@pytest.mark.parametrize("most", [6, 8, 10, 12, 14, 16, 20, 24, 32])
def test_few_open_files(truth: Truth, tmp_path: Path, server: FaultyServer, most: int) -> None:
    """A limit that is too low ends the run with code 6, or is enough: no file and no page is blamed for it."""
    limited = world.start(
        truth.corpus,
        tmp_path / "out",
        server.url,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most)),
    )
    run = world.finish(limited)
    assert run.code == 6 if most < 12 else run.code in (0, 6), run.err
    assert "open files" in run.err or run.code == 0
    run = world.convert(truth.corpus, tmp_path / "out", server.url)
    assert run.code == 0, run.err
    assert world.outputs(tmp_path / "out") == truth.outputs


def test_an_output_folder_that_cannot_be_made(truth: Truth, tmp_path: Path, server: FaultyServer) -> None:
    (tmp_path / "file").write_text("in the way")
    run = world.convert(truth.corpus, tmp_path / "file" / "out", server.url)
    assert run.code == 6 and "error: " in run.err
    assert server.told()["requests"] == 0
