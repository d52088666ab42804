"""Tests as lines of JSON: single members are changed, so that the rest of the line stays as it is."""

import json
import re
from typing import Any, NamedTuple

from scriptorium.bench.tests import COMMON, FIELDS, PLACE, Test

_BLANKS = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()
_NOTHING = object()


class Member(NamedTuple):
    """Where a member of an object stands in the line: from its key's quote to its value's end."""

    key: str
    start: int
    colon: int
    value: int
    end: int


def members(line: str) -> list[Member]:
    """The members of the object that `line` holds, in order. The line must be a JSON object."""
    found: list[Member] = []
    at = _skip(line, _skip(line, 0) + 1)
    while line[at] != "}":
        key, colon = _DECODER.raw_decode(line, at)
        value = _skip(line, _skip(line, colon) + 1)
        _, end = _DECODER.raw_decode(line, value)
        found.append(Member(key, at, colon, value, end))
        at = _skip(line, end)
        if line[at] == ",":
            at = _skip(line, at + 1)
    return found


def rewritten(line: str, put: dict[str, Any], drop: set[str]) -> str:
    """`line` with the members `put` set and those of `drop` taken out; all other characters stay.

    New members come last, written in the style of the others (blanks, escapes).
    """
    for key in sorted(drop):
        line = _without(line, key)
    for key, value in put.items():
        line = _with(line, key, value)
    return line


def edited_line(line: str, old: dict[str, Any] | None, test: Test) -> str:
    """`line`, which holds `old`, made to say what `test` (a checked one) does.

    Only members that differ are rewritten; fields at their default are not written anew.
    """
    if old is None:
        return new_line(test)
    put: dict[str, Any] = {}
    for name, value in test.items():
        if not _same(old[name] if name in old else _default(test["type"], name), value):
            put[name] = value
    return rewritten(line, put, set(old) - set(test))


def new_line(test: Test) -> str:
    """A line for a checked test: its place and type first, no field that is at its default."""
    kind = test["type"]
    first = {name: test[name] for name in PLACE} | {"type": kind}
    fields = COMMON | FIELDS[kind]
    rest = {
        name: value
        for name, value in test.items()
        if name not in first and (fields[name].required or not _same(value, fields[name].default))
    }
    return json.dumps(first | rest, ensure_ascii=False)


def _default(kind: str, name: str) -> Any:
    field = (PLACE | COMMON | FIELDS[kind]).get(name)
    return field.default if field and not field.required else _NOTHING


def _same(one: Any, other: Any) -> bool:
    """Equal, and of one type: 1 and true are not."""
    return one is not _NOTHING and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _skip(line: str, at: int) -> int:
    match = _BLANKS.match(line, at)
    assert match
    return match.end()


def _with(line: str, key: str, value: Any) -> str:
    escaped = line.isascii() and "\\u" in line
    text = json.dumps(value, ensure_ascii=escaped)
    there = members(line)
    for member in reversed(there):  # of a key written twice, the last one counts
        if member.key == key:
            return line[: member.value] + text + line[member.end :]
    name = json.dumps(key, ensure_ascii=escaped)
    if not there:
        brace = line.index("{") + 1
        return f"{line[:brace]}{name}: {text}{line[brace:]}"
    last = there[-1]
    between = line[there[-2].end : last.start] if len(there) > 1 else ", "
    return f"{line[: last.end]}{between}{name}{line[last.colon : last.value]}{text}{line[last.end :]}"


def _without(line: str, key: str) -> str:
    while True:
        there = members(line)
        place = next((index for index, member in enumerate(there) if member.key == key), None)
        if place is None:
            return line
        if place:
            start, end = there[place - 1].end, there[place].end
        else:
            start, end = there[0].start, there[1].start if len(there) > 1 else there[0].end
        line = line[:start] + line[end:]
