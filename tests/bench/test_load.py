"""Loading tests: every field checked, every fault named."""

import json
from pathlib import Path

import pytest

from scriptorium.bench.folder import load_bench
from scriptorium.bench.rules import RULES, judge
from scriptorium.bench.tests import FIELDS, TestError, check_test, load_tests
from scriptorium.errors import InputError

GOOD = {"pdf": "a.pdf", "page": 1, "id": "t1", "type": "present", "text": "alpha"}


def written(folder: Path, *records: object) -> Path:
    path = folder / "x.jsonl"
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    path.write_text("\n\n".join(lines), encoding="utf-8")
    return path


def test_defaults_are_filled_in(tmp_path: Path) -> None:
    (test,) = load_tests(written(tmp_path, GOOD))
    assert test["case_sensitive"] is True
    assert test["max_diffs"] == 0
    assert test["text"] == "alpha"


def test_a_path_may_be_a_text(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    assert load_tests(str(path)) == load_tests(path)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"page": 0}, "page"),
        ({"pdf": ""}, "pdf"),
        ({"max_diffs": True}, "max_diffs"),
        ({"max_diffs": -1}, "max_diffs"),
        ({"max_diffs": 10**400}, "max_diffs"),
        ({"text": "  "}, "text"),
        ({"case_sensitive": 1}, "case_sensitive"),
        ({"first_n": "3"}, "first_n"),
        ({"colour": "red"}, "colour"),
        ({"type": "sonnet"}, "type"),
        ({"type": ["present"]}, "type"),
    ],
)
def test_a_fault_names_file_line_and_field(tmp_path: Path, change: dict, field: str) -> None:
    path = written(tmp_path, GOOD, GOOD | {"id": "t2"} | change)
    with pytest.raises(TestError) as caught:
        load_tests(path)
    assert (caught.value.file, caught.value.line, caught.value.field) == (path, 3, field)
    assert f"{path}:3: {field}: " in str(caught.value)


def test_an_unsupported_type_says_which_there_are() -> None:
    with pytest.raises(TestError, match="present, absent, order, table, baseline, format"):
        check_test(GOOD | {"type": "sonnet"})


@pytest.mark.parametrize("kind", [kind for kind in FIELDS if kind != "baseline"])
def test_a_missing_field_is_named(kind: str) -> None:
    with pytest.raises(TestError, match="needs "):
        check_test({"pdf": "a.pdf", "page": 1, "id": "t", "type": kind})


@pytest.mark.parametrize("line", ["{", "[]", "3"])
def test_lines_that_are_no_tests(tmp_path: Path, line: str) -> None:
    with pytest.raises(TestError) as caught:
        load_tests(written(tmp_path, GOOD, line))
    assert caught.value.line == 3


def test_an_id_used_twice(tmp_path: Path) -> None:
    with pytest.raises(TestError, match="used twice"):
        load_tests(written(tmp_path, GOOD, GOOD))


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TestError, match="UTF-8"):
        load_tests(tmp_path / "x.jsonl")


def test_a_folder_that_is_no_bench(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a bench folder"):
        load_bench(tmp_path)


def test_a_judged_test_needs_no_place() -> None:
    for rules in RULES:
        assert judge({"type": "present", "text": "alpha", "category": "text"}, "an alpha", rules).passed


def test_an_unknown_rule_set() -> None:
    with pytest.raises(TestError, match=r"olmocr-2026\.03, scriptorium-1"):
        judge(GOOD, "alpha", "loose")
