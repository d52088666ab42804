"""What every workflow script runs in: one writer at a time, and errors as exit codes."""

import contextlib
import hashlib
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from scriptorium.console import use_unicode
from scriptorium.errors import reported
from scriptorium.locks import try_lock

LEASES = "SCRIPTORIUM_LEASES"
"""Environment variable: the folder for the workflow's leases (set in rules/common.smk)."""


def holder(path: Path) -> str | None:
    """Who holds the lease file `path`, as it wrote itself down; None if nobody does."""
    if not path.exists():
        return None
    with path.open(encoding="utf-8") as file:
        if try_lock(file):
            return None
        return file.read().strip() or "a process that has not written its name yet"


@contextlib.contextmanager
def lease(path: Path) -> Iterator[None]:
    """Hold the lease file `path`, waiting for whoever holds it: an orphan of a killed launch, say.

    The kernel gives a lease back when its holder dies, however it dies.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    said = None
    with path.open("a+", encoding="utf-8") as file:
        while not try_lock(file):
            file.seek(0)
            if (found := file.read().strip()) != said:
                print(f"waiting for {path}: held by {found}", file=sys.stderr, flush=True)
            said = found
            time.sleep(1)
        file.seek(0)
        file.truncate()
        job = os.environ.get("SLURM_JOB_ID", "-")
        file.write(
            f"pid {os.getpid()} on {socket.gethostname()}, SLURM job {job}, {Path(sys.argv[0]).name}\n"
        )
        file.flush()
        yield


def run(main: Callable[[], None]) -> None:
    """Run a workflow script's `main` under a lease of its own command line; exit with its error's code."""
    use_unicode()
    folder = os.environ.get(LEASES)
    name = f"{Path(sys.argv[0]).stem}-{hashlib.sha256(chr(0).join(sys.argv).encode()).hexdigest()[:12]}"
    with reported(), lease(Path(folder) / name) if folder else contextlib.nullcontext():
        main()
