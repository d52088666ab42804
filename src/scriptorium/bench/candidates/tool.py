"""A command that reads one page: started without a shell, with a time limit, its whole process group killed."""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from scriptorium.bench.candidates.specs import PLACEHOLDER
from scriptorium.errors import ConfigError, InputError, ServerError
from scriptorium.family import kill_family

LARGEST_OUTPUT = 64 << 20
"""Bytes of text, or of messages, of one page; more comes from a tool gone wild."""
LOOK_SECONDS = 0.02
MESSAGE_BYTES = 2000


class ToolError(InputError):
    """The command did not give a text for this page."""


@dataclass(frozen=True)
class Handed:
    """What a command is given: the page as a PDF of its own and as a PNG, where its words ask for them."""

    files: Mapping[str, bytes]
    page: int


def check_program(command: str) -> None:
    """Raise ConfigError if the program of a command is not there."""
    program = shlex.split(command)[0]
    if shutil.which(program) is None:
        raise ConfigError(f"command {command!r}: no program {program}; install it or give its path")


def run_tool(command: str, output: str, handed: Handed, timeout: float, stopped: threading.Event) -> str:
    """The text that `command` writes for a page: the one file below {out} that `output` matches, or stdout.

    Raises ToolError if it fails, writes nothing usable or takes longer than `timeout` seconds, ServerError when
    `stopped` is set meanwhile.
    """
    with tempfile.TemporaryDirectory(prefix="scriptorium-page-") as scratch:
        folder = Path(scratch)
        (folder / "out").mkdir()
        values = {"page": str(handed.page), "out": str(folder / "out")}
        for name, content in handed.files.items():
            path = folder / ("page.pdf" if name == "pdf" else "page.png")
            path.write_bytes(content)
            values[name] = str(path)
        words = [PLACEHOLDER.sub(lambda m: values[m[1]], word) for word in shlex.split(command)]
        _run(words, folder, timeout, stopped)
        return _decoded(_result(folder, output))


def _run(words: list[str], folder: Path, timeout: float, stopped: threading.Event) -> None:
    """Run the words to their end, under a guard that takes them along if this process dies."""
    guard = [sys.executable, "-m", "scriptorium.serve.guard", str(os.getpid())]
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        process = subprocess.Popen(
            [*guard, *words], stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )
    try:
        _wait(process, folder, timeout, stopped)
    finally:
        _kill(process)
    if process.returncode:
        with (folder / "stderr").open("rb") as err:
            err.seek(max(0, err.seek(0, os.SEEK_END) - MESSAGE_BYTES))
            said = err.read().decode("utf-8", "replace").strip()
        raise ToolError(f"{words[0]}: {_ended(process.returncode)}: {said or 'it said nothing'}")


def _ended(code: int) -> str:
    """How the command ended; the guard gives a signal on as 256 less its number."""
    with contextlib.suppress(ValueError):
        return f"ended by {signal.Signals(256 - code).name}"
    return f"exit code {code}"


def _wait(process: subprocess.Popen[bytes], folder: Path, timeout: float, stopped: threading.Event) -> None:
    """Wait for the end without reaping: the group's number stays taken until the group is killed."""
    deadline = time.monotonic() + timeout
    while _runs(process):
        if time.monotonic() > deadline:
            raise ToolError(f"no end within {timeout:g} s; killed")
        if any((folder / name).stat().st_size > LARGEST_OUTPUT for name in ("stdout", "stderr")):
            raise ToolError(f"more than {LARGEST_OUTPUT >> 20} MiB of output; killed")
        if stopped.wait(LOOK_SECONDS):
            raise ServerError("stopped while a command was running")


def _runs(process: subprocess.Popen[bytes]) -> bool:
    if not hasattr(os, "waitid"):
        return process.poll() is None  # Windows: a handle keeps the number taken
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the process group, and what left it but is still a descendant."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for member in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
    kill_family(process)
    process.wait()


def _result(folder: Path, output: str) -> Path:
    if not output:
        return folder / "stdout"
    found = sorted(path for path in (folder / "out").glob(output) if path.is_file())
    if len(found) != 1:
        there = sorted(p.relative_to(folder / "out").as_posix() for p in (folder / "out").rglob("*"))
        raise ToolError(f"{len(found)} files match output {output!r}; {{out}} holds: {there[:10]}")
    return found[0]


def _decoded(path: Path) -> str:
    if path.stat().st_size > LARGEST_OUTPUT:
        raise ToolError(f"{path.name}: more than {LARGEST_OUTPUT >> 20} MiB")
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ToolError(f"{path.name} is not UTF-8: {error}") from error
