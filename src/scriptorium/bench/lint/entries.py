"""The lines of a bench's test files, good and bad, and what is wrong with each by itself."""

import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scriptorium.bench.lint.findings import Finding
from scriptorium.bench.tests import Test, TestError, check_test, faults, records

SHOWN = 80
"""Characters of a text that a message quotes."""


@dataclass(frozen=True, eq=False)
class Entry:
    """A line of a test file: the JSON value and, where it is one, the test with defaults filled in.

    `record` is a TestError for a line that is not JSON.
    """

    file: str
    line: int
    record: Any
    test: Test | None

    @property
    def id(self) -> str | None:
        """The test's id, also of a record that is no test otherwise."""
        found = self.record.get("id") if isinstance(self.record, dict) else None
        return found if isinstance(found, str) else None

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.file}:{self.line}"

    def finding(self, code: str, message: str) -> Finding:
        """A finding about this line."""
        return Finding(code, self.file, self.line, self.id, message)


Placed = tuple[Entry, Test]
"""A good test with the line it comes from."""


def read_entries(root: Path, files: list[Path]) -> tuple[list[Entry], list[Finding]]:
    """The lines of the files that are not blank, and the files that cannot be read."""
    entries: list[Entry] = []
    findings: list[Finding] = []
    for path in files:
        name = path.relative_to(root).as_posix()
        try:
            for line, record in records(path):
                entries.append(Entry(name, line, record, _test(record)))
        except TestError as error:
            findings.append(Finding("unreadable_file", name, None, None, error.problem))
    return entries, findings


def _test(record: Any) -> Test | None:
    if isinstance(record, TestError):
        return None
    try:
        return check_test(record)
    except TestError:
        return None


def tests_of(entries: list[Entry]) -> list[Placed]:
    """The good tests, each with its line."""
    return [(entry, entry.test) for entry in entries if entry.test is not None]


def check_lines(root: Path, entries: list[Entry]) -> Iterator[Finding]:
    """Lines that are not JSON, keys given twice, faults of fields, ids used twice."""
    for entry in entries:
        if isinstance(entry.record, TestError):
            yield entry.finding("not_json", f"{entry.record.problem}; mend the line by hand")
            continue
        for fault in faults(entry.record):
            yield entry.finding("bad_test", f"{f'{fault.field}: ' if fault.field else ''}{fault.problem}")
    yield from _keys_twice(root, entries)
    yield from _ids_twice(entries)
    yield from _automatic(entries)


def _keys_twice(root: Path, entries: list[Entry]) -> Iterator[Finding]:
    """JSON lets a key stand twice, and the last one wins without a word."""
    lines = {file: (root / file).read_bytes().split(b"\n") for file in {entry.file for entry in entries}}
    for entry in entries:
        if isinstance(entry.record, dict):
            for key in _twice(lines[entry.file][entry.line - 1]):
                yield entry.finding("key_twice", f"{key}: is given twice; only the last counts, keep one")


def _twice(line: bytes) -> list[str]:
    twice: list[str] = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = Counter(name for name, _ in pairs)
        twice.extend(name for name, count in names.items() if count > 1)
        return dict(pairs)

    with contextlib.suppress(RecursionError):  # nested to the very limit: it is named as a wrong field
        json.loads(line, object_pairs_hook=note)
    return twice


def _ids_twice(entries: list[Entry]) -> Iterator[Finding]:
    seen: dict[str, Entry] = {}
    for entry in entries:
        if entry.id is None:
            continue
        first = seen.setdefault(entry.id, entry)
        if first is entry:
            continue
        if first.file == entry.file and first.record == entry.record:
            yield entry.finding(
                "exact_duplicate", f"the same test stands in {first.place}; --fix drops this one"
            )
        else:
            yield entry.finding("id_twice", f"{first.place} has this id too; give one of them another")


def _automatic(entries: list[Entry]) -> Iterator[Finding]:
    """Every PDF without a baseline test gets one; no other test may bear its id."""
    named = {test["pdf"] for _, test in tests_of(entries)}
    tested = {test["pdf"] for _, test in tests_of(entries) if test["type"] == "baseline"}
    taken = {f"{pdf}_baseline" for pdf in named - tested}
    taken |= {f"{t['pdf']}_pg{t['page']}_baseline" for _, t in tests_of(entries) if t["pdf"] not in tested}
    for entry, _ in tests_of(entries):
        if entry.id in taken:
            yield entry.finding("id_automatic", "is the id of an automatic baseline test; choose another")


def shown(text: str) -> str:
    """A text as a message quotes it, cut where it is long."""
    return repr(text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…")
