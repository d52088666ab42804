"""The detector of loops: it sees those that a model runs into, and lets pass what pages really have."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scriptorium.serve.repeats import LONGEST_PERIOD, STEP, Repeats, is_loop, needed

PROSE = "".join(random.Random(3).choices("abcdefghij klmnop qrstu vwxyz.,\n", k=20_000))


def cut_at(text: str, piece: int = 7) -> int | None:
    """How many characters come before the detector says stop."""
    repeats = Repeats()
    for start in range(0, len(text), piece):
        if repeats.feed(text[start : start + piece]):
            return start + piece
    return None


@pytest.mark.parametrize("unit", ["a", "ha ", "I see the same line again.\n", "x" * 50 + "y" * 700])
def test_a_loop_is_cut_soon_after_it_is_long_enough(unit: str) -> None:
    text = PROSE[:3000] + unit * (60_000 // len(unit))
    place = cut_at(text)
    assert place is not None
    assert place <= 3000 + needed(unit) + len(unit) + STEP + 7


@pytest.mark.parametrize(
    "text",
    [
        PROSE,
        "".join(f"Chapter {n} {'.' * 120} {n}\n" for n in range(80)),  # a table of contents
        "." * 3000 + " 17\n",
        ("_" * 80 + "\n") * 60,  # a sheet of ruled lines
        "<table>" + ("<tr>" + "<td></td>" * 12 + "</tr>\n") * 150 + "</table>",
        ("|" + "   |" * 20 + "\n") * 120,
        "\\begin{array}" + ("0 & 0 & 0 & 0 & 0 & 0 & 0 \\\\\n") * 180,
        "<table><tr>" + "<td>0</td>" * 190 + "</tr>",
        "".join(f"{n}. Yes\n" for n in range(2000)),
    ],
)
def test_what_pages_have_is_not_cut(text: str) -> None:
    assert cut_at(text) is None


def test_an_endless_table_is_cut() -> None:
    assert cut_at("<table>" + "<tr><td>0</td></tr>\n" * 2000) is not None


@settings(max_examples=60, deadline=None)
@given(
    st.text(alphabet="ab 1.\n", min_size=1, max_size=60),
    st.integers(0, 3000),
    st.lists(st.integers(1, 900), min_size=1, max_size=20),
)
def test_a_loop_is_found_however_it_comes_in(unit: str, before: int, cuts: list[int]) -> None:
    text = PROSE[:before] + unit * (30_000 // len(unit))
    repeats, place, turn = Repeats(), 0, 0
    while place < len(text):
        size = cuts[turn % len(cuts)]
        place, turn, found = place + size, turn + 1, repeats.feed(text[place : place + size])
        if found:
            break
    assert found
    assert place >= before + 4000 - 60


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab", min_size=1, max_size=8), st.integers(1, 3), st.integers(0, 12_000))
def test_it_agrees_with_the_definition(unit: str, times: int, length: int) -> None:
    text = PROSE[:500] + unit * (length // len(unit))
    assert is_loop(text) == by_definition(text)


def by_definition(text: str) -> bool:
    """Every period tried, without any cleverness."""
    for period in range(1, 40):
        run = period
        while run < len(text) and text[-1 - run] == text[-1 - run + period]:
            run += 1
        if run >= needed(text[-period:]):
            return True
    return False


def test_a_long_answer_costs_no_more_than_its_length() -> None:
    """What is kept does not grow with the answer."""
    repeats = Repeats()
    for _ in range(300):
        assert not repeats.feed(PROSE[:1000][::-1] + PROSE[: 1000 + LONGEST_PERIOD * 3])
    assert len(repeats.text) <= 32_000
