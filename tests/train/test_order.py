"""The order of training rows: a function of the seed, seekable, and a curriculum that keeps old groups in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.errors import InputError
from scriptorium.train.order import Curriculum, Order

GROUPS = ["4x1"] * 7 + ["8x1"] * 5 + ["16x1"] * 9


@given(seed=st.integers(0, 2**32), cut=st.integers(1, 20), size=st.integers(1, 8))
def test_goes_on_where_a_checkpoint_was_taken(seed: int, cut: int, size: int) -> None:
    whole = Order.of(GROUPS, seed, Curriculum(("4x1", "8x1", "16x1"), advance_below=1.0))
    steps = []
    for step in range(1, 25):
        if step == cut:
            state = whole.state()
        steps.append(whole.batch(step, size))
        whole.learnt(2.0 if step % 5 else 0.0)
    resumed = Order.of(GROUPS, seed, Curriculum(("4x1", "8x1", "16x1"), advance_below=1.0))
    resumed.restore(state)
    for step in range(cut, 25):
        assert resumed.batch(step, size) == steps[step - 1]
        resumed.learnt(2.0 if step % 5 else 0.0)


def test_an_epoch_holds_every_row_once() -> None:
    order = Order.of(["a"] * 12, seed=3)
    first = [row for step in range(1, 4) for row in order.batch(step, 4)]
    second = [row for step in range(4, 7) for row in order.batch(step, 4)]
    assert sorted(first) == sorted(second) == list(range(12))
    assert first != second


def test_a_group_opens_when_the_loss_allows_and_old_ones_stay_in() -> None:
    order = Order.of(GROUPS, 1, Curriculum(("4x1", "8x1", "16x1"), advance_below=0.5, replay=0.5))
    assert {GROUPS[row] for row in order.batch(1, 50)} == {"4x1"}
    assert not order.learnt(0.9)
    assert order.opened == 1
    while not order.learnt(0.1):
        pass
    assert order.opened == 2
    assert {GROUPS[row] for row in order.batch(2, 50)} == {"4x1", "8x1"}


def test_a_curriculum_of_a_missing_group_is_refused() -> None:
    with pytest.raises(InputError, match="32x1"):
        Order.of(GROUPS, 1, Curriculum(("4x1", "32x1")))
