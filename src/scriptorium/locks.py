"""A lock on an open file, against the other processes of this machine, on every system that has one.

The kernel gives it back when its holder dies, however that dies. The file can be read and written all the
same: Windows locks bytes, so there it is one far behind the end of any file.
"""

import os
import time
from importlib import import_module
from typing import IO, Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

FAR = 0x7FFFFFF0
"""The byte that is locked on Windows, whose call takes 31 bits."""
PAUSE_SECONDS = 0.1


def try_lock(file: IO[Any]) -> bool:
    """Lock an open file, unless another process holds it. True if it is locked now."""
    if fcntl:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
    windows: Any = import_module("msvcrt")
    place = os.lseek(file.fileno(), 0, os.SEEK_CUR)
    os.lseek(file.fileno(), FAR, os.SEEK_SET)
    try:
        windows.locking(file.fileno(), windows.LK_NBLCK, 1)
    except OSError:
        return False
    finally:
        os.lseek(file.fileno(), place, os.SEEK_SET)
    return True


def lock(file: IO[Any]) -> None:
    """Lock an open file as soon as nobody else holds it."""
    if fcntl:
        fcntl.flock(file, fcntl.LOCK_EX)
        return
    while not try_lock(file):
        time.sleep(PAUSE_SECONDS)
