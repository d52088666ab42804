"""Streamed answers from a real server: pieces, loops, breaks; and every kind of answer that is none."""

import contextlib
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.errors import ConfigError, HostError, ServerError
from scriptorium.pages.sheet import Budget, Sheet
from scriptorium.serve import client as client_module
from scriptorium.serve import faults
from scriptorium.serve.client import Answer, Asking, ChatClient, RequestRefused
from scriptorium.serve.endpoint import Endpoint
from scriptorium.serve.stream import events

from .scripted import Reply, ScriptedServer, answer, in_turn

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 1000
EVENTS = {"content-type": "text/event-stream"}
AGAIN = {"retry-after": "0.01"}


def event(content: str = "", finish: str | None = None, **more: Any) -> str:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
    return f"data: {json.dumps({'choices': [choice], **more}, ensure_ascii=False)}\n\n"


def _quiet() -> contextlib.suppress:
    return contextlib.suppress(OSError)


def stream(*parts: str, finish: str | None = "stop", done: bool = True) -> Reply:
    usage = "data: " + json.dumps({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 7}})
    text = ": a comment\n\n" + "".join(map(event, parts)) + event(finish=finish) + usage + "\n\n"
    return 200, EVENTS, text + ("data: [DONE]\n\n" if done else "")


def ask(server: ScriptedServer, patience: float = 20.0, asking: Asking | None = None) -> Answer:
    with ChatClient(server.endpoint, patience, asking) as client:
        return client.complete(PNG, "Read.", 77, 0.0, 3)


def test_an_answer_in_pieces() -> None:
    with ScriptedServer(in_turn(stream("one\u2028", "two", "", "\x85three"))) as server:
        got = ask(server)
    assert (got.text, got.finish_reason) == ("one\u2028two\x85three", "stop")
    assert (got.prompt_tokens, got.completion_tokens) == (11, 7)
    assert server.requests[0]["stream"] is True
    assert server.requests[0]["stream_options"] == {"include_usage": True}


def test_a_loop_is_cut_and_said_to_be_one() -> None:
    with ScriptedServer(in_turn(stream("Fine. ", *["again and "] * 5000))) as server:
        got = ask(server)
    assert got.finish_reason == "loop"
    assert 4000 < len(got.text) < 10_000
    assert got.completion_tokens == pytest.approx(len(got.text) / 10, abs=1)


def test_length_is_passed_on() -> None:
    with ScriptedServer(in_turn(stream("a", finish="length"))) as server:
        assert ask(server).finish_reason == "length"


