"""Names and texts are Unicode, whatever the console or the locale of the process can say."""

import os
import sys


def use_unicode() -> None:
    """Have file names be UTF-8 in this process and its children, and output never fail for a letter.

    Where the locale's encoding is another (`LC_ALL=C` without UTF-8 mode, ISO 8859) the process starts itself
    anew in Python's UTF-8 mode. What a console cannot show is shown as an escape.
    """
    if os.name == "posix" and sys.getfilesystemencoding() != "utf-8" and "utf8" not in sys._xoptions:
        sys.stdout.flush()
        command = [sys.executable, "-X", "utf8", *sys.orig_argv[1:]]
        os.execve(sys.executable, command, os.environ | {"PYTHONUTF8": "1"})
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
