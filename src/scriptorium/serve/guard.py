"""Runs one command, ends with it, and takes it along when the parent dies.

`python -m scriptorium.serve.guard PARENT COMMAND...`, with the process id of the parent.

The guard leads its own process group. If its parent goes, even by SIGKILL, the kernel signals the
guard (PR_SET_PDEATHSIG), and the guard kills the whole group: a server's engine processes included.
"""

import ctypes
import os
import signal
import subprocess
import sys
from typing import Any, NoReturn

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def die_with_parent(signum: int) -> None:
    """Ask the kernel to send this process `signum` when its parent dies. Linux only; elsewhere nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signum)


def kill_group(*_: Any) -> NoReturn:
    """Kill the whole process group, this process too; on Windows this process and what came of it."""
    if not hasattr(os, "killpg"):
        import psutil

        for each in psutil.Process().children(recursive=True):
            each.kill()
        raise SystemExit(1)
    os.killpg(os.getpgrp(), signal.SIGKILL)
    raise SystemExit(1)


def main(parent: int, command: list[str]) -> int:
    """Run `command` until it ends; its exit code. `parent` is the process id whose death ends it."""
    signal.signal(signal.SIGTERM, kill_group)
    die_with_parent(signal.SIGTERM)
    if os.getppid() != parent:  # it died before the request was in place
        kill_group()
    prepare = (lambda: die_with_parent(signal.SIGKILL)) if sys.platform == "linux" else None
    child = subprocess.Popen(command, preexec_fn=prepare)
    return child.wait()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
