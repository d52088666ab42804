"""Rewards: within [0, 1], the truth gets all of it, an empty answer gets nothing for its text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.errors import ConfigError
from scriptorium.pages.front_matter import FrontMatter, encode
from scriptorium.train.rewards import make_rewards

END = 1
TRUTH = encode(FrontMatter(), "# a heading\n\nfirst line here\nsecond line there")
TESTS = [
    {"pdf": "a.pdf", "page": 1, "id": "1", "type": "present", "text": "first line"},
    {"pdf": "a.pdf", "page": 1, "id": "2", "type": "order", "before": "first line", "after": "second line"},
    {"pdf": "a.pdf", "page": 1, "id": "3", "type": "absent", "text": "running header"},
    {"pdf": "a.pdf", "page": 1, "id": "4", "type": "baseline"},
]


def reward(name: str, text: str, ids: list[int] | None = None) -> float:
    functions, weights = make_rewards({name: 1.0}, {END})
    assert weights == [1.0]
    completion = [{"role": "assistant", "content": text}]
    (value,) = functions[0](
        completions=[completion],
        completion_ids=[ids or []],
        tests=[json.dumps(TESTS)],
        text=[TRUTH],
        prompts=[[]],
    )
    return value


def test_the_truth_earns_everything() -> None:
    assert reward("bench", TRUTH) == 1.0
    assert reward("front_matter", TRUTH) == pytest.approx(1.0)
    assert reward("eos", TRUTH, [5, END]) == 1.0


def test_an_empty_answer_earns_nothing() -> None:
    """Absent and baseline tests pass on an empty page, but only beside a content test that passes."""
    assert [reward(name, "") for name in ("bench", "front_matter", "eos")] == [0.0, 0.0, 0.0]


def test_mending_one_test_earns_more() -> None:
    assert 0 < reward("bench", "first line") < reward("bench", "first line\nsecond line")


def test_a_wrong_field_costs_a_tenth() -> None:
    assert reward("front_matter", encode(FrontMatter(is_table=True), "x")) == pytest.approx(0.9)


def test_the_header_is_no_part_of_the_text() -> None:
    """A text test must not find what the front matter says."""
    functions, _ = make_rewards({"bench": 1.0}, {END})
    test = {"pdf": "a.pdf", "page": 1, "id": "1", "type": "present", "text": "primary_language"}
    assert functions[0](completions=[TRUTH], completion_ids=[[]], tests=[json.dumps([test])]) == [0.0]


@given(text=st.text(max_size=200), ids=st.lists(st.integers(0, 9), max_size=5))
def test_rewards_stay_within_bounds(text: str, ids: list[int]) -> None:
    for name in ("bench", "front_matter", "eos"):
        assert 0.0 <= reward(name, text, ids) <= 1.0


def test_an_unknown_reward_is_named() -> None:
    with pytest.raises(ConfigError, match="brevity unknown; there are bench, front_matter, eos"):
        make_rewards({"brevity": 1.0}, {END})
