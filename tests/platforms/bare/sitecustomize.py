"""Makes Python on Linux lack what it lacks on Windows; loaded at the start of every process with this folder on
PYTHONPATH.

Modules and functions are taken away, not imitated, with two exceptions: `msvcrt.locking`, since a lease needs a
lock, done by lockf; and the kill methods of Popen and psutil, which is TerminateProcess there. psutil and numpy are
loaded before, since their builds for Linux want what is taken away.
"""

import importlib.abc
import os
import select
import signal
import subprocess
import sys
import types

GONE = ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog", "readline", "curses")
SIGNALS = (
    "SIGKILL",
    "SIGUSR1",
    "SIGUSR2",
    "SIGXCPU",
    "SIGTRAP",
    "SIGHUP",
    "SIGPIPE",
    "SIGALRM",
    "SIGCHLD",
    "SIGQUIT",
)
SYSTEM = [
    "fork",
    "forkpty",
    "killpg",
    "getpgid",
    "getpgrp",
    "setpgid",
    "setsid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "waitid",
    "readv",
    "writev",
    "sched_getaffinity",
    "sched_setaffinity",
    "register_at_fork",
    "mkfifo",
    "statvfs",
    "sysconf",
    "getloadavg",
    "nice",
    "chown",
    "fchown",
    "lchown",
    "chroot",
    "sync",
    "fdatasync",
    "pread",
    "pwrite",
    "sendfile",
    "posix_fadvise",
    "posix_spawn",
    "wait3",
    "wait4",
]


class Absent(importlib.abc.MetaPathFinder):
    """Refuses the modules that are not there."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """As for a module that no other finder finds."""
        if name in GONE:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def locking() -> types.ModuleType:
    """A module msvcrt with the one function that a lock needs."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    library = types.ModuleType("msvcrt")

    def lock(descriptor: int, mode: int, count: int) -> None:
        if libc.lockf(descriptor, 2, ctypes.c_long(count)):  # F_TLOCK
            raise OSError(ctypes.get_errno(), "locked")

    library.LK_NBLCK, library.locking = 2, lock
    return library


def kill(process: subprocess.Popen) -> None:
    """As TerminateProcess: no handler, no delay."""
    if getattr(process, "returncode", None) is None:
        os.kill(process.pid, 9)


def bare() -> None:
    """Take it all away."""
    import ctypes
    import ctypes.util
    import multiprocessing
    import random

    import numpy
    import psutil

    sys.modules["msvcrt"] = locking()
    subprocess.Popen.kill = psutil.Process.kill = kill
    for name in GONE:
        sys.modules.pop(name, None)
    sys.meta_path.insert(0, Absent())
    for module, names in ((signal, SIGNALS), (os, SYSTEM), (select, ("poll",))):
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    multiprocessing.set_start_method("spawn", force=True)
    assert ctypes and random and numpy


bare()
