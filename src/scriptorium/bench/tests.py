"""The tests of a bench: their fields, and the JSONL files they are loaded from."""

import json
import math
import reprlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from scriptorium.bench.text.normal import normal_form
from scriptorium.errors import InputError

Test = dict[str, Any]

MOST_ITEMS = 100
"""Items that a test may ask for in order."""

MOST = 2**53
"""The largest whole number of a field: JSON's readers agree on numbers up to it, and a float holds it."""

_SHOWN = reprlib.Repr()  # a value in a message: cut where it is long, not followed where it is deep
_SHOWN.maxstring = _SHOWN.maxother = 100


class TestError(InputError, ValueError):
    """A test that cannot be used; `file`, `line` and `field` say where (None where unknown)."""

    __test__ = False

    def __init__(
        self, problem: str, file: Path | None = None, line: int | None = None, field: str | None = None
    ):
        self.file, self.line, self.field, self.problem = file, line, field, problem
        place = f"{file}:{line}: " if file and line else f"{file}: " if file else ""
        super().__init__(f"{place}{f'{field}: ' if field else ''}{problem}")


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) else "must be a text"


def _some_text(value: Any) -> str | None:
    return None if isinstance(value, str) and value else "must be a text that is not empty"


def _words(value: Any) -> str | None:
    if not isinstance(value, str):
        return "must be a text"
    return None if normal_form(value).strip() else "is blank once Markdown marks are taken out"


def _marker(value: Any) -> str | None:
    if not isinstance(value, str) or not value:
        return "must be a text that is not empty"
    return "must not hold a blank" if " " in value else None


def _formula(value: Any) -> str | None:
    return None if isinstance(value, str) and value.strip() else "must be a formula in LaTeX, not blank"


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _count(value: Any, least: int = 0) -> str | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or value < least:
        return f"must be a whole number, at least {least}"
    return "must be at most 2^53" if value > MOST else None


