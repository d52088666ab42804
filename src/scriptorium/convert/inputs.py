"""What there is to convert: files, folders, globs, lists, manifests and URIs, in a stable order.

Nothing is opened here but lists and manifests: what a file is, its content says later.
"""

import hashlib
import json
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scriptorium.convert import remote
from scriptorium.convert.looked import Stamp, stamp_of
from scriptorium.convert.patterns import has_magic, matches, split_base
from scriptorium.convert.ranges import Ranges, parse_ranges
from scriptorium.errors import InputError, blame_host
from scriptorium.files import sha256_json

STDIN = "-"
LIST_MARK = "@"
MANIFEST_KEYS = ("source", "id", "pages", "password")
HEAD = 1 << 16


@dataclass(frozen=True)
class Document:
    """A file or an archive that is to be looked at. `reason` (code: sentence): why it cannot be."""

    source: str
    id: str = ""
    ranges: Ranges = ()
    password: str | None = field(default=None, repr=False)
    metadata: str = ""
    reason: str = ""
    stamp: Stamp | None = field(default=None, repr=False, compare=False)
    """Of a local file, as it was when it was found."""


def find(
    sources: Sequence[str], lists: Sequence[str] = (), pages: str = "", stdin: Iterable[str] | None = None
) -> Iterator[Document]:
    """Every document that `sources` and the text files `lists` name, in their order; folders by name.

    A source: a file, a folder, a glob, a manifest (JSONL or Parquet with a column `source`), `@list`, `-`
    (paths on `stdin`), or a URI of any of these but a manifest. `pages`: the ranges of every document that
    has none of its own. Raises InputError for a source that names nothing.
    """
    ranges = parse_ranges(pages)
    for source in [*sources, *(LIST_MARK + name for name in lists)]:
        if source == STDIN:
            yield from _named(sys.stdin if stdin is None else stdin, ranges)
        elif source.startswith(LIST_MARK) and not Path(source).exists():
            yield from _named(_lines(Path(source[1:])), ranges)
        elif (path := remote.local_path(source)) and path.is_file() and is_manifest(path):
            yield from _manifest(path, ranges)
        else:
            yield from expand(source, ranges)


