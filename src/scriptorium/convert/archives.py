"""Zip and tar archives, read one member after the other: names are labels here, never paths on a disk."""

import bz2
import gzip
import lzma
import tarfile
import uuid
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import zstandard

from scriptorium.convert.remote import LARGEST, hidden
from scriptorium.errors import HostError, blame_host

MOST_MEMBERS = 1_000_000
RATIO = 200
"""Bytes out for each byte of the archive, beyond ALLOWANCE; past that it is taken for a bomb. Deflate can do
1,032, but documents are packed already, and bitmaps of print seldom reach 100."""
ALLOWANCE = 256 << 20
BLOCK = 1 << 20

COMPRESSIONS: tuple[tuple[bytes, Callable[[IO[bytes]], Any]], ...] = (
    (b"\x1f\x8b", lambda raw: gzip.GzipFile(fileobj=raw)),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ\x00", lzma.LZMAFile),
    (
        b"\x28\xb5\x2f\xfd",
        lambda raw: zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True),
    ),
)

FAULTS = (
    OSError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    ValueError,
    zlib.error,
    lzma.LZMAError,
    zstandard.ZstdError,
    zipfile.BadZipFile,
    tarfile.TarError,
)
"""What the libraries raise for archives that are torn, locked or packed in a way they do not know."""


@dataclass(frozen=True)
class Member:
    """A file of an archive: where it was written to, or the reason (code: sentence) why it was not."""

    name: str
    path: Path | None
    reason: str = ""


class BombError(Exception):
    """An archive that gives more than it should."""


def archive_kind(path: Path) -> str:
    """`zip`, `tar` (packed or not), `office` for the zips that are documents, or nothing; by content."""
    with path.open("rb") as file:
        return kind_of(file.read(1024))


