"""The number of requests in flight: it doubles until the server says stop, then halves and creeps."""

from hypothesis import given
from hypothesis import strategies as st

from scriptorium.serve.limit import Limit


def round_of(limit: Limit) -> None:
    """As many requests as are allowed, all answered."""
    size = limit.size
    for _ in range(size):
        limit.begin()
    for left in range(size, 0, -1):
        limit.answered(max(left, limit.size))  # those that leave are replaced


def test_it_doubles_until_the_first_sign_of_overload_and_then_adds_one_a_round() -> None:
    limit = Limit(16, 1600)
    sizes = []
    for _ in range(4):
        round_of(limit)
        sizes.append(limit.size)
    assert sizes == [32, 64, 128, 256]
    limit.overloaded(limit.begin())
    assert limit.size == 128
    for _ in range(10):
        round_of(limit)
    assert 128 + 8 <= limit.size <= 128 + 10


def test_the_faults_of_one_overload_count_once() -> None:
    limit = Limit(64, 64)
    numbers = [limit.begin() for _ in range(64)]
    for number in numbers:
        limit.overloaded(number)
    assert limit.size == 32
    limit.overloaded(limit.begin())
    assert limit.size == 16


def test_it_does_not_grow_while_it_is_not_used() -> None:
    limit = Limit(16, 1600)
    for _ in range(100):
        limit.begin()
        limit.answered(3)
    assert limit.size == 16


def test_a_queue_in_the_server_stops_growth_and_a_long_one_shrinks_it() -> None:
    limit = Limit(50, 1600)
    limit.queue(4)
    limit.begin()
    limit.answered(50)
    assert limit.size == 50
    limit.queue(30)
    assert limit.size == 40
    limit.queue(30)  # no request has been sent since
    assert limit.size == 40
    limit.queue(0)
    limit.begin()
    for _ in range(41):
        limit.answered(41)
    assert limit.size == 41


@given(st.integers(1, 50), st.integers(0, 200), st.lists(st.sampled_from("baoq"), max_size=400))
def test_it_stays_within_its_bounds(start: int, more: int, events: list[str]) -> None:
    limit = Limit(start, start + more)
    for event in events:
        if event == "b":
            limit.begin()
        elif event == "a":
            limit.answered(limit.size)
        elif event == "o":
            limit.overloaded(limit.begun)
        else:
            limit.queue(limit.begun % 70)
        assert 1 <= limit.size <= start + more
