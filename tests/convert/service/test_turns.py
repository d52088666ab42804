"""Whose turn it is."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.convert.service.limits import Limits
from scriptorium.convert.service.problems import Problem
from scriptorium.convert.service.turns import Turns


@given(
    st.lists(st.sampled_from("abc"), max_size=30), st.integers(1, 4), st.integers(0, 8), st.integers(1, 10)
)
def test_bounds_hold_and_everybody_who_is_let_in_is_served(
    clients: list[str], at_once: int, waiting: int, each: int
) -> None:
    turns = Turns(Limits(at_once=at_once, waiting=waiting, each=each))
    served, refused = Counter[str](), Counter[str]()

    async def one(client: str) -> None:
        try:
            with turns.admitted(client) as ticket:
                assert len(turns.here) <= at_once + waiting
                assert Counter(other.client for other in turns.here)[client] <= each
                async with turns.turn(ticket):
                    assert len(turns.running) <= at_once
                    await asyncio.sleep(0)
                    served[client] += 1
        except Problem as problem:
            assert problem.status == 429 and problem.retry_after
            refused[client] += 1

    async def all_of_them() -> None:
        await asyncio.gather(*(one(client) for client in clients))

    asyncio.run(all_of_them())
    assert served + refused == Counter(clients)
    assert not turns.here and not turns.line and not turns.running
    assert not clients or served.total() >= 1


def test_who_has_nothing_yet_comes_before_who_has_something() -> None:
    async def work() -> list[str]:
        turns = Turns(Limits(at_once=2, waiting=10, each=10))
        order: list[str] = []

        async def one(client: str) -> None:
            with turns.admitted(client) as ticket:
                async with turns.turn(ticket):
                    order.append(client)
                    await asyncio.sleep(0.01)

        async with asyncio.TaskGroup() as group:
            for client in ["greedy"] * 6 + ["modest"]:
                group.create_task(one(client))
        return order

    order = asyncio.run(work())
    assert order[:2] == ["greedy", "greedy"]
    assert order.index("modest") in (2, 3)


def test_who_goes_away_while_waiting_holds_no_place() -> None:
    async def work() -> None:
        turns = Turns(Limits(at_once=1))
        async with AsyncExitStack() as stack:
            first = stack.enter_context(turns.admitted("a"))
            await stack.enter_async_context(turns.turn(first))
            second = turns.admitted("b")
            ticket = second.__enter__()
            waiting = asyncio.create_task(turns.turn(ticket).__aenter__())
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            second.__exit__(None, None, None)
        assert not turns.here and not turns.line and not turns.running

    asyncio.run(work())


def test_at_the_end_nobody_waits() -> None:
    async def work() -> None:
        turns = Turns(Limits(at_once=1))
        with turns.admitted("a") as first, turns.admitted("b") as second:
            async with turns.turn(first):
                waiting = asyncio.create_task(turns.turn(second).__aenter__())
                await asyncio.sleep(0)
                turns.drain()
                with pytest.raises(Problem, match="about to end"):
                    await waiting
        with pytest.raises(Problem, match="about to end"), turns.admitted("c"):
            pass

    asyncio.run(work())
