"""The repairs that are safe: lines dropped whole, PDFs that nothing names. All other bytes stay as they are."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scriptorium.bench.lint.entries import Entry, check_lines, read_entries
from scriptorium.errors import InputError
from scriptorium.files import whole


@dataclass(frozen=True)
class Repair:
    """A line or, without a line, a PDF to drop, and why. `file`: its path below the bench folder."""

    file: str
    line: int | None
    why: str

    def __str__(self) -> str:
        return f"{self.file if self.line is None else f'{self.file}:{self.line}'}: dropped, {self.why}"


def plan(root: Path, *, rejected: bool = False, unused: bool = False) -> list[Repair]:
    """The repairs that can be made without a person: second copies of a line; nothing is written.

    `rejected`: tests that reviewers rejected too. `unused`: PDFs that no test left names too. Raises InputError
    for `unused` where a line cannot be read: it may name a PDF.
    """
    entries, unreadable = read_entries(root, sorted(root.glob("*.jsonl")))
    repairs = list(_lines(root, entries, rejected))
    if unused:
        broken = [entry.place for entry in entries if entry.test is None] + [each.file for each in unreadable]
        if broken:
            raise InputError(
                f"{root / broken[0]}: may name a PDF, but is no test; mend it before --drop-unused"
            )
        gone = {(repair.file, repair.line) for repair in repairs}
        named = {
            entry.test["pdf"] for entry in entries if entry.test and (entry.file, entry.line) not in gone
        }
        for path in sorted((root / "pdfs").rglob("*.pdf")):
            if path.relative_to(root / "pdfs").as_posix() not in named:
                repairs.append(Repair(path.relative_to(root).as_posix(), None, "no test names it"))
    return repairs


def _lines(root: Path, entries: list[Entry], rejected: bool) -> Iterator[Repair]:
    copies = {(f.file, f.line): f.message for f in check_lines(root, entries) if f.code == "exact_duplicate"}
    for entry in entries:
        if (entry.file, entry.line) in copies:
            yield Repair(entry.file, entry.line, copies[entry.file, entry.line].split(";")[0])
        elif rejected and entry.test and entry.test["checked"] == "rejected":
            yield Repair(entry.file, entry.line, f"test {entry.id} was rejected")


def apply(root: Path, repairs: list[Repair]) -> None:
    """Make the repairs: each test file is written whole or not at all, its other lines byte for byte."""
    dropped: dict[str, set[int]] = defaultdict(set)
    for repair in repairs:
        if repair.line is not None:
            dropped[repair.file].add(repair.line)
    for name, numbers in sorted(dropped.items()):
        lines = (root / name).read_bytes().split(b"\n")
        kept = [line for number, line in enumerate(lines, 1) if number not in numbers]
        with whole(root / name) as part:
            part.write_bytes(b"\n".join(kept))
    for repair in repairs:
        if repair.line is None:
            (root / repair.file).unlink()
