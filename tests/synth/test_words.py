"""Words: every split has its own."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.errors import ConfigError
from scriptorium.synth.words import POOL_OF_SPLIT, POOLS, Words, pool_of

SEEDS = st.integers(0, 10**6)


def test_shares_add_up_and_hold() -> None:
    assert sum(share for _, share in POOLS) == pytest.approx(1)
    drawn = [pool_of(f"w{k}") for k in range(20_000)]
    for name, share in POOLS:
        assert drawn.count(name) / len(drawn) == pytest.approx(share, abs=0.01)


def test_a_pool_does_not_change() -> None:
    """A change here would put words of published benches into training."""
    found = {token: pool_of(token) for token in ("a", "b", "417", "braim")}
    assert found == {"a": "dev", "b": "sft", "417": "rl", "braim": "bench"}


@given(SEEDS, st.sampled_from(sorted(POOL_OF_SPLIT)))
def test_every_token_of_a_line_is_of_its_pool(seed: int, split: str) -> None:
    line = Words(split, random.Random(seed)).line(8, 16)
    assert {pool_of(token) for token in re.findall("[a-z0-9]+", line)} == {POOL_OF_SPLIT[split]}


@given(SEEDS, st.integers(2, 12), st.integers(4, 8))
def test_lines_keep_their_length_and_alphabet(seed: int, shortest: int, more: int) -> None:
    line = Words("sft", random.Random(seed), 0.5).line(shortest, shortest + more)
    assert shortest <= len(line) <= shortest + more
    assert re.fullmatch(r"[a-z0-9]+[.,]?([ -][a-z0-9]+[.,]?)*", line)
    assert not re.match(r"[0-9]+\.( |$)", line)  # a numbered list in Markdown


@given(SEEDS, st.sampled_from(("sft", "bench")), st.integers(3, 5))
def test_numbers_have_their_digits(seed: int, split: str, digits: int) -> None:
    number = Words(split, random.Random(seed)).number(digits)
    assert re.fullmatch(rf"[1-9][0-9]{{{digits - 1}}}", number)
    assert pool_of(number) == POOL_OF_SPLIT[split]


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(ConfigError, match="'test' is unknown"):
        Words("test", random.Random(0))
