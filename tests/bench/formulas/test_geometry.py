"""Containment by the look of symbols: the answer is that of trying everything, and it comes soon."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scriptorium.bench.formulas import geometry
from scriptorium.bench.formulas.geometry import Layout, contains
from scriptorium.bench.formulas.render import render

NUMBER = st.integers(0, 4).map(lambda at: at * 4.0)
PLACED = st.lists(st.tuples(st.sampled_from("xxy"), NUMBER, NUMBER), min_size=1, max_size=7)


def layout(symbols: list[tuple[str, float, float]]) -> Layout:
    """Symbols at points, without MathML (so that geometry decides)."""
    return Layout(f"<mi>{symbols!r}</mi>", [(text, x, y, 0.0, 0.0) for text, x, y in symbols])


def every_assignment(hypothesis: Layout, reference: Layout) -> bool:
    """The definition: assign the reference's symbols in order, checking each one's neighbours as it goes."""
    there, here = hypothesis.neighbours.tolist(), reference.neighbours.tolist()
    place: dict[int, int] = {}

    def fits(symbol: int, at: int) -> bool:
        for side, other in enumerate(here[symbol]):
            if other < 0:
                continue
            beside = there[at][side]
            if beside < 0 or hypothesis.characters[beside] != reference.characters[other]:
                return False
            if other in place and place[other] != beside:
                return False
        return True

    def assign(symbol: int) -> bool:
        if symbol == len(reference.characters):
            return True
        for at, character in enumerate(hypothesis.characters):
            if character == reference.characters[symbol] and at not in place.values() and fits(symbol, at):
                place[symbol] = at
                if assign(symbol + 1):
                    return True
                del place[symbol]
        return False

    return assign(0)


@given(PLACED, PLACED)
@settings(max_examples=250, deadline=None)
def test_the_answer_is_that_of_trying_everything(
    large: list[tuple[str, float, float]], small: list[tuple[str, float, float]]
) -> None:
    hypothesis, reference = layout(large), layout(small)
    assert contains(hypothesis, reference) is every_assignment(hypothesis, reference)


@given(PLACED, st.data())
@settings(max_examples=150, deadline=None)
def test_parts_of_a_layout_are_judged_by_the_definition(
    symbols: list[tuple[str, float, float]], data: st.DataObject
) -> None:
    chosen = data.draw(st.lists(st.sampled_from(symbols), min_size=1, max_size=len(symbols), unique=True))
    hypothesis, reference = layout(symbols), layout(chosen)
    assert contains(hypothesis, reference) is every_assignment(hypothesis, reference)


def test_neighbours_are_the_nearest_in_line() -> None:
    found = layout([("a", 0, 0), ("b", 10, 4), ("c", 30, 0), ("d", 3, 20), ("e", 0, -20)]).neighbours
    assert found[0].tolist() == [4, 3, -1, 1]
    assert found[2].tolist() == [-1, -1, 1, -1]


def test_the_characters_of_a_piece_share_its_width() -> None:
    found = Layout("", [("ab", 0.0, 0.0, 20.0, 10.0), ("c", 20.0, 0.0, 10.0, 10.0)])
    assert found.characters == "abc"
    assert found.neighbours.tolist() == [[-1, -1, -1, 1], [-1, -1, 0, 2], [-1, -1, 1, -1]]


def test_neighbours_do_not_depend_on_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    symbols = [("x", 7.0 * (at % 9), 6.0 * (at // 9)) for at in range(60)]
    whole = layout(symbols).neighbours
    monkeypatch.setattr(geometry, "_BLOCK", 100)
    assert (layout(symbols).neighbours == whole).all()


def test_what_shows_nothing_stands_in_everything() -> None:
    assert contains(layout([("x", 0, 0)]), Layout("", [("\u200b", 0.0, 0.0, 1.0, 1.0)])) is True


@pytest.mark.parametrize("depth", [8, 10, 30])
def test_continued_fractions_end(depth: int) -> None:
    def fraction(levels: int) -> str:
        return "x+" + r"\frac{1}{x+" * levels + "x" + "}" * levels

    small, large, other = render([fraction(depth), fraction(depth + 1) + "+z", fraction(depth - 1) + "+z"])
    assert contains(large.layout, small.layout) is True
    assert contains(other.layout, small.layout) is False


def test_a_pigeon_too_many_is_seen_at_once() -> None:
    apart = [("x", 100.0 * at, 100.0 * at) for at in range(40)]
    turned = [("x", 100.0 * at, -100.0 * at) for at in range(41)]
    assert contains(layout(turned), layout(apart)) is True
    assert contains(layout(apart), layout(turned)) is False


def test_a_search_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geometry, "WORK", 0)
    hypothesis = layout([("x", 0, 0), ("x", 10, 0), ("x", 100, 100), ("x", 110, 100)])
    assert contains(hypothesis, layout([("x", 0, 0), ("x", 10, 0)])) is None


def test_formulas_without_bounds_are_not_compared() -> None:
    many = layout([("x", 10.0 * at, 0.0) for at in range(geometry.MOST_SYMBOLS + 1)])
    assert contains(many, layout([("x", 0, 0), ("x", 10, 0)])) is None