def is_manifest(path: Path) -> bool:
    """Whether a file is a manifest: Parquet, or JSON lines whose first has a source."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head.startswith(b"PAR1"):
        return True
    line = head.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n")[0]
    if not line.startswith(b"{"):
        return False
    try:
        return "source" in json.loads(line)
    except ValueError:
        return b'"source"' in line


def expand(source: str, ranges: Ranges = ()) -> Iterator[Document]:
    """The files of one source: of a folder those below it, of a glob those that match."""
    path = remote.local_path(source)
    if path is None:
        yield from (Document(uri, ranges=ranges) for uri in remote.expand(source))
    elif path.is_dir():
        yield from _some(walk(path), ranges, f"corpus {source}: the folder has no files")
    elif path.exists() or path.is_symlink():
        yield _document(path, ranges)
    elif has_magic(text := path.as_posix()):
        base, pattern = split_base(text)
        root = Path(base)
        found = (p for p in walk(root) if matches(p.relative_to(root).as_posix(), pattern))
        yield from _some(found, ranges, f"corpus {source}: nothing matches it")
    else:
        raise InputError(f"corpus {source}: no such folder or file")


def state(source: str) -> str:
    """A hash of the names, sizes and times of a local source's files, also in folders below it; else nothing.

    It changes when the source is to be planned again, and costs a look at each file's entry: 10 s a million.
    """
    path = remote.local_path(source)
    if path is None or not path.exists():
        return ""
    digest = hashlib.sha256()
    for document in expand(source) if not path.is_dir() or any(os.scandir(path)) else ():
        digest.update(f"{document.source}\0{(document.stamp or ())[:2]}\n".encode())
    return digest.hexdigest()


def _some(paths: Iterable[Path], ranges: Ranges, otherwise: str) -> Iterator[Document]:
    """The documents at `paths`. Raises InputError if there are none."""
    path = None
    for path in paths:
        yield _document(path, ranges)
    if path is None:
        raise InputError(otherwise)


def walk(folder: Path) -> Iterator[Path]:
    """Every path below `folder` that is not a folder, by name; names that begin with a dot are left out.

    A link to a folder is not followed: it comes as a path of its own, and gets a row.
    """
    if not folder.is_dir():
        return
    try:
        names, folders = listed(folder)
    except OSError as error:
        blame_host(error, f"corpus {folder}")
        raise InputError(f"corpus {folder}: cannot be listed: {error.strerror}") from error
    for name in names:
        if name in folders:
            yield from walk(folder / name)
        else:
            yield folder / name


def listed(folder: Path) -> tuple[list[str], set[str]]:
    """The sorted names in a folder that do not begin with a dot, and which of them are folders.

    Names alone are kept, some 100 bytes each: folders with ten million files have been seen.
    """
    names, folders = [], set()
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name[0] != ".":
                names.append(entry.name)
                if entry.is_dir(follow_symlinks=False):
                    folders.add(entry.name)
    names.sort()
    return names, folders


def _document(path: Path, ranges: Ranges) -> Document:
    source = path.as_posix()
    try:
        source.encode()
    except UnicodeEncodeError:
        source = source.encode("utf-8", "backslashreplace").decode()
        return Document(source, reason="missing: its name is not UTF-8; rename it")
    try:
        status = path.stat()
    except OSError as error:
        return Document(source, reason=f"missing: a link to nothing, or out of reach: {error.strerror}")
    if not stat.S_ISREG(status.st_mode):  # a pipe, a device: opening it could hang
        return Document(source, reason="missing: not a file")
    return Document(source, ranges=ranges, stamp=stamp_of(status))


def _named(lines: Iterable[str], ranges: Ranges) -> Iterator[Document]:
    """The documents of a list, one source a line; a line that names nothing gets a row with the reason."""
    for line in lines:
        if name := line.rstrip("\r\n"):
            yield from _expanded(name, ranges)


def _expanded(source: str, ranges: Ranges) -> Iterator[Document]:
    try:
        yield from expand(source, ranges)
    except InputError as error:
        yield Document(remote.shown(source), reason=f"missing: {error}")


def _lines(path: Path) -> Iterator[str]:
    if not path.is_file():
        raise InputError(f"list {path}: no such file")
    with path.open(encoding="utf-8-sig") as file:
        try:
            yield from file
        except UnicodeDecodeError as error:
            raise InputError(f"list {path}: not UTF-8: {error}") from error


def _manifest(path: Path, ranges: Ranges) -> Iterator[Document]:
    """The documents of a manifest. Raises InputError with file, row and key where it is wrong."""
    seen: set[str] = set()
    for number, row in manifest_rows(path):
        where = f"manifest {path}, row {number}"
        source = row.get("source")
        if not isinstance(source, str) or not source:
            raise InputError(f"{where}: source: found {source!r}, must be a path or URI")
        name = "" if row.get("id") is None else str(row["id"])
        if name in seen:
            raise InputError(f"{where}: id: {name!r} is there twice; ids are unique")
        seen |= {name} - {""}
        own = "" if row.get("pages") is None else str(row["pages"])
        try:
            wanted = parse_ranges(own) or ranges
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
        more = {key: value for key, value in row.items() if key not in MANIFEST_KEYS and value is not None}
        text = json.dumps(more, ensure_ascii=False, sort_keys=True, default=str) if more else ""
        for found in _expanded(source, wanted):
            own_password = _password(row)
            yield Document(found.source, name, found.ranges, own_password, text, found.reason, found.stamp)


def _password(row: dict[str, Any]) -> str | None:
    return None if row.get("password") in (None, "") else str(row["password"])


def manifest_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number (from 1) and content of a manifest's rows, read a batch at a time."""
    with path.open("rb") as file:
        packed = file.read(4) == b"PAR1"
    yield from _parquet_rows(path) if packed else _json_rows(path)


def _json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputError(f"manifest {path}, row {number}: not JSON: {error}") from error
        if not isinstance(row, dict):
            raise InputError(f"manifest {path}, row {number}: found {type(row).__name__}, must be an object")
        yield number, row


def _parquet_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        number = 0
        for batch in pq.ParquetFile(path).iter_batches(batch_size=1024):
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"manifest {path}: not a whole Parquet file: {error}") from error


def manifests(sources: Sequence[str]) -> list[str]:
    """Those of `sources` that are manifests: where passwords are read again."""
    paths = [(source, remote.local_path(source)) for source in sources if source != STDIN]
    return [source for source, path in paths if path and path.is_file() and is_manifest(path)]


def password_key(source: str, name: str) -> str:
    """What a password is looked up by: the manifest's id if there is one, and the file."""
    return sha256_json([source, name])


def passwords(paths: Iterable[str]) -> dict[str, str]:
    """The passwords in manifests, by `password_key`."""
    found = {}
    for name in paths:
        path = remote.local_path(name)
        assert path is not None  # a manifest is a local file
        if not path.is_file():
            raise InputError(
                f"manifest {name}: no such file; the passwords of the plan's documents are in it"
            )
        for document in _manifest(path, ()):
            if document.password:
                found[password_key(document.source, document.id)] = document.password
    return found
