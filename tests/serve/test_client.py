"""The client: what it sends, what it waits out, and what it gives back."""

import socket

import pytest

from scriptorium.errors import ConfigError, ServerError
from scriptorium.serve.client import Asking, ChatClient, RequestRefused
from scriptorium.serve.endpoint import KEY_VARIABLE, Endpoint
from scriptorium.serve.faults import LONGEST_PAUSE_SECONDS, retry_after

from .scripted import Reply, ScriptedServer, answer, in_turn

PNG = b"\x89PNG\r\n\x1a\n"
BUSY = (503, {"retry-after": "0.01"}, "starting")


def ask(server: ScriptedServer, patience: float = 20.0, temperature: float = 0.0) -> str:
    with ChatClient(server.endpoint, patience) as client:
        return client.complete(PNG, "Read.", 77, temperature, 3).text


def test_request_has_prompt_image_and_sampling() -> None:
    with ScriptedServer(in_turn(answer("hello"))) as server:
        assert ask(server) == "hello"
    (body,) = server.requests
    text, image = body["messages"][0]["content"]
    assert text == {"type": "text", "text": "Read."}
    assert image["image_url"]["url"].startswith("data:image/png;base64,iVBOR")
    assert (body["max_tokens"], body["temperature"], body["seed"], body["model"]) == (77, 0.0, 3, "m")


def test_what_a_server_expects_besides() -> None:
    asking = Asking(image_first=True, fields={"top_p": 0.5, "seed": None, "max_tokens": 9})
    with (
        ScriptedServer(in_turn(answer("hello"))) as server,
        ChatClient(server.endpoint, 5.0, asking) as client,
    ):
        client.complete(PNG, "Read.", 77, 0.0, 3)
    (body,) = server.requests
    assert [part["type"] for part in body["messages"][0]["content"]] == ["image_url", "text"]
    assert (body["top_p"], body["max_tokens"], "seed" in body) == (0.5, 9, False)


@pytest.mark.parametrize("tries", [1, 2])
def test_a_page_that_cuts_the_connection_of_a_healthy_server_is_refused(tries: int) -> None:
    def reply(body: dict) -> Reply:
        if isinstance(body["messages"][0]["content"], str):
            return answer("fine")
        raise ConnectionAbortedError

    with (
        ScriptedServer(reply) as server,
        ChatClient(server.endpoint, 20.0, Asking(tries=tries)) as client,
        pytest.raises(RequestRefused, match="answers others"),
    ):
        client.complete(PNG, "Read.", 77, 0.0)
    assert len(server.requests) == tries + 1


def test_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "sesame")
    with ScriptedServer(in_turn(answer("hello"))) as server:
        ask(server)
    assert server.headers[0]["authorization"] == "Bearer sesame"


@pytest.mark.parametrize("status", [201, 408, 425, 429, 500, 501, 502, 503, 504, 505, 507, 511, 529])
def test_faults_of_the_server_are_waited_out(status: int) -> None:
    fault = (status, {"retry-after": "0.01"}, "not now")
    with ScriptedServer(in_turn(fault, fault, answer("at last"))) as server:
        assert ask(server) == "at last"
    assert len(server.requests) == 3


def test_a_server_that_stays_away_is_an_error_that_says_pages_stay_pending() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = Endpoint(f"http://127.0.0.1:{unused.getsockname()[1]}/v1", "m")
        with ChatClient(endpoint, patience=0.5) as client, pytest.raises(ServerError, match="pending"):
            client.complete(PNG, "Read.", 10, 0.0)


def test_a_dead_server_is_not_waited_for() -> None:
    def check() -> None:
        raise ServerError("the server ended with code 9")

    endpoint = Endpoint("http://127.0.0.1:9/v1", "m", check=check)
    with ChatClient(endpoint) as client, pytest.raises(ServerError, match="code 9"):
        client.complete(PNG, "Read.", 10, 0.0)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_wrong_key_or_model_stops_at_once(status: int) -> None:
    with (
        ScriptedServer(in_turn((status, {}, "no"))) as server,
        pytest.raises(ConfigError, match=KEY_VARIABLE),
    ):
        ask(server)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "text", "context"),
    [(400, "maximum context length is 16384 tokens", True), (400, "bad image", False), (413, "", True)],
)
def test_a_refused_request_is_the_pages_fault(status: int, text: str, context: bool) -> None:
    with ScriptedServer(in_turn((status, {}, text))) as server, pytest.raises(RequestRefused) as caught:
        ask(server)
    assert caught.value.context == context


def test_a_page_that_breaks_a_healthy_server_is_refused() -> None:
    def reply(body: dict) -> Reply:
        probe = isinstance(body["messages"][0]["content"], str)
        return answer("fine") if probe else (500, {"retry-after": "0.01"}, "cannot read image")

    with ScriptedServer(reply) as server, pytest.raises(RequestRefused, match="cannot read image"):
        ask(server)


def test_a_server_that_fails_on_everything_is_not_the_pages_fault() -> None:
    with (
        ScriptedServer(in_turn((500, {"retry-after": "0.01"}, "broken"))) as server,
        pytest.raises(ServerError, match="broken"),
    ):
        ask(server, patience=0.2)


@pytest.mark.parametrize("text", ["{}", '{"choices": []}', '{"choices": [{}]}', "[]"])
def test_a_reply_that_is_no_completion_is_an_error(text: str) -> None:
    with ScriptedServer(in_turn((200, {}, text))) as server, pytest.raises(ServerError, match="completion"):
        ask(server)


def test_lone_surrogates_do_not_reach_files() -> None:
    with ScriptedServer(in_turn(answer("a\ud800b"))) as server:
        assert ask(server).encode("utf-8") == b"a?b"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("2", 2.0), ("900", LONGEST_PAUSE_SECONDS), ("soon", None), ("", None), ("-1", None)],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}) == seconds
