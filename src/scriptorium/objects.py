"""Small files by name below a folder or in a bucket: created once, replaced whole, listed as they are now.

`Folder` works on any file system, NFS included: nothing here locks, maps or appends. `Bucket` is S3 through
s3fs. What several processes must not both do rests on `create` alone.
"""

import contextlib
import copy
import os
import sys
import time
import uuid
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from scriptorium.errors import ConfigError, HostError, ServerError

Result = TypeVar("Result")
SCHEMES = ("s3", "s3a")
PATIENCE_SECONDS = 600.0
"""How long an object store may fail before the run ends."""
LONGEST_PAUSE_SECONDS = 30.0
CONNECT_SECONDS, READ_SECONDS = 10, 60


class Folder:
    """Files below a local folder. Names have `/` between their parts."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __str__(self) -> str:
        return str(self.root)

    def below(self, folder: str) -> "Folder":
        """The files below a folder of these."""
        return Folder(self.root / folder)

    def names(self, under: str) -> dict[str, int]:
        """The files in the folder `under`, and their sizes in bytes; none if it is not there."""
        found: dict[str, int] = {}
        with (
            contextlib.suppress(FileNotFoundError, NotADirectoryError),
            os.scandir(self.root / under) as all_,
        ):
            for entry in all_:
                with contextlib.suppress(FileNotFoundError):  # it went away since
                    if not entry.name.startswith(".") and entry.is_file():
                        found[entry.name] = entry.stat().st_size
        return found

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        """The bytes of a file, or a part of them. Raises FileNotFoundError."""
        with (self.root / name).open("rb") as file:
            file.seek(start)
            return file.read(-1 if length is None else length)

    def create(self, name: str, data: bytes) -> bool:
        """Make a new file; False if there is one of that name. Of several who try, one succeeds."""
        path = self._path(name)
        try:
            with path.open("xb") as file:
                file.write(data)
        except FileExistsError:
            return False
        except OSError as error:
            raise HostError(f"{path}: {error.strerror}; make room and run again") from error
        return True

    def put(self, name: str, data: bytes) -> None:
        """Write a file, replacing one that is there. A reader sees the one or the other."""
        path = self._path(name)
        part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
        try:
            part.write_bytes(data)
            part.replace(path)
        except OSError as error:
            raise HostError(f"{path}: {error.strerror}; make room and run again") from error
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Remove a file if it is there."""
        (self.root / name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        """The path of a file, its folder made."""
        path = self.root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HostError(f"{path.parent}: {error.strerror}; name another folder") from error
        return path


class Bucket:
    """Objects below a prefix of an S3 bucket. Faults of the line are waited out; then ServerError is raised."""

    def __init__(self, uri: str, patience: float = PATIENCE_SECONDS) -> None:
        """`uri`: `s3://bucket/prefix`. Raises ConfigError for another scheme, or without the driver."""
        self.uri, self.patience = uri.rstrip("/"), patience
        scheme = uri.partition("://")[0].lower()
        if scheme not in SCHEMES:
            raise ConfigError(
                f"{uri}: a store needs objects that are created only where there is none; "
                f"known for s3:// alone, found {scheme}://; name a folder or an s3:// prefix"
            )
        try:
            driver = import_module("s3fs").S3FileSystem
        except ImportError as error:
            raise ConfigError(f"{uri}: {error}; to use it: pip install '.[remote]'") from error
        config = {
            "connect_timeout": min(CONNECT_SECONDS, patience),
            "read_timeout": min(READ_SECONDS, patience),
            "retries": {"total_max_attempts": 1, "mode": "standard"},
        }
        self.system: Any = driver(
            use_listings_cache=False, skip_instance_cache=True, config_kwargs=config, max_concurrency=1
        )
        self.system.retries = 1  # `_tried` tries again: one place that waits, and that ends
        self.prefix = self.uri.partition("://")[2]

    def __str__(self) -> str:
        return self.uri

    def below(self, folder: str) -> "Bucket":
        """The objects below a folder of these."""
        other = copy.copy(self)
        other.uri, other.prefix = f"{self.uri}/{folder}", f"{self.prefix}/{folder}"
        return other

    def everything(self) -> list[str]:
        """The names of all objects, in folders too."""
        found = self._tried(lambda: self.system.find(self.prefix, refresh=True), "")
        return [name.removeprefix(self.prefix).lstrip("/") for name in found]

    def names(self, under: str) -> dict[str, int]:
        """The objects right below `under`, and their sizes in bytes."""
        where = f"{self.prefix}/{under}".rstrip("/")
        try:
            listed = self._tried(lambda: self.system.ls(where, detail=True, refresh=True), where)
        except FileNotFoundError:
            return {}
        files = (each for each in listed if each["type"] == "file")
        return {each["name"].rpartition("/")[2]: each["size"] for each in files}

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        """The bytes of an object, or a part of them. Raises FileNotFoundError."""
        if length == 0:
            return b""
        part = {} if length is None and not start else {"start": start}
        part |= {} if length is None else {"end": start + length}
        return self._tried(lambda: self.system.cat_file(f"{self.prefix}/{name}", **part), name)

    def create(self, name: str, data: bytes) -> bool:
        """Make a new object; False if there is one of that name. Of several who try, one succeeds."""
        where = f"{self.prefix}/{name}"
        try:
            self._tried(lambda: self.system.pipe_file(where, data, mode="create"), name)
        except FileExistsError:
            # An answer may be lost behind a success, and the second try then meets the object of the first.
            return self.read(name) == data
        except FileNotFoundError as error:
            raise ConfigError(f"{self.uri}: {error}; make the bucket first") from error
        return True

    def put(self, name: str, data: bytes) -> None:
        """Write an object, replacing one that is there."""
        try:
            self._tried(lambda: self.system.pipe_file(f"{self.prefix}/{name}", data), name)
        except FileNotFoundError as error:
            raise ConfigError(f"{self.uri}: {error}; make the bucket first") from error

    def remove(self, name: str) -> None:
        """Remove an object if it is there."""
        with contextlib.suppress(FileNotFoundError):
            self._tried(lambda: self.system.rm_file(f"{self.prefix}/{name}"), name)

    def _tried(self, call: Callable[[], Result], name: str) -> Result:
        """What `call` returns, once it does."""
        begun, pause = time.monotonic(), 0.5
        while True:
            try:
                return call()
            except (FileNotFoundError, FileExistsError):
                raise
            except PermissionError as error:
                raise ConfigError(f"{self.uri}/{name}: {error}; look at the keys and the bucket") from error
            except Exception as error:  # the driver and what it stands on have dozens
                if refused_to_replace(error):
                    raise FileExistsError(name) from error
                if fault_of_config(error):
                    raise ConfigError(f"{self.uri}/{name}: {error}") from error
                if time.monotonic() - begun + pause > self.patience:
                    raise ServerError(f"{self.uri}/{name}: {error}; run again when it is back") from error
                if pause == 0.5:
                    told = f"{self.uri}: {error}; waiting up to {self.patience:.0f} s"
                    print(told, file=sys.stderr, flush=True)
                time.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def refused_to_replace(error: Exception) -> bool:
    """Whether a store that is not Amazon's says that there is an object already."""
    response = getattr(error.__cause__, "response", None) or {}
    return response.get("Error", {}).get("Code") in ("PreconditionFailed", "412")


def fault_of_config(error: Exception) -> bool:
    """Whether a driver's error means keys that are missing or an address that is wrong: waiting mends nothing."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(
        names & {"NoCredentialsError", "PartialCredentialsError", "ParamValidationError", "ValueError"}
    )


def objects_at(where: str) -> "Folder | Bucket":
    """The objects of a local folder, or of an `s3://` prefix."""
    return Bucket(where) if "://" in where else Folder(Path(where))
