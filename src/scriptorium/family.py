"""The end of a process and of all that came of it, on every system."""

import contextlib
import os
import signal
import subprocess
from typing import Any


def kill_family(process: "subprocess.Popen[Any]") -> None:
    """Kill a process that leads a group (`start_new_session`), and the group; it is not waited for.

    Where there are no groups, on Windows, it and its descendants.
    """
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError):  # it has gone by itself
            os.killpg(process.pid, signal.SIGKILL)
        return
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        for each in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
    process.kill()