@pytest.mark.parametrize(
    "broken",
    [
        (200, EVENTS, event("half")),
        (200, EVENTS, event("half") + "data: {\n\n"),
        (200, EVENTS, event("half") + 'data: {"error": {"message": "engine died", "code": 500}}\n\n'),
        (200, EVENTS, ""),
        (200, {}, '{"error": {"message": "overloaded", "code": 503}}'),
        (200, {}, '{"object": "error", "message": "internal"}'),
        (200, {"content-type": "text/html"}, "<html>Starting up</html>"),
        (200, {}, '{"choices": [{"mess'),
        (200, {}, ""),
        (520, AGAIN, "<html>the origin is down</html>"),
    ],
)
def test_what_breaks_off_is_asked_again(broken: Reply, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scriptorium.serve.balance.pause_after", lambda faults: 0.01)
    with ScriptedServer(in_turn(broken, broken, stream("whole"))) as server:
        assert ask(server).text == "whole"
    assert len(server.requests) == 3


def test_an_error_inside_an_answer_is_sorted_as_its_code_says() -> None:
    refused = (200, {}, '{"error": {"message": "context length exceeded", "code": 400}}')
    with ScriptedServer(in_turn(refused)) as server, pytest.raises(RequestRefused) as caught:
        ask(server)
    assert caught.value.context
    with (
        ScriptedServer(in_turn((200, {}, '{"error": {"code": "401"}}'))) as server,
        pytest.raises(ConfigError),
    ):
        ask(server)


@pytest.mark.parametrize("status", [301, 302, 307, 402, 407, 410])
def test_a_wrong_address_stops_at_once(status: int) -> None:
    reply = (status, {"location": "https://elsewhere/"}, "")
    with ScriptedServer(in_turn(reply)) as server, pytest.raises(ConfigError, match="elsewhere"):
        ask(server)
    assert len(server.requests) == 1


def test_a_server_that_cannot_stream_is_asked_without() -> None:
    def reply(body: dict[str, Any]) -> Reply:
        return (400, {}, "stream is not supported") if "stream" in body else answer("whole")

    with ScriptedServer(reply) as server, ChatClient(server.endpoint, 20.0) as client:
        for _ in range(2):
            assert client.complete(PNG, "Read.", 77, 0.0).text == "whole"
    assert ["stream" in body for body in server.requests] == [True, False, False]


def test_one_that_answers_in_one_piece_all_the_same() -> None:
    with ScriptedServer(in_turn(answer("whole"))) as server, ChatClient(server.endpoint, 20.0) as client:
        for _ in range(2):
            assert client.complete(PNG, "Read.", 77, 0.0).text == "whole"
    assert ["stream" in body for body in server.requests] == [True, False]


def test_the_image_arrives_whole_and_is_let_go() -> None:
    import base64

    import numpy as np

    from scriptorium.pages.image import encode_png

    drawn = []

    def draw() -> np.ndarray:
        drawn.append(1)
        return np.random.default_rng(1).integers(0, 255, (300, 500, 3), np.uint8)

    budget = Budget(64 << 20)
    sheet = Sheet(draw, budget)
    fault = (503, AGAIN, "not yet")
    with (
        ScriptedServer(in_turn(fault, stream("read"))) as server,
        ChatClient(server.endpoint, 20.0) as client,
    ):
        assert client.complete(sheet, "Read.", 77, 0.0).text == "read"
    url = server.requests[1]["messages"][0]["content"][1]["image_url"]["url"]
    assert base64.b64decode(url.partition(",")[2]) == encode_png(draw())
    assert budget.used == 0
    assert budget.most > 0
    assert len(drawn) == 3  # once a request, and once for this test


def test_drip_feeding_ends_with_the_total_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        stop = threading.Event()

        def drip() -> None:
            with _quiet():  # until the listener closes
                while not stop.is_set():
                    connection, _ = listener.accept()
                    with connection, _quiet():
                        connection.recv(1 << 20)
                        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
                        while not stop.wait(0.02):
                            connection.sendall(b" ")

        threading.Thread(target=drip, daemon=True).start()
        asking = Asking(timeout=0.3, tries=99)
        with (
            ChatClient(Endpoint(url, "m"), 0.2, asking) as client,
            pytest.raises(ServerError, match="in time"),
        ):
            client.complete(b"png", "Read.", 7, 0.0)
        stop.set()


def test_a_name_that_does_not_resolve_is_waited_for() -> None:
    with (
        ChatClient(Endpoint("http://no-such-host.invalid/v1", "m"), 0.2) as client,
        pytest.raises(ServerError, match="pending"),
    ):
        client.complete(PNG, "Read.", 7, 0.0)


def test_a_certificate_that_nobody_vouches_for_stops_at_once(tls: str) -> None:
    with ChatClient(Endpoint(tls, "m")) as client, pytest.raises(ConfigError, match="certificate"):
        client.complete(PNG, "Read.", 7, 0.0)


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[str]:
    """A TLS server with a certificate of its own making."""
    words = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    words += ["-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "cert")]
    try:
        subprocess.run(words, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("there is no openssl here")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def shake() -> None:
            with _quiet():
                while True:
                    connection, _ = listener.accept()
                    with _quiet():
                        context.wrap_socket(connection, server_side=True).close()

        threading.Thread(target=shake, daemon=True).start()
        yield f"https://localhost:{listener.getsockname()[1]}/v1"


def test_no_more_open_files_is_this_hosts_fault() -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ScriptedServer(in_turn(answer("x"))) as server, ChatClient(server.endpoint) as client:
        held = []
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        try:
            with _quiet():
                while True:
                    held.append(socket.socket())
            with pytest.raises(HostError, match="pending"):
                client.complete(PNG, "Read.", 7, 0.0)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for each in held:
                each.close()


@pytest.mark.parametrize("url", ["ftp://x/v1", "http:///v1"])
def test_a_url_that_cannot_be_asked(url: str) -> None:
    with ChatClient(Endpoint(url, "m")) as client, pytest.raises(ConfigError, match="URL"):
        client.complete(PNG, "Read.", 7, 0.0)


def test_a_full_disk_somewhere_below_is_this_hosts_fault() -> None:
    error = httpx.WriteError("x")
    error.__cause__ = OSError(28, "No space left on device")
    assert isinstance(faults.of_error(error, Endpoint("http://a/v1", "m")), HostError)


def knows(form: Callable[[dict[str, Any]], str | None]) -> Callable[[dict[str, Any]], Reply]:
    """A server that obeys one form of guiding, and ignores others."""

    def reply(body: dict[str, Any]) -> Reply:
        plain = isinstance(body["messages"][0]["content"], str)
        return answer("q7q7q7" if plain and form(body) else "free text")

    return reply


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (lambda body: body.get("guided_regex"), {"guided_regex": "a+"}),
        (lambda body: body.get("structured_outputs"), {"structured_outputs": {"regex": "a+"}}),
        (lambda body: body.get("response_format"), {"response_format": {"type": "regex", "value": "a+"}}),
        (lambda body: None, {}),
    ],
)
def test_guiding_is_probed_once_and_used_in_the_form_that_works(form: Any, field: dict[str, Any]) -> None:
    with ScriptedServer(knows(form)) as server, ChatClient(server.endpoint) as client:
        for _ in range(2):
            client.complete(PNG, "Read.", 7, 0.0, pattern="a+")
        client.complete(PNG, "Read.", 7, 0.0)
    pages = [body for body in server.requests if not isinstance(body["messages"][0]["content"], str)]
    names = {"guided_regex", "structured_outputs", "response_format", "regex"}
    found = [{key: body[key] for key in names & body.keys()} for body in pages]
    assert found == [field, field, {}]
    assert len(server.requests) - len(pages) <= 4


@given(st.lists(st.text(max_size=40), max_size=8), st.lists(st.integers(1, 9), min_size=1))
def test_events_do_not_depend_on_how_bytes_are_cut(texts: list[str], cuts: list[int]) -> None:
    wanted = [json.dumps({"t": text}, ensure_ascii=False).encode() for text in texts]
    data = b"".join(b": note\r\n\r\ndata: " + each + b"\r\n\r\n" for each in wanted) + b"data: unfinished"
    pieces, place, turn = [], 0, 0
    while place < len(data):
        size = cuts[turn % len(cuts)]
        pieces.append(data[place : place + size])
        place, turn = place + size, turn + 1
    assert list(events(iter(pieces))) == wanted


def test_the_place_of_the_image_is_in_no_prompt() -> None:
    assert client_module.PLACE.isascii()
    assert json.dumps(client_module.PLACE)[1:-1] == client_module.PLACE


def _scored(*values: float | None) -> str:
    """A chat completion that tells its tokens' log-probabilities."""
    told = [{"token": "x", "logprob": value} for value in values]
    choice = {"message": {"content": "text"}, "finish_reason": "stop", "logprobs": {"content": told}}
    return json.dumps({"choices": [choice]})


@pytest.mark.parametrize(
    ("reply", "mean"),
    [
        (_scored(-1.0, -3.0), -2.0),
        (_scored(-1.0, -9999.0), -50.5),
        (_scored(), None),
        (_scored(None), None),
        (json.dumps({"choices": [{"message": {"content": "text"}, "logprobs": [1]}]}), None),
    ],
)
def test_the_mean_log_probability_is_told_where_the_server_tells_it(reply: str, mean: float | None) -> None:
    with ScriptedServer(in_turn((200, {}, reply))) as server:
        with ChatClient(server.endpoint, 5.0, Asking(logprobs=True)) as client:
            assert client.complete(b"png", "Read.", 7, 0.0).mean_logprob == mean
        with ChatClient(server.endpoint, 5.0) as client:
            client.complete(b"png", "Read.", 7, 0.0)
    assert [request.get("logprobs") for request in server.requests] == [True, None]


def test_log_probabilities_come_with_pieces_too() -> None:
    def piece(text: str, value: float) -> str:
        choice = {"delta": {"content": text}, "logprobs": {"content": [{"logprob": value}]}}
        return f"data: {json.dumps({'choices': [choice]})}\n\n"

    reply = 200, EVENTS, piece("a", -1.0) + piece("b", -2.0) + "data: [DONE]\n\n"
    with (
        ScriptedServer(in_turn(reply)) as server,
        ChatClient(server.endpoint, 5.0, Asking(logprobs=True)) as client,
    ):
        answer = client.complete(b"png", "Read.", 7, 0.0)
    assert (answer.text, answer.mean_logprob) == ("ab", -1.5)


def test_a_server_that_knows_no_log_probabilities_is_asked_without() -> None:
    def reply(body: dict) -> Reply:
        return (400, {}, "unknown field: logprobs") if "logprobs" in body else answer("fine")

    with (
        ScriptedServer(reply) as server,
        ChatClient(server.endpoint, 5.0, Asking(logprobs=True)) as client,
    ):
        for _ in range(2):
            assert client.complete(b"png", "Read.", 7, 0.0).text == "fine"
    assert ["logprobs" in request for request in server.requests] == [True, False, False]


def test_hanging_up_ends_requests_that_hang() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        ended: list[BaseException] = []

        def ask() -> None:
            try:
                client.complete(b"png", "Read.", 7, 0.0)
            except ServerError as error:
                ended.append(error)

        with ChatClient(Endpoint(url, "m", in_flight=4)) as client:
            threads = [threading.Thread(target=ask) for _ in range(6)]  # two wait for a place
            for thread in threads:
                thread.start()
            connections = [listener.accept()[0] for _ in range(4)]
            for connection in connections:
                connection.recv(1 << 16)  # the request has been sent
            client.hang_up()
            for thread in threads:
                thread.join(30.0)
            for connection in connections:
                connection.close()
        assert len(ended) == 6
        assert all("stopped" in str(error) for error in ended)
