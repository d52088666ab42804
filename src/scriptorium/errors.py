"""One error class per kind of failure, and the exit code each one means.

0 done; 1 a bug of ours; 2 usage, configuration or bad input data; 3 done in part; 4 below a
threshold that was asked for; 5 server or network; 6 this host (disk, memory, open files).
"""

import contextlib
import errno
import sys
from collections.abc import Iterable, Iterator

EXHAUSTED = {
    getattr(errno, name)
    for name in ["ENOSPC", "EDQUOT", "EFBIG", "EMFILE", "ENFILE", "ENOMEM", "EIO", "EROFS"]
}
"""What a write fails of, without the name of a file, where a host has nothing more to give."""

SHORT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT})
"""What an OSError says where this host is short of something: no file, page or server is to blame."""


class ScriptoriumError(Exception):
    """A failure that was foreseen: the message names the file, the key, what was found, what to do."""

    exit_code = 1


class ConfigError(ScriptoriumError):
    """A config, recipe or command line that cannot be carried out."""

    exit_code = 2


class InputError(ScriptoriumError):
    """Input data that cannot be used."""

    exit_code = 2


class PartialError(ScriptoriumError):
    """The work was done in part; a report beside it names the rest."""

    exit_code = 3


class ThresholdError(ScriptoriumError):
    """A result lies below a threshold that was asked for."""

    exit_code = 4


class ServerError(ScriptoriumError):
    """A model server did not come up, went away, or cannot be reached."""

    exit_code = 5


class HostError(ScriptoriumError):
    """This host lacks something: disk, memory, open files, a system package."""

    exit_code = 6


def blame_host(error: BaseException, what: str) -> None:
    """Raise HostError if an error, or one that it came from, is one of SHORT; `what` was being done."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in SHORT:
            told = f"{what}: {cause.strerror} on this host; make room, or raise its limit (ulimit -n), and run again"
            raise HostError(told) from error
        cause = cause.__cause__ or cause.__context__


def nearest(name: str, known: Iterable[str]) -> str:
    """What to say after an unknown name: the nearest known one, or all of them."""
    import difflib  # a command that finds nothing wrong need not wait for it

    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(names) or 'none'}"


@contextlib.contextmanager
def reported() -> Iterator[None]:
    """End the process with a message and an exit code where a person can mend what went wrong.

    That is every typed error, a file that this host will not read or write, and a host without disk, memory
    or open files to give; a bug keeps its traceback.
    """
    try:
        yield
    except ScriptoriumError as error:
        sys.exit(_told(str(error), error.exit_code))
    except OSError as error:
        if error.filename is None and error.errno not in EXHAUSTED:
            raise
        what = f"{error.filename}: {error.strerror}" if error.filename else f"this host: {error.strerror}"
        sys.exit(_told(what, HostError.exit_code))


def _told(message: str, code: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    return code
