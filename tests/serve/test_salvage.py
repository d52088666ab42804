"""What is kept of an answer that was cut off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.serve.salvage import REPEATS, SHORTEST_TAIL, closed, repeated_tail, salvage

PIECES = st.lists(
    st.sampled_from(
        ["word ", "a\n", "\\(", "\\)", "<table>", "</table>", "$$", "```", "<td>x</td>", "\n\n", "x" * 9]
    )
)


@given(PIECES)
def test_salvaged_text_is_a_closed_start(pieces: list[str]) -> None:
    text = "".join(pieces)
    kept = salvage(text)
    assert text.startswith(kept)
    assert closed(kept)


@given(st.text("ab \n", max_size=40), st.text("abc \n", min_size=1, max_size=9), st.integers(REPEATS, 30))
def test_loops_are_cut(head: str, piece: str, times: int) -> None:
    text = head + piece * times
    cut = repeated_tail(text)
    if len(piece) * times < SHORTEST_TAIL:
        assert cut == 0 or len(head) + len(piece) * times >= SHORTEST_TAIL
    else:
        assert cut >= len(piece) * (times - 1)
        assert text.startswith(text[: len(text) - cut])


def test_text_without_a_loop_is_left_alone() -> None:
    assert repeated_tail("one two three four five six seven eight nine ten") == 0
    assert repeated_tail("1.1.1.1.") == 0


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("A whole sentence and hal", "A whole sentence and"),
        ("Before.\n<table><tr><td>1</td></tr>\n<tr><td>2", "Before."),
        ("Sum:\n\\[ a + b \\]\nthen \\( c + ", "Sum:\n\\[ a + b \\]"),
        ("word", ""),
        ("Title\n" + "na " * 40, "Title"),
    ],
)
def test_examples(text: str, kept: str) -> None:
    assert salvage(text) == kept
