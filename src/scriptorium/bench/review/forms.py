"""What a form must ask for each type of test, read from the one table of fields."""

from functools import partial
from typing import Any

from scriptorium.bench.tests import COMMON, FIELDS, PLACE, Field

_PROBES: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("flag", (True, False)),
    ("text", ("words",)),
    ("whole", (1000,)),
    ("texts", (["words", "others"],)),
    ("headings", ([{"level": 1, "text": "words"}, {"level": 2, "text": "others"}],)),
    ("number", (1.5,)),
)
"""Inputs, and values that a field's check must take for the input to serve."""


def form(kind: str) -> list[dict[str, Any]]:
    """The fields of a type of test in their order: name, input, choices, default, required, nullable, group."""
    groups = (("place", PLACE), ("own", FIELDS[kind]), ("common", COMMON))
    return [
        {"name": name, "group": group, "default": field.default, "required": field.required, **_input(field)}
        for group, fields in groups
        for name, field in fields.items()
    ]


def forms() -> dict[str, list[dict[str, Any]]]:
    """The form of every type of test."""
    return {kind: form(kind) for kind in FIELDS}


def _input(field: Field) -> dict[str, Any]:
    """Which input serves a field: the field's own check is asked what it takes."""
    nullable = field.check(None) is None
    choices = _choices(field.check)
    if choices:
        return {"input": "choice", "choices": list(choices), "nullable": nullable}
    for name, values in _PROBES:
        if all(field.check(value) is None for value in values):
            if name == "flag" and field.check("words") is None:
                continue
            if name == "whole" and field.check(1000.5) is None:
                return {"input": "number", "nullable": nullable}
            blanks = name == "texts" and field.check(["words", ""]) is None
            return {"input": name, "nullable": nullable, "blanks": blanks}
    return {"input": "json", "nullable": nullable}


def _choices(check: Any) -> tuple[str, ...]:
    """The values of a choice, also of one that may be left open."""
    if isinstance(check, partial):
        return tuple(check.keywords.get("among", ()))
    for cell in getattr(check, "__closure__", None) or ():
        if found := _choices(cell.cell_contents):
            return found
    return ()
