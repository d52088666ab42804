"""Rewards of a page: each a function of the completion and its row, in [0, 1].

Called as TRL calls them: keyword arguments, one list entry per completion, every column of the row among them.
"""

import json
from collections.abc import Callable
from dataclasses import astuple
from functools import lru_cache
from typing import Any

from scriptorium.bench.rules import check_tests, checked_share
from scriptorium.bench.tests import Test
from scriptorium.errors import ConfigError
from scriptorium.pages import front_matter
from scriptorium.train.evaluate import RULES

Reward = Callable[..., list[float]]


def answer(completion: list[dict[str, Any]] | str) -> str:
    """The text of a completion, conversational or plain."""
    return completion if isinstance(completion, str) else str(completion[-1]["content"])


def bench(completions: list[Any], tests: list[str], **_: Any) -> list[float]:
    """The share of the page's unit tests that the text passes (strict rules, header stripped)."""
    return [
        checked_share(_tests(page), front_matter.body(answer(completion)), RULES)
        for completion, page in zip(completions, tests, strict=True)
    ]


@lru_cache(maxsize=4096)
def _tests(page: str) -> list[Test]:
    """The tests of a row, checked once for all its completions."""
    return check_tests(json.loads(page))


def header(completions: list[Any], text: list[str | None], **_: Any) -> list[float]:
    """0.5 for front matter that parses, and 0.1 for each of its five fields that equals the reference's."""
    return [
        header_score(answer(completion), truth) for completion, truth in zip(completions, text, strict=True)
    ]


def header_score(text: str, truth: str | None) -> float:
    """The reward of one page's front matter against the reference's; where there is none, parsing is all of it."""
    try:
        found, _ = front_matter.decode(text)
    except front_matter.FrontMatterError:
        return 0.0
    if truth is None:
        return 1.0
    wanted, _ = front_matter.decode(truth)
    return 0.5 + 0.1 * sum(a == b for a, b in zip(astuple(found), astuple(wanted), strict=True))


def end_of_sequence(end: set[int]) -> Reward:
    """A reward of 1 for a completion that ends of itself: its last token is one of `end`."""

    def eos(completion_ids: list[list[int]], **_: Any) -> list[float]:
        return [float(bool(ids) and ids[-1] in end) for ids in completion_ids]

    return eos


def make_rewards(wanted: dict[str, float], end: set[int]) -> tuple[list[Reward], list[float]]:
    """The reward functions of a stage and their weights.

    Raises ConfigError for a name that is not a reward.
    """
    known: dict[str, Reward] = {"bench": bench, "front_matter": header, "eos": end_of_sequence(end)}
    unknown = wanted.keys() - known.keys()
    if unknown:
        raise ConfigError(f"rewards: {', '.join(sorted(unknown))} unknown; there are {', '.join(known)}")
    return [known[name] for name in wanted], list(wanted.values())
