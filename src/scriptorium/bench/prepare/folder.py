"""A bench folder made of another one."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from scriptorium.bench.candidates.specs import NAME
from scriptorium.bench.tests import TestError, records
from scriptorium.errors import ConfigError, InputError
from scriptorium.files import link_or_copy, whole, write_json

RECORD = "variant.json"
"""The file in a bench that says what it was made of and how."""


class Line(NamedTuple):
    """A line of a test file: its bytes without the newline, and the JSON object in it, None if there is none."""

    raw: bytes
    record: dict[str, Any] | None


@contextlib.contextmanager
def new_bench(root: Path, out: Path, how: dict[str, Any]) -> Iterator[Path]:
    """A folder to write a bench to; it becomes `out` when all went well. `how` is kept in it.

    Raises InputError if `root` is no bench, ConfigError if `out` is there or one lies within the other.
    """
    if not (root / "pdfs").is_dir():
        raise InputError(f"{root}: not a bench folder: it has no pdfs/")
    if out.exists():
        raise ConfigError(f"--out {out}: is there already; name a new folder")
    inner, outer = out.resolve(), root.resolve()
    if inner.is_relative_to(outer):
        raise ConfigError(
            f"--out {out}: lies within the bench, where folders are candidates; name one outside"
        )
    with whole(out) as part:
        part.mkdir()
        yield part
        write_json(part / RECORD, how)


def read_lines(path: Path) -> list[Line]:
    """The lines of a test file, good, bad and blank. Raises InputError if it cannot be read."""
    found = dict(records(path))
    return [
        Line(raw, found[number] if isinstance(found.get(number), dict) else None)
        for number, raw in enumerate(path.read_bytes().split(b"\n"), 1)
    ]


def write_lines(path: Path, lines: list[bytes]) -> None:
    """Write the lines of a test file as `read_lines` parts them."""
    with whole(path) as part:
        part.write_bytes(b"\n".join(lines))


def encoded(record: dict[str, Any]) -> bytes:
    """A record as a line of a test file."""
    return json.dumps(record, ensure_ascii=False).encode()


def pdfs(root: Path) -> list[str]:
    """The paths of a bench's PDFs below pdfs/."""
    return sorted(path.relative_to(root / "pdfs").as_posix() for path in (root / "pdfs").rglob("*.pdf"))


def bring(source: Path, target: Path) -> None:
    """A hard link to a file, or a copy where that cannot be: PDFs are never written in place."""
    target.parent.mkdir(parents=True, exist_ok=True)
    link_or_copy(source, target)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def check_name(candidate: str) -> None:
    """Raises ConfigError for a name that cannot be a candidate's folder."""
    if not NAME.fullmatch(candidate) or candidate == "pdfs":
        raise ConfigError(f"--name {candidate!r}: letters, digits, `.`, `_` and `-`, and not `pdfs`")


def check_free(ids: set[str], new: list[str], what: str) -> None:
    """Raises TestError if a new id is in use or given twice."""
    taken = set(ids)
    for one in new:
        if one in taken:
            raise TestError(f"{what} would get the id {one!r}, which is in use; rename that test", field="id")
        taken.add(one)
