"""Answers of each form: thoughts taken off, cells read, what is left of an answer that was cut off."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.pages.answers.dots import CATEGORIES, adapt, whole_cells
from scriptorium.serve.adapter import Adapter
from scriptorium.serve.client import Answer
from scriptorium.serve.parsers import parse, without_thinking
from scriptorium.serve.reader import weigh

HEAD = "---\nprimary_language: en\nis_rotation_valid: True\nrotation_correction: 0\n"
HEAD += "is_table: False\nis_diagram: False\n---\n"
CELLS = [
    {"bbox": [10, 10, 60, 20], "category": "Page-header", "text": "ACME"},
    {"bbox": [10, 30, 60, 40], "category": "Title", "text": "Invoice"},
    {"bbox": [10, 50, 60, 80], "category": "Text", "text": 'Two "pens" [blue].'},
    {"bbox": [10, 90, 60, 99], "category": "Picture"},
    {"bbox": [10, 100, 60, 120], "category": "Formula", "text": "a^2"},
]


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ("<think>The page\nshows.</think>\n\nHello", "Hello"),
        ("\n<think></think>Hello", "Hello"),
        ("<thinking>x</thinking>Hello", "Hello"),
        ("<think>It shows a letter and then", ""),
        ("The page shows a letter.\n</think>\n\nHello", "Hello"),
        ("Hello", "Hello"),
        ("Models write <think>a</think> first.", "Models write <think>a</think> first."),
        ("The tag </think> ends it.", "The tag </think> ends it."),
        ("A page:\n<think>\nx\n</think>\nmore", "A page:\n<think>\nx\n</think>\nmore"),
        ("<think>a</think>b<think>c</think>d", "b<think>c</think>d"),
    ],
)
def test_thoughts_at_the_start_are_taken_off(answer: str, left: str) -> None:
    assert without_thinking(answer) == left


@given(st.text(), st.text().filter(lambda text: "</think>" not in text))
def test_whatever_is_thought_the_answer_is_the_same(answer: str, thought: str) -> None:
    assert without_thinking(f"<think>{thought}</think>\n{answer}") == answer.lstrip()


@given(st.text())
def test_a_text_without_tags_stays(text: str) -> None:
    assert "<" in text or without_thinking(text) == text


def adapter(parser: str) -> Adapter:
    return Adapter.model_validate(
        {
            "name": "a",
            "prompt": "p",
            "image_side": 28,
            "max_tokens": 9,
            "parser": parser,
            "temperatures": [0.1],
        }
        | {"context": 99, "engine": "vllm", "family": "f"}
    )


def weighed(parser: str, text: str, finish: str = "stop") -> tuple[int, str]:
    candidate = weigh(Answer(text, finish, 1, 1, 0.1), adapter(parser), 0)
    return candidate.rank, candidate.text


def test_front_matter_after_thoughts_is_whole() -> None:
    assert weighed("front_matter", f"<think>a letter</think>\n{HEAD}Dear Ann") == (4, "Dear Ann")
    assert weighed("markdown", "<think>a letter</think>\nDear Ann") == (4, "Dear Ann")


def test_thoughts_that_never_end_are_no_text() -> None:
    assert weighed("markdown", "<think>a letter, I see", "length") == (2, "")
    assert weighed("markdown", "<think>a letter, I see") == (3, "")


def test_cells_become_markdown() -> None:
    assert parse("dots", json.dumps(CELLS), False).text == '# Invoice\n\nTwo "pens" [blue].\n\n$$\na^2\n$$'
    assert weighed("dots", json.dumps(CELLS))[0] == 4


@given(st.integers(min_value=0, max_value=len(json.dumps(CELLS)) - 2))
def test_of_a_cut_answer_whole_cells_are_kept(at: int) -> None:
    whole = json.dumps(CELLS)
    rank, text = weighed("dots", whole[:at], "length")
    assert rank == 2 and adapt(whole).startswith(text)
    ends = [i for i in range(len(whole)) if whole[: i + 1].endswith("}")]
    if at > ends[2]:
        assert "pens" in text


@pytest.mark.parametrize(
    "text", ["", "{", "[", "no JSON", '[{"category": "Text"}]', '{"a": [1]}', "[" * 9000]
)
def test_no_cells_are_no_text(text: str) -> None:
    assert whole_cells(text) == ""


def test_a_broken_cell_ends_what_is_kept() -> None:
    cells = [CELLS[1], {"category": "Sonnet", "text": "x"}, CELLS[2]]
    assert weighed("dots", json.dumps(cells)) == (1, "# Invoice")


@given(st.lists(st.tuples(st.sampled_from(sorted(CATEGORIES)), st.text(max_size=20)), max_size=6))
def test_any_whole_list_of_cells_reads_alike_both_ways(cells: list[tuple[str, str]]) -> None:
    text = json.dumps(
        [{"bbox": [0, 0, 1, 1], "category": category, "text": text} for category, text in cells]
    )
    assert whole_cells(text) == adapt(text)
