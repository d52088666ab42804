"""Changes of the lines of files: how one is applied, turned back, and written down."""

import hashlib
from dataclasses import asdict, dataclass, replace
from typing import Any

from scriptorium.errors import InputError


class Stale(InputError):
    """A line that was to be changed is not there any more: someone else has changed it."""


@dataclass(frozen=True)
class Change:
    """One line of a category's file replaced (`before`, `after`), added (no `before`) or taken out (no `after`).

    `number` is the line's place, from 0; `anchor` the digest of the line above it, None at the top; `lines`
    how many lines the file had, 0 where there was no file.
    """

    category: str
    before: str | None
    after: str | None
    number: int
    anchor: str | None
    lines: int

    def inverse(self) -> "Change":
        """The change that takes this one back."""
        return replace(self, before=self.after, after=self.before)

    def to_json(self) -> dict[str, Any]:
        """As it stands in the audit trail and the journal."""
        return asdict(self)


def digest(line: str) -> str:
    """What names a line's exact bytes: 16 hex digits of their SHA-256."""
    return hashlib.sha256(line.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def find(lines: list[str], wanted: str, near: int) -> int:
    """The place of the line with the digest `wanted`, the nearest to `near`. Raises Stale."""
    places = [number for number, line in enumerate(lines) if line and digest(line) == wanted]
    if not places:
        raise Stale("this test was changed or deleted by someone else since; its present state is shown")
    return min(places, key=lambda number: (abs(number - near), number))


def apply(lines: list[str], change: Change) -> list[str]:
    """The lines after `change`. Raises Stale if the line that it replaces or takes out is not there."""
    if change.before is None:
        assert change.after is not None
        if change.lines == 1 and lines == [""]:  # the only line of a file without a last line end
            return [change.after]
        at = _place(lines, change)
        return [*lines[:at], change.after, *lines[at:]]
    at = find(lines, digest(change.before), change.number)
    kept = [] if change.after is None else [change.after]
    return [*lines[:at], *kept, *lines[at + 1 :]] or [""]


def _place(lines: list[str], change: Change) -> int:
    """Where an added line goes: below the line it stood below, wherever that is now."""
    number = min(change.number, len(lines))
    if change.anchor is None or (number and digest(lines[number - 1]) == change.anchor):
        return number
    below = [at for at in range(1, len(lines) + 1) if digest(lines[at - 1]) == change.anchor]
    return min(below, key=lambda at: abs(at - number), default=number)
