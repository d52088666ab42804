"""Rewards: within [0, 1], the truth gets all of it, nothing for an empty answer, and a bad page costs only itself."""

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from scriptorium.errors import ConfigError
from scriptorium.pages.front_matter import FrontMatter, encode
from scriptorium.train.rewards.alignment import table_likeness
from scriptorium.train.rewards.answer import Answer, Sample
from scriptorium.train.rewards.child import medoid
from scriptorium.train.rewards.functions import NAMES, Rewards, checked, options
from scriptorium.train.rewards.pool import JudgePool
from scriptorium.train.rewards.scores import SCORES, passed

END = 1
TABLE = "<table><tr><th>year</th><th>sum</th></tr><tr><td>1990</td><td>12</td></tr></table>"
BODY = f"# a heading\n\nfirst line here of some length\n\nsecond line there, longer\n\n{TABLE}\n\nand \\(x^2\\) ends"
TRUTH = encode(FrontMatter(), BODY)
TESTS = [
    {"pdf": "a.pdf", "page": 1, "id": "1", "type": "present", "text": "first line"},
    {"pdf": "a.pdf", "page": 1, "id": "2", "type": "order", "before": "first line", "after": "second line"},
    {"pdf": "a.pdf", "page": 1, "id": "3", "type": "absent", "text": "running header"},
    {"pdf": "a.pdf", "page": 1, "id": "4", "type": "baseline"},
]


@pytest.fixture(scope="module")
def pool() -> Iterator[JudgePool]:
    with JudgePool(1) as made:
        yield made


def score(name: str, text: str, published: bool = False, truth: str | None = TRUTH) -> float:
    return SCORES[name](Answer(Sample(text, truth, json.dumps(TESTS))), published)


def ask(pool: JudgePool, wanted: dict[str, Any], texts: list[str], **columns: Any) -> dict[str, list[float]]:
    """Every reward of some completions of one page, through the real judging processes."""
    rewards = Rewards(options(wanted, "here"), [END], pool)
    given = {
        "completions": [[{"role": "assistant", "content": text}] for text in texts],
        "completion_ids": [[5, END]] * len(texts),
        "tests": [json.dumps(TESTS)] * len(texts),
        "text": [TRUTH] * len(texts),
        "id": ["a"] * len(texts),
        "prompts": [[]] * len(texts),
    } | columns
    return {function.__name__: function(**given) for function in rewards.functions}


@pytest.mark.parametrize("published", [False, True])
@pytest.mark.parametrize("name", SCORES)
def test_the_truth_earns_everything(name: str, published: bool) -> None:
    assert score(name, TRUTH, published) == pytest.approx(1.0)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_answer_earns_nothing(pool: JudgePool, name: str) -> None:
    """Absent tests, tables that are not there and a loop that did not come pay for writing nothing."""
    assert ask(pool, {name: 1.0}, ["", encode(FrontMatter(), "")])[name] == [0.0, 0.0]


def test_as_published_nothing_is_paid_for(pool: JudgePool) -> None:
    """What the gate is for: pdf-ocr-rl's mix pays 0.275 for an empty answer, its rewards one by one this much."""
    mix = {"similarity": 0.4, "order": 0.25, "headings": 0.2, "structure": 0.15}
    found = ask(pool, {name: {"weight": w, "published": True} for name, w in mix.items()}, [""])
    assert sum(found[name][0] * weight for name, weight in mix.items()) == pytest.approx(0.275)
    assert ask(pool, {"rectangles": {"published": True}}, [""])["rectangles"] == [1.0]


def test_a_blank_page_is_read_by_an_empty_answer(pool: JudgePool) -> None:
    blank = encode(FrontMatter(primary_language=None), None)
    found = ask(pool, {"front_matter": 1.0, "eos": 1.0}, [blank, TRUTH], text=[blank, blank])
    assert found == {"front_matter": [1.0, 0.0], "eos": [1.0, 0.0]}