def kind_of(head: bytes) -> str:
    """The same of a file that begins with `head`, 1,024 bytes of it or more."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        first = head[30 : 30 + int.from_bytes(head[26:28], "little")]
        return "office" if first in (b"[Content_Types].xml", b"mimetype", b"_rels/.rels") else "zip"
    if head[257:262] == b"ustar" or head.startswith(tuple(start for start, _ in COMPRESSIONS)):
        return "tar"
    return ""


def members(
    path: Path, kind: str, spool: Path, wanted: Callable[[str], bool]
) -> Generator[Member, None, None]:
    """The files of an archive whose names are `wanted`, in its order, each written into `spool`.

    Folders and names that begin with a dot are left out. A fault of the archive ends it with a member of no
    name that has the reason. Files belong to the caller. Raises HostError
    if the spool is full.
    """
    spool.mkdir(parents=True, exist_ok=True)
    budget = Budget(path.stat().st_size)
    yield from (_zip if kind == "zip" else _tar)(path, spool, wanted, budget)


class Budget:
    """What an archive may still give."""

    def __init__(self, size: int) -> None:
        self.bytes = ALLOWANCE + RATIO * size
        self.members = MOST_MEMBERS

    def member(self) -> None:
        """Count one member. Raises BombError."""
        self.members -= 1
        if self.members < 0:
            raise BombError(f"more than {MOST_MEMBERS} members")

    def take(self, count: int) -> None:
        """Count bytes. Raises BombError."""
        self.bytes -= count
        if self.bytes < 0:
            raise BombError(f"it unpacks to more than {RATIO} times its size")


def _zip(path: Path, spool: Path, wanted: Callable[[str], bool], budget: Budget) -> Iterator[Member]:
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                budget.member()
                if info.is_dir() or (hidden(info.filename) and not unsafe(info.filename)):
                    continue
                if wanted(info.filename):
                    yield _zip_member(archive, info, spool, budget)
    except BombError as error:
        yield Member("", None, f"bomb: {error}")
    except FAULTS as error:
        blame_host(error, path.name)
        yield Member("", None, f"damaged: the archive is torn: {error}")


def _zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, spool: Path, budget: Budget) -> Member:
    name = info.filename
    if refusal := unsafe(name):
        return Member(name, None, refusal)
    if info.flag_bits & 1:
        return Member(name, None, "encrypted: it is locked inside the archive; unpack it first")
    if info.file_size > LARGEST:
        return Member(name, None, f"too_large: {info.file_size} bytes; at most {LARGEST} are read")
    try:
        source = archive.open(info)
    except NotImplementedError as error:
        return Member(name, None, f"damaged: {error}; pack it with deflate")
    except FAULTS as error:
        blame_host(error, name)
        return Member(name, None, f"damaged: its entry in the archive is torn: {error}")
    with source:
        return _spooled(name, source, spool, budget)


def _tar(path: Path, spool: Path, wanted: Callable[[str], bool], budget: Budget) -> Iterator[Member]:
    try:
        with path.open("rb") as raw, tarfile.open(fileobj=_unpacked(raw, budget), mode="r|") as archive:
            for info in archive:
                budget.member()
                vars(archive)["members"] = []  # else the library keeps every header it has seen
                name = info.name.removeprefix("./")
                if info.isdir() or (hidden(name) and not unsafe(name)):
                    continue
                if wanted(name):
                    yield _tar_member(archive, info, name, spool, budget)
    except BombError as error:
        yield Member("", None, f"bomb: {error}")
    except FAULTS as error:
        blame_host(error, path.name)
        yield Member("", None, f"damaged: the archive is torn, or no tar: {error}")


def _tar_member(
    archive: tarfile.TarFile, info: tarfile.TarInfo, name: str, spool: Path, budget: Budget
) -> Member:
    if refusal := unsafe(name):
        return Member(name, None, refusal)
    if not info.isreg():
        return Member(name, None, "missing: a link or a device, not a file")
    if info.size > LARGEST:
        return Member(name, None, f"too_large: {info.size} bytes; at most {LARGEST} are read")
    source = archive.extractfile(info)
    assert source is not None  # a regular file has content
    return _spooled(name, source, spool, budget)


class Counted:
    """A stream that is read through a budget: skipping costs as much as writing."""

    def __init__(self, stream: Any, budget: Budget) -> None:
        self.stream, self.budget = stream, budget

    def read(self, size: int = -1) -> bytes:
        """Read on. Raises BombError."""
        data = self.stream.read(size)
        self.budget.take(len(data))
        return data


def _unpacked(raw: IO[bytes], budget: Budget) -> Any:
    head = raw.read(8)
    raw.seek(0)
    for start, opener in COMPRESSIONS:
        if head.startswith(start):
            return Counted(opener(raw), budget)
    return raw


def _spooled(name: str, source: Any, spool: Path, budget: Budget) -> Member:
    """Write a member into a file of its own; a torn one is a member with a reason, and leaves no file."""
    path = spool / f"{uuid.uuid4().hex}.member"
    target = path.open("xb")
    try:
        with target:
            while block := _read(source):
                if isinstance(source, zipfile.ZipExtFile):
                    budget.take(len(block))
                _write(target, block)
    except TornError as error:
        path.unlink()
        return Member(name, None, f"damaged: it is torn in the archive: {error}")
    except BaseException:
        path.unlink()
        raise
    return Member(name, path)


def _write(target: IO[bytes], block: bytes) -> None:
    """Write. Raises HostError: a full disk is no fault of the archive."""
    try:
        target.write(block)
    except OSError as error:
        raise HostError(f"{target.name}: {error.strerror}; make room and run again") from error


class TornError(Exception):
    """A member whose bytes cannot be had."""


def _read(source: Any) -> bytes:
    try:
        return source.read(BLOCK)
    except FAULTS as error:
        blame_host(error, "reading an archive")
        raise TornError(str(error) or type(error).__name__) from error


def unsafe(name: str) -> str:
    """Why a member's name is refused, or nothing: outputs are named after it."""
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or name[1:2] == ":" or "\0" in name:
        return "unsafe: its name leads out of the archive; rename it"
    try:
        name.encode()
    except UnicodeEncodeError:
        return "unsafe: its name is not UTF-8; rename it"
    return ""
