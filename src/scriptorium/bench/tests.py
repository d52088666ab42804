"""The tests of a bench: their fields, and the JSONL files they are loaded from."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from scriptorium.bench.normal import normal_form
from scriptorium.errors import InputError

Test = dict[str, Any]


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


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _count(value: Any, least: int = 0) -> str | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return None if whole and value >= least else f"must be a whole number, at least {least}"


def _choice(value: Any, among: tuple[str, ...]) -> str | None:
    return None if value in among else f"must be one of {', '.join(among)}"


def _optional(check: Callable[[Any], str | None]) -> Callable[[Any], str | None]:
    return lambda value: None if value is None else check(value)


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
}
"""The fields of each type of test, besides PLACE and COMMON."""


def check_test(record: Any, file: Path | None = None, line: int | None = None, placed: bool = True) -> Test:
    """A test with every field of its type, defaults filled in. `placed`: it must say its pdf, page and id.

    Raises TestError for a type that is not supported, an unknown, missing or wrong field.
    """
    if not isinstance(record, dict):
        raise TestError("a test is a JSON object", file, line)
    kind = record.get("type")
    if not isinstance(kind, str) or kind not in FIELDS:
        raise TestError(
            f"{kind!r} is not supported; supported types: {', '.join(FIELDS)}", file, line, "type"
        )
    fields = PLACE | COMMON | FIELDS[kind]
    for name in record:
        if name != "type" and name not in fields:
            raise TestError(f"a test of type {kind} has no such field", file, line, name)
    test: Test = {"type": kind}
    for name, field in fields.items():
        if name in record:
            if wrong := field.check(record[name]):
                raise TestError(f"{wrong}, found {record[name]!r}", file, line, name)
            test[name] = record[name]
        elif not field.required:
            test[name] = field.default
        elif placed or name not in PLACE:
            raise TestError(f"a test of type {kind} needs it", file, line, name)
    _check_order(test, file, line)
    return test


def _check_order(test: Test, file: Path | None, line: int | None) -> None:
    """More differences than half of a text would let anything stand for it."""
    if test["type"] == "order":
        shorter = min(len(normal_form(test["before"])), len(normal_form(test["after"])))
        if test["max_diffs"] > shorter // 2:
            problem = f"must be at most half of the shorter text ({shorter // 2}), found {test['max_diffs']}"
            raise TestError(problem, file, line, "max_diffs")


def load_tests(path: Path) -> list[Test]:
    """The tests of one JSONL file in its order, every field filled in; blank lines are passed over.

    Raises TestError, naming file, line and field, for a test that cannot be used or an id used twice.
    """
    tests: list[Test] = []
    seen: set[str] = set()
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise TestError(f"cannot be read as UTF-8 text: {error}", path) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise TestError(f"is not JSON: {error}", path, number) from error
        test = check_test(record, path, number)
        if test["id"] in seen:
            raise TestError(f"{test['id']!r} is used twice in this file", path, number, "id")
        seen.add(test["id"])
        tests.append(test)
    return tests