@pytest.mark.parametrize(
    ("text", "valid"),
    [(TRUTH, True), (BODY * 4, False), (BODY[: len(BODY) // 4], False), ("ab " * 3000, False)],
)
def test_only_answers_of_about_the_right_length_earn(text: str, valid: bool) -> None:
    assert Answer(Sample(text, TRUTH, "[]")).is_valid is valid


def test_a_loop_is_seen_without_a_truth() -> None:
    assert not Answer(Sample("the same words again. " * 400, None, "[]")).is_valid
    assert Answer(Sample("words of a page", None, "[]")).is_valid


def test_mending_one_test_earns_more() -> None:
    assert 0 < score("bench", "first line") < score("bench", "first line\nsecond line")
    assert 0 < score("bench_macro", "first line") < score("bench_macro", "first line\nsecond line")


def test_a_wrong_field_costs_a_tenth() -> None:
    assert score("front_matter", encode(FrontMatter(is_table=True), "x")) == pytest.approx(0.9)


def test_the_header_is_no_part_of_the_text() -> None:
    """A text test must not find what the front matter says; the published form lets it."""
    test = {"pdf": "a.pdf", "page": 1, "id": "1", "type": "present", "text": "primary_language"}
    sample = Sample(TRUTH, TRUTH, json.dumps([test]))
    assert passed(Answer(sample), False) == {"present": [False]}
    assert passed(Answer(sample), True) == {"present": [True]}


def test_mended_rewards_see_what_published_ones_do_not() -> None:
    other_words = BODY.replace("a heading", "something else")
    assert score("headings", other_words, True) == 1.0
    assert score("headings", other_words) < 0.5
    two_tables = "| a | b |\n|---|---|\n| 1 | 2 |\n\n| a |\n|---|\n| 1 |"
    assert score("structure", two_tables, True) < score("structure", two_tables) == 1.0
    comment = f"{BODY}\n\n```\n### a comment in code\n```"
    assert score("structure", comment, True) < score("structure", comment) == 1.0
    half = "first line here of some length"
    assert score("order", half) < 0.6
    swapped = "second line there, longer\n\nfirst line here of some length"
    assert score("order", swapped, True) == 0.0 < score("order", swapped)


def test_formulas_and_tables() -> None:
    assert score("katex", BODY.replace("x^2", "\\frac{")) == 0.0
    assert score("katex", "no formula at all") == 0.0
    assert score("elements", BODY.replace(TABLE, "")) == 0.5
    one = [[("a", "b"), ("1", "2")]]
    assert table_likeness(one, one) == 1.0
    assert table_likeness(one, [[("a", "b"), ("1", "3")]]) == pytest.approx(0.75)
    assert table_likeness(one, []) == 0.0
    assert score("tables", BODY.replace("1990", "1991")) == pytest.approx(0.75)
    ragged = "<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>"
    assert score("rectangles", ragged) == 0.0
    assert score("rectangles", "no table") == 0.0 < score("rectangles", "no table", True)


def test_repetition_is_counted_against_the_truth() -> None:
    assert score("repetition", BODY * 5) < 0.5
    rows = "<tr><td>0</td><td>the very same value</td></tr>" * 20
    page = f"<table>{rows}</table>"
    assert score("repetition", page, truth=encode(FrontMatter(), page)) == 1.0


def test_the_middle_of_a_page_s_answers_earns_most(pool: JudgePool) -> None:
    texts = ["aaaa", "aaab", "zzzz", "aaaa"]
    assert medoid(texts) == [1.0, 0.75, 0.0, 1.0]
    assert medoid(["alone"]) == [1.0]
    wanted = {"medoid": {"published": True}}
    two_pages = ["a", "a", "b", "b"]
    mixed = ask(pool, wanted, texts, id=two_pages)["medoid"]
    assert mixed == [1.0, 0.75, 0.0, 1.0]  # the whole call, whatever the page
    rewards = Rewards(options({"medoid": 1.0}, "here"), [END], pool)
    assert rewards.values("medoid", texts, id=two_pages) == [1.0, 0.0, 1.0, 0.0]


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(max_size=200) | st.lists(st.sampled_from(BODY.split("\n")), max_size=8).map("\n".join),
    truth=st.none() | st.text(min_size=1, max_size=100).map(lambda body: encode(FrontMatter(), body)),
    published=st.booleans(),
)
def test_scores_stay_within_bounds(text: str, truth: str | None, published: bool) -> None:
    for name in SCORES:
        assert 0.0 <= score(name, text, published, truth) <= 1.0, name


@given(st.lists(st.text(max_size=20), min_size=1, max_size=6))
def test_the_middle_stays_within_bounds(texts: list[str]) -> None:
    assert all(0.0 <= each <= 1.0 for each in medoid(texts))
    assert max(medoid(texts)) == 1.0


def test_what_is_no_reward_never_reaches_the_sum() -> None:
    """TRL takes None for NaN and leaves it out of the sum: to TRL it is 0, to nobody else."""
    for value in (float("nan"), -0.1, 1.5):
        with pytest.raises(ValueError, match="not in"):
            checked("mine", value)


def test_equal_answers_are_judged_once_and_the_batch_is_told(pool: JudgePool) -> None:
    told: dict[str, float] = {}
    asked: list[int] = []

    class Counting(JudgePool):
        def __init__(self) -> None:
            self.size = 1

        def ask(self, tasks: Any) -> Any:
            asked.append(len(tasks))
            return pool.ask(tasks)

    found = ask(
        Counting(), {"bench": 1.0, "eos": 1.0}, [TRUTH, "nothing", TRUTH], log_metric=told.__setitem__
    )
    assert found["bench"][0] == found["bench"][2] == 1.0 > found["bench"][1]
    assert asked == [2]
    assert told["pass_rate/present"] == pytest.approx(2 / 3)
    assert told["answers/distinct"] == pytest.approx(2 / 3)
    assert told["answers/late"] == 0.0


def test_an_answer_that_takes_too_long_earns_nothing_and_holds_up_nobody() -> None:
    """Two million letters against two million others take minutes: the kernel ends the process that tries."""
    long = "ab " * 700_000 + "c"
    truth = encode(FrontMatter(), "bca" * 700_000)
    with JudgePool(1, deadline=1.0) as small:
        found = ask(small, {"edit": {"published": True}}, [long, TRUTH], text=[truth, TRUTH])
        assert found["edit"] == [0.0, 1.0]


def test_a_process_that_stands_still_is_replaced() -> None:
    with JudgePool(1, deadline=0.2) as small:
        assert ask(small, {"eos": 1.0}, [TRUTH])["eos"] == [1.0]
        process = small._judges[0].process
        assert process is not None
        os.kill(process.pid, signal.SIGSTOP)
        assert ask(small, {"eos": 1.0}, [TRUTH])["eos"] == [0.0]
        assert ask(small, {"eos": 1.0}, [TRUTH])["eos"] == [1.0]


def test_an_unknown_reward_or_option_is_named() -> None:
    with pytest.raises(ConfigError, match=r"rewards\.brevity: no such reward"):
        options({"brevity": 1.0}, "here")
    with pytest.raises(ValidationError, match="wieght"):
        options({"bench": {"wieght": 1.0}}, "here")
