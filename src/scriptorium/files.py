"""Files written whole or not at all, and their hashes."""

import contextlib
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PART = ".*.????????.part"
"""What `whole` calls a file or folder until it is done, as a pattern."""


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends without an error.

    The block may make a file or a folder there. A folder at `path` is replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        yield part
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        part.replace(path)
    finally:
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove what killed writers left half done in `folder` and the folders in it; nobody may be writing there."""
    for part in [*folder.glob(PART), *folder.glob(f"*/{PART}")]:
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink()


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    with whole(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write one JSON object a line, whole or not at all."""
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """The JSON objects of a JSONL file; blank lines are passed over."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def sha256_file(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_tree(folder: Path) -> str:
    """The SHA-256 over the names and bytes of a folder's files, dot files left out, in hex."""
    total = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder)
        if not any(part.startswith(".") for part in name.parts):
            total.update(f"{name.as_posix()}\0{sha256_file(path)}\n".encode())
    return total.hexdigest()


def sha256_json(value: Any) -> str:
    """The SHA-256 of a value's canonical JSON, in hex: equal for equal values, whatever their order."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def link_or_copy(source: str | Path, target: str | Path) -> None:
    """A hard link to a file (to a link's own target), or a copy where that cannot be: another file system."""
    try:
        os.link(Path(source).resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