def _number(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return "must be a number, or a text that states one"
    from scriptorium.bench.text.numerals import number_of  # here: few benches need the view that it reads by

    number = number_of(value)
    return None if number is not None and number.is_finite() else "states no number"


def _tolerance(value: Any) -> str | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf
    return None if good else "must be a number, at least 0"


def _visible(value: Any) -> str | None:
    return None if isinstance(value, str) and value.strip() else "must be a text that is not blank"


def _many(value: Any, check: Callable[[Any], str | None], least: int) -> str | None:
    """What is wrong with a list of `least` to MOST_ITEMS values, each of which must pass `check`."""
    if not isinstance(value, list) or not least <= len(value) <= MOST_ITEMS:
        return f"must be a list of {least} to {MOST_ITEMS}"
    wrongs = ((number, check(each)) for number, each in enumerate(value, 1))
    return next((f"number {number} {wrong}" for number, wrong in wrongs if wrong), None)


def _heading(value: Any) -> str | None:
    if not isinstance(value, dict) or set(value) != {"level", "text"}:
        return "must be an object of level and text"
    if wrong := _count(value["level"], least=1) or ("must be at most 6" if value["level"] > 6 else None):
        return f"level {wrong}"
    return f"text {wrong}" if (wrong := _words(value["text"])) else None


def _choice(value: Any, among: tuple[str, ...]) -> str | None:
    return None if value in among else f"must be one of {', '.join(among)}"


def _optional(check: Callable[[Any], str | None]) -> Callable[[Any], str | None]:
    return lambda value: None if value is None else check(value)


def _empty_or_words(value: Any) -> str | None:
    return None if value is None or value == "" else _words(value)


@dataclass(frozen=True)
class Field:
    """One field of a test: its check (None if the value is good, else what is wrong), its default."""

    check: Callable[[Any], str | None]
    default: Any = None
    required: bool = False


_RELATIONS = ("up", "down", "left", "right", "top_heading", "left_heading")

PLACE: dict[str, Field] = {
    "pdf": Field(_some_text, required=True),
    "page": Field(partial(_count, least=1), required=True),
    "id": Field(_some_text, required=True),
}
"""Where a test belongs. A test that is only judged (a reward, say) may be without these."""

COMMON: dict[str, Field] = {
    "max_diffs": Field(_count, 0),
    "checked": Field(_optional(_text)),
    "url": Field(_optional(_text)),
    "category": Field(_optional(_text)),
}

_FIND = {
    "text": Field(_words, required=True),
    "case_sensitive": Field(_flag, True),
    "first_n": Field(_optional(_count)),
    "last_n": Field(_optional(_count)),
}

FIELDS: dict[str, dict[str, Field]] = {
    "present": _FIND,
    "absent": _FIND,
    "order": {"before": Field(_words, required=True), "after": Field(_words, required=True)},
    "table": {
        "cell": Field(_optional(_text), required=True),
        **{relation: Field(_optional(_text), "") for relation in _RELATIONS},
        "ignore_markdown_tables": Field(_flag, False),
    },
    "baseline": {
        "max_length": Field(_optional(_count)),
        "max_length_skips_image_alt_tags": Field(_flag, False),
        "max_repeats": Field(_count, 30),
        "check_disallowed_characters": Field(_flag, True),
    },
    "format": {
        "text": Field(_words, required=True),
        "format": Field(partial(_choice, among=("heading", "bold", "italic")), required=True),
        "case_sensitive": Field(_flag, True),
    },
    "math": {
        "math": Field(_formula, required=True),
        "ignore_dollar_delimited": Field(_flag, False),
    },
    "footnote": {
        "marker": Field(_marker, required=True),
        "appears_before_marker": Field(_empty_or_words),
        "appears_after_marker": Field(_empty_or_words),
    },
    "count": {
        "text": Field(_words, required=True),
        "times": Field(_count, 1),
        "case_sensitive": Field(_flag, True),
        "whole_words": Field(_flag, False),
    },
    "chain": {
        "items": Field(partial(_many, check=_words, least=2), required=True),
        "case_sensitive": Field(_flag, True),
    },
    "table_shape": {
        "rows": Field(_optional(partial(_count, least=1))),
        "columns": Field(_optional(partial(_count, least=1))),
        "cell": Field(_optional(_visible)),
    },
    "table_row": {"cells": Field(partial(_many, check=_text, least=1), required=True)},
    "numeric_cell": {
        "value": Field(_number, required=True),
        "tolerance": Field(_tolerance, 0),
        **{relation: Field(_optional(_text), "") for relation in _RELATIONS},
    },
    "list": {
        "items": Field(partial(_many, check=_words, least=1), required=True),
        "ordered": Field(_optional(_flag)),
        "complete": Field(_flag, False),
        "case_sensitive": Field(_flag, True),
    },
    "code": {
        "text": Field(_visible, required=True),
        "language": Field(_optional(_visible)),
    },
    "link": {
        "text": Field(_optional(_words)),
        "href": Field(_optional(_visible)),
        "case_sensitive": Field(_flag, True),
    },
    "heading_outline": {
        "headings": Field(partial(_many, check=_heading, least=1), required=True),
        "case_sensitive": Field(_flag, True),
    },
}
"""The fields of each type of test, besides PLACE and COMMON."""


def check_test(record: Any, file: Path | None = None, line: int | None = None, placed: bool = True) -> Test:
    """A test with every field of its type, defaults filled in. `placed`: it must say its pdf, page and id.

    Raises TestError for a type that is not supported, an unknown, missing or wrong field.
    """
    for error in faults(record, file, line, placed):
        raise error
    fields = PLACE | COMMON | FIELDS[record["type"]]
    test: Test = {"type": record["type"]}
    for name, field in fields.items():
        if name in record:
            test[name] = record[name]
        elif not field.required:
            test[name] = field.default
    return test


def faults(
    record: Any, file: Path | None = None, line: int | None = None, placed: bool = True
) -> Iterator[TestError]:
    """Everything that keeps a record from being a test, one error each; nothing for a good one."""
    if not isinstance(record, dict):
        yield TestError("a test is a JSON object", file, line)
        return
    kind = record.get("type")
    if not isinstance(kind, str) or kind not in FIELDS:
        supported = ", ".join(FIELDS)
        yield TestError(
            f"{_SHOWN.repr(kind)} is not supported; supported types: {supported}", file, line, "type"
        )
        return
    fields = PLACE | COMMON | FIELDS[kind]
    found = list(_field_faults(record, kind, fields, placed))
    for name, problem in found or _joint_faults(record):
        yield TestError(problem, file, line, name)


def _field_faults(
    record: Test, kind: str, fields: dict[str, Field], placed: bool
) -> Iterator[tuple[str, str]]:
    for name in record:
        if name != "type" and name not in fields:
            yield name, f"a test of type {kind} has no such field"
    for name, field in fields.items():
        if name in record:
            if wrong := field.check(record[name]):
                yield name, f"{wrong}, found {_SHOWN.repr(record[name])}"
        elif field.required and (placed or name not in PLACE):
            yield name, f"a test of type {kind} needs it"


_ONE_OF = {"table_shape": ("rows", "columns"), "link": ("text", "href")}


def _joint_faults(record: Test) -> Iterator[tuple[str, str]]:
    """Fields that are good one by one, but make a test that asks for nothing, or for anything at all."""
    kind = record["type"]
    names = _ONE_OF.get(kind, ())
    if names and all(record.get(name) is None for name in names):
        yield names[0], f"a test of type {kind} needs {' or '.join(names)}"
    if kind == "table_row" and not any(cell.strip() for cell in record["cells"]):
        yield "cells", f"must not all be blank, found {record['cells']!r}"
    if kind == "order":
        shorter = min(len(normal_form(record["before"])), len(normal_form(record["after"])))
        if record.get("max_diffs", 0) > shorter // 2:
            found = record["max_diffs"]
            yield "max_diffs", f"must be at most half of the shorter text ({shorter // 2}), found {found}"


def load_tests(path: Path | str) -> list[Test]:
    """The tests of one JSONL file in its order, every field filled in; blank lines are passed over.

    Raises TestError, naming file, line and field, for a test that cannot be used or an id used twice.
    """
    tests: list[Test] = []
    seen: set[str] = set()
    path = Path(path)
    for number, record in records(path):
        if isinstance(record, TestError):
            raise record
        test = check_test(record, path, number)
        if test["id"] in seen:
            raise TestError(f"{test['id']!r} is used twice in this file", path, number, "id")
        seen.add(test["id"])
        tests.append(test)
    return tests


def records(path: Path) -> Iterator[tuple[int, Any]]:
    """Number and JSON value of each line that is not blank; a TestError for one that is not JSON in UTF-8.

    Raises TestError if the file cannot be read.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise TestError(f"cannot be read: {error}", path) from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, _record(line, path, number)


def _record(line: bytes, path: Path, number: int) -> Any:
    try:
        value = json.loads(line.decode("utf-8"))
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        return TestError(f"is not UTF-8 text: {error}", path, number)
    except UnicodeEncodeError:
        return TestError("holds half a surrogate pair, which no text can; write the character", path, number)
    except (ValueError, RecursionError) as error:
        return TestError(f"is not JSON: {error}", path, number)
    return value
