"""Files behind a URI, through fsspec: `s3://`, `gs://`, `az://`, `http(s)://`, `memory://` and its like."""

import re
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scriptorium.convert.patterns import has_magic, matches, split_base
from scriptorium.errors import ConfigError, InputError, blame_host
from scriptorium.files import sha256_json

URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
NO_LISTING = ("http", "https")
"""Schemes whose servers list no folders, and in whose addresses `?`, `*` and `[` stand for themselves."""

TRIES = 3
PAUSE_SECONDS = 1.0
BLOCK = 1 << 20
LARGEST = 4 << 30
"""Bytes of one document; a larger one is refused with a reason."""


class FetchError(InputError):
    """A file that could not be had. `reason`: missing, unreachable or too_large."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


def is_uri(text: str) -> bool:
    """Whether a source is a URI rather than a path; a drive letter is none."""
    return URI.match(text) is not None


def local_path(source: str) -> Path | None:
    """The path of a local source, `file://` too; None for what must be fetched."""
    if source.startswith("file://"):
        from urllib.request import url2pathname  # it loads much, and few name files so

        return Path(url2pathname(urlsplit(source).path))
    return None if is_uri(source) else Path(source)


def filesystem(uri: str) -> tuple[Any, str]:
    """The file system of a URI and the path on it. Raises ConfigError where a driver is missing."""
    try:
        return import_module("fsspec.core").url_to_fs(uri)
    except ImportError as error:
        what = "pip install '.[remote]'"
        raise ConfigError(f"{shown(uri)}: {error}; to read it: {what}") from error
    except ValueError as error:
        raise ConfigError(f"{shown(uri)}: {error}") from error


def shown(uri: str) -> str:
    """The URI as a message may show it: without user, password and query, where keys are."""
    return re.sub(r"(?<=://)[^/@]*@", "", uri).partition("?")[0]


def expand(uri: str) -> Iterator[str]:
    """The files that a URI names: itself, those below a folder, those that match a glob; sorted.

    Raises InputError if there are none.
    """
    scheme = uri.partition("://")[0]
    if scheme.lower() in NO_LISTING:
        yield uri
        return
    system, path = filesystem(uri)
    try:
        if system.isfile(path):
            yield uri
            return
        base, pattern = split_base(path) if has_magic(path) else (path.rstrip("/"), "**")
        names = sorted(system.find(base))
    except OSError as error:
        raise InputError(f"{shown(uri)}: cannot be listed: {error}") from error
    relative = [(name, name[len(base) :].lstrip("/")) for name in names]
    chosen = [name for name, rest in relative if matches(rest, pattern) and not hidden(rest)]
    if not chosen:
        raise InputError(f"{shown(uri)}: no such file, no folder with files, and nothing matches it")
    yield from (system.unstrip_protocol(name) for name in chosen)


def hidden(path: str) -> bool:
    """Whether a name in the path begins with a dot."""
    return any(part.startswith(".") for part in path.split("/"))


def fetch(uri: str, folder: Path) -> Path:
    """Download `uri` into `folder`; the path of the finished file, which the caller moves away.

    What a killed download left is continued if the file behind the URI is still the same. Raises FetchError.
    """
    system, path = filesystem(uri)
    for left in reversed(range(TRIES)):
        try:
            return _download(system, path, uri, folder)
        except FetchError:
            raise
        except Exception as error:  # each driver has its own: a timeout, a reset, a short read
            blame_host(error, shown(uri))
            again = _transport(error, uri)
            if not left or not again:
                reason = "unreachable" if again else "missing"
                raise FetchError(reason, f"{shown(uri)}: {_said(error, uri)}") from error
            time.sleep(PAUSE_SECONDS * (TRIES - left))
    raise AssertionError("unreachable")


def _download(system: Any, path: str, uri: str, folder: Path) -> Path:
    facts = system.info(path)
    size = facts.get("size")
    if size is not None and size > LARGEST:
        raise FetchError("too_large", f"{shown(uri)}: {size} bytes; at most {LARGEST} are read")
    version = [str(facts.get(key)) for key in ("ETag", "etag", "mtime", "LastModified", "last_modified")]
    part = folder / f"{sha256_json([uri, size, *version])[:32]}.fetch"
    folder.mkdir(parents=True, exist_ok=True)
    with system.open(path, "rb") as source, part.open("ab") as target:
        done = _resume(source, target, size)
        while block := source.read(BLOCK):
            done += target.write(block)
            if done > LARGEST:
                target.truncate(0)
                raise FetchError("too_large", f"{shown(uri)}: more than {LARGEST} bytes")
    if size is not None and done != size:
        part.unlink()
        raise OSError(f"{done} bytes came; {size} were announced")
    return part


def _resume(source: Any, target: Any, size: int | None) -> int:
    """Go on where an earlier download ended, if the source can; else begin anew. Bytes already there."""
    done = target.tell()
    if done and size is not None and done <= size and source.seekable():
        source.seek(done)
        return done
    target.truncate(0)
    return 0


def _status(error: BaseException) -> int:
    status = getattr(error, "status", 0)
    return status if isinstance(status, int) else 0


def _transport(error: BaseException, uri: str) -> bool:
    """Whether another try may help: all but an answer that refuses.

    Over http the driver calls whatever goes wrong a missing file; the cause tells a refusal from a fault.
    """
    if isinstance(error, FileNotFoundError) and error.__cause__ and uri.lower().startswith("http"):
        return _transport(error.__cause__, uri)
    if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
        return False
    status = _status(error)
    return not 400 <= status < 500 or status in (408, 425, 429)


def _said(error: Exception, uri: str) -> str:
    return (str(error) or type(error).__name__).replace(uri, shown(uri))
