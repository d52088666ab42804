"""Table tests taken apart: one test for each relation, so that each counts by itself."""

from pathlib import Path
from typing import Any

from scriptorium.bench.prepare.folder import (
    bring,
    check_free,
    encoded,
    new_bench,
    pdfs,
    read_lines,
    write_lines,
)

RELATIONS = ("up", "down", "left", "right", "top_heading", "left_heading")


def split_tables(root: Path, out: Path) -> int:
    """Write a bench whose table tests ask for one relation each; how many tests were taken apart.

    Tests of other types, and lines that are no tests, stay byte for byte. Raises ConfigError, InputError,
    TestError if a new id is in use.
    """
    files = {path.name: read_lines(path) for path in sorted(root.glob("*.jsonl"))}
    apart = {name: [_parts(line.record) for line in lines] for name, lines in files.items()}
    every = [part["id"] for each in apart.values() for parts in each for part in parts]
    ids = {line.record.get("id") for lines in files.values() for line in lines if line.record}
    check_free({one for one in ids if isinstance(one, str)}, every, "a part of a table test")
    with new_bench(root, out, {"made_from": root.name, "by": "split-tables"}) as part:
        for name, lines in files.items():
            rows = [
                row
                for line, parts in zip(lines, apart[name], strict=True)
                for row in ([encoded(one) for one in parts] or [line.raw])
            ]
            write_lines(part / name, rows)
        for name in pdfs(root):
            bring(root / "pdfs" / name, part / "pdfs" / name)
    return sum(bool(parts) for each in apart.values() for parts in each)


def _parts(record: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The tests that a table test comes apart to; none for any other, or for one with a single relation."""
    if not record or record.get("type") != "table" or not isinstance(record.get("id"), str):
        return []
    given = [name for name in RELATIONS if record.get(name)]
    if len(given) < 2:
        return []
    kept = {key: value for key, value in record.items() if key not in RELATIONS}
    return [kept | {"id": f"{record['id']}_{name}", name: record[name]} for name in given]
