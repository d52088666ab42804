"""Several endpoints: shares by weight, another one when one fails, the breaker and its probes."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from scriptorium.errors import ConfigError, ServerError
from scriptorium.serve.balance import FAULTS_TO_OPEN, Balancer, pause_after
from scriptorium.serve.client import ChatClient, RequestRefused
from scriptorium.serve.endpoint import Endpoint
from scriptorium.serve.faults import Fault
from scriptorium.serve.load import parse
from scriptorium.serve.several import models, named, up_to

from .scripted import Reply, ScriptedServer, answer, in_turn

PNG = b"\x89PNG\r\n\x1a\n"
A, B = Endpoint("http://a/v1", "m", in_flight=30), Endpoint("http://b/v1", "m", in_flight=30, weight=2.0)


def test_requests_are_shared_by_weight() -> None:
    balancer = Balancer([A, B], 1.0)
    taken = [balancer.take(time.monotonic(), {}, "")[0].endpoint.base_url for _ in range(30)]
    assert taken.count("http://b/v1") == 20


def test_a_full_endpoint_is_passed_over() -> None:
    balancer = Balancer([replace(A, in_flight=2), B], 1.0)
    taken = [balancer.take(time.monotonic(), {}, "")[0].endpoint.base_url for _ in range(20)]
    assert taken.count("http://a/v1") == 2


def test_the_breaker_opens_and_lets_one_request_through_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scriptorium.serve.balance.pause_after", lambda faults: 0.0)
    balancer = Balancer([A], 1.0)
    for _ in range(FAULTS_TO_OPEN):
        line, number = balancer.take(time.monotonic(), {}, "")
        balancer.failed(line, number, Fault("down"))
    assert line.open
    line, _ = balancer.take(time.monotonic(), {}, "")
    assert not line.has_room()
    balancer.answered(line, 0.0)
    assert not line.open
    assert line.has_room()


@pytest.mark.parametrize("faults", [1, 2, 5, 9, 500])
def test_pauses_grow_to_a_minute(faults: int) -> None:
    assert 0.5 <= pause_after(faults) <= 60.0


def test_only_overload_lowers_the_limit() -> None:
    balancer = Balancer([A], 1.0)
    line, number = balancer.take(time.monotonic(), {}, "")
    balancer.failed(line, number, Fault("refused"))
    assert line.limit.size == 30
    line, number = balancer.take(time.monotonic(), {}, "")
    balancer.failed(line, number, Fault("429", pause=0.001, overload=True))
    assert line.limit.size == 15


def test_a_request_goes_to_the_other_server_when_one_fails() -> None:
    with (
        ScriptedServer(in_turn((503, {"retry-after": "30"}, "down"))) as down,
        ScriptedServer(in_turn(answer("read"))) as up,
        ChatClient([down.endpoint, up.endpoint], 60.0) as client,
    ):
        texts = [client.complete(PNG, "Read.", 7, 0.0).text for _ in range(5)]
    assert texts == ["read"] * 5
    assert len(down.requests) == 1  # it asked for rest
    assert len(up.requests) == 5


def test_a_server_that_is_gone_is_left_and_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Down for its first requests: pages are read elsewhere, then both share the work again."""
    monkeypatch.setattr("scriptorium.serve.balance.pause_after", lambda faults: 0.05)
    down = [(502, {}, "gone")] * (FAULTS_TO_OPEN + 2)

    def slowly(body: dict) -> Reply:
        time.sleep(0.01)
        return answer("b")

    with (
        ScriptedServer(in_turn(*down, answer("a"))) as one,
        ScriptedServer(slowly) as two,
        ChatClient([one.endpoint, two.endpoint], 60.0) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        texts = [""]
        while texts.count("a") < 3:
            texts += pool.map(lambda _: client.complete(PNG, "Read.", 7, 0.0).text, range(16))
    assert set(texts[1:]) == {"a", "b"}


def test_no_more_requests_at_once_than_the_limit() -> None:
    flying, most, turn = 0, 0, threading.Lock()

    def reply(body: dict) -> Reply:
        nonlocal flying, most
        with turn:
            flying += 1
            most = max(most, flying)
        time.sleep(0.005)
        with turn:
            flying -= 1
        return answer("x")

    with (
        ScriptedServer(reply) as server,
        ThreadPoolExecutor(24) as pool,
        ChatClient(up_to(server.endpoint, 6)) as client,
    ):
        list(pool.map(lambda _: client.complete(PNG, "Read.", 7, 0.0), range(80)))
        assert client.room == client.cap == 6
    assert most <= 6


def test_too_many_requests_lower_the_limit_and_lose_nothing() -> None:
    """A server that takes three at a time: the rest is sent again, no answer is lost."""
    flying, turn = 0, threading.Lock()

    def reply(body: dict) -> Reply:
        nonlocal flying
        with turn:
            if flying >= 3:
                return 429, {"retry-after": "0.01"}, "too many"
            flying += 1
        time.sleep(0.005)
        with turn:
            flying -= 1
        return answer("x")

    with (
        ScriptedServer(reply) as server,
        ThreadPoolExecutor(24) as pool,
        ChatClient(replace(server.endpoint, in_flight=16, most=64)) as client,
    ):
        texts = list(pool.map(lambda _: client.complete(PNG, "Read.", 7, 0.0).text, range(100)))
        assert client.room <= 16
    assert texts == ["x"] * 100


def test_a_page_that_one_request_broke_elsewhere_is_still_the_pages_fault() -> None:
    def reply(body: dict) -> Reply:
        plain = isinstance(body["messages"][0]["content"], str)
        return answer("fine") if plain else (500, {"retry-after": "0.01"}, "cannot")

    with (
        ScriptedServer(reply) as one,
        ScriptedServer(reply) as two,
        ChatClient([one.endpoint, two.endpoint], 30.0) as client,
        pytest.raises(RequestRefused, match="answers others"),
    ):
        client.complete(PNG, "Read.", 7, 0.0)


def test_stopping_wakes_who_waits() -> None:
    balancer = Balancer([replace(A, in_flight=1)], 60.0)
    balancer.take(time.monotonic(), {}, "")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(balancer.take, time.monotonic(), {}, "")
        balancer.stop()
        with pytest.raises(ServerError, match="stopped"):
            waiting.result(10)


def test_one_of_two_local_servers_may_die() -> None:
    def dead() -> None:
        raise ServerError("it ended with code 9")

    Balancer([A, replace(B, check=dead)], 1.0).check()
    with pytest.raises(ServerError, match="code 9"):
        Balancer([replace(A, check=dead)], 1.0).check()


def test_servers_are_named_with_models_and_weights() -> None:
    found = named("http://a:1#m*2.5 https://b/v1#n")
    assert [(each.base_url, each.model, each.weight) for each in found] == [
        ("http://a:1/v1", "m", 2.5),
        ("https://b/v1", "n", 1.0),
    ]
    assert models(found) == "m + n"
    with ScriptedServer(in_turn(answer("x"))) as server:
        assert named(f"{server.url}*3")[0].model == "listed"
    with pytest.raises(ConfigError, match="weight"):
        named("http://a#m*0")
    with pytest.raises(ConfigError, match="not a URL"):
        named("http://a#m localhost")


@pytest.mark.parametrize(
    ("text", "waiting"),
    [
        (
            'vllm:num_requests_waiting{engine="0",model_name="m"} 3.0\nvllm:num_requests_waiting{engine="1"} 4',
            7.0,
        ),
        ("# HELP x\nsglang:num_queue_reqs 0\n", 0.0),
        ("llamacpp:requests_deferred 12\nother 3", 12.0),
        ("vllm:num_requests_waiting_by_reason 3", None),
        ("<html>", None),
    ],
)
def test_the_queue_in_metrics(text: str, waiting: float | None) -> None:
    assert parse(text) == waiting
