"""Clients that wait, stall or go away, model servers that are away, and the service's own beginning and end."""

import concurrent.futures
import itertools
import json
import socket
import subprocess
import threading
from typing import Any

import httpx
import pytest

from scriptorium.convert.service.commands import serve_api
from scriptorium.errors import ConfigError
from scriptorium.pages.front_matter import FrontMatter, encode
from tests.convert.service.hanging import HangingServer
from tests.convert.service.served import WAIT_SECONDS, Body, events, pages, serving, until
from tests.faults import world
from tests.serve.scripted import Reply, ScriptedServer, answer


class Gate:
    """A model whose first page waits until it is let go; the others come at once."""

    def __init__(self) -> None:
        self.turns, self.opened = itertools.count(), threading.Event()

    def __call__(self, body: dict[str, Any]) -> Reply:
        if "image_url" in json.dumps(body) and next(self.turns) == 0:
            self.opened.wait(WAIT_SECONDS)
        return answer(encode(FrontMatter(), "Read."))


def test_pages_come_as_they_are_done() -> None:
    gate = Gate()
    with (
        ScriptedServer(gate) as model,
        serving(model.url) as service,
        httpx.stream(
            "POST",
            f"{service.url}/v1/convert",
            content=world.document("gate", 4),
            params={"order": "done"},
            timeout=WAIT_SECONDS,
        ) as response,
    ):
        lines = (json.loads(line) for line in response.iter_lines() if line)
        assert next(lines)["pages"] == 4
        early = [next(lines)["page"] for _ in range(3)]  # while one page is held back
        gate.opened.set()
        assert sorted([*early, next(lines)["page"]]) == [1, 2, 3, 4]
        assert next(lines)["type"] == "end"


def test_a_client_that_goes_away_stops_its_work() -> None:
    with HangingServer() as model, serving(model.url, "--per-client", "1") as service:
        with httpx.stream(
            "POST", f"{service.url}/v1/convert", content=world.document("gone", 3), timeout=WAIT_SECONDS
        ):
            assert model.wait(asked=3)
            until(service, running=1)
            refused = service.post(world.document("more", 1))
            assert refused.status_code == 429
            assert "as many as one client may" in refused.json()["error"]["message"]
        assert model.wait(left=3)
        until(service, running=0, waiting=0)
        assert "gone_total 1" in service.get("/metrics").text


def test_a_full_house_says_when_to_come_back() -> None:
    with (
        HangingServer() as model,
        serving(model.url, "--at-once", "1", "--waiting", "1") as service,
        concurrent.futures.ThreadPoolExecutor(2) as threads,
    ):
        here = [threads.submit(service.post, world.document("first", 1))]
        until(service, running=1)
        here.append(threads.submit(service.post, world.document("second", 1)))
        until(service, running=1, waiting=1)
        body = Body()
        refused = service.post(body)
        assert (refused.status_code, refused.json()["error"]["type"]) == (429, "Busy")
        assert int(refused.headers["retry-after"]) >= 1
        assert body.taken < 64 << 20
        service.process.kill()
        for each in here:
            assert isinstance(each.exception(), httpx.HTTPError)


def test_a_client_that_takes_nothing_loses_its_place() -> None:
    long = answer(encode(FrontMatter(), "\n\n".join(f"Paragraph {number}." for number in range(20_000))))
    body = world.document("stall", 16)  # 6 MB of answers: more than lies in buffers on the way
    with (
        ScriptedServer(lambda _: long) as model,
        serving(model.url, "--stall-seconds", "1") as service,
        socket.socket() as client,
    ):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", int(service.url.rpartition(":")[2])))
        head = f"POST /v1/convert HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(body)}\r\n\r\n"
        client.sendall(head.encode() + body)
        until(service, running=1)
        until(service, running=0, waiting=0)
        assert "gone_total 1" in service.get("/metrics").text


def test_a_document_that_takes_too_long_ends_with_an_error() -> None:
    with HangingServer() as model, serving(model.url, "--job-seconds", "1") as service:
        assert events(service.post(world.document("slow", 1)).text)[-1]["error"]["type"] == "Timeout"
        assert service.post(world.document("slow", 1), format="json").status_code == 503
        assert model.wait(left=2)


def test_a_model_server_that_is_away_is_said() -> None:
    away = {"rules": [{"fault": "status", "status": 503}]}
    with world.FaultyServer(away) as model, serving(model.url, "--patience", "1") as service:
        last = events(service.post(world.document("away", 2)).text)[-1]
        assert (last["type"], last["error"]["type"]) == ("error", "ServerError")
        whole = service.post(world.document("away", 2), format="markdown")
        assert whole.status_code == 503
        assert whole.headers["retry-after"]
        model.order(rules=[])
        assert pages(service.post(world.document("back", 1)).text)


def test_the_key() -> None:
    with world.FaultyServer() as model:
        options = ["--cors-origin", "https://site.example"]
        with serving(model.url, *options, SCRIPTORIUM_SERVICE_KEY="open sésame") as service:
            body = world.document("key", 1)
            for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic x"}):
                refused = httpx.post(
                    f"{service.url}/v1/convert", timeout=WAIT_SECONDS, content=body, headers=headers
                )
                assert refused.status_code == 401
            assert service.get("/metrics").status_code == service.get("/v1/limits").status_code == 401
            for path in ("/", "/health", "/openapi.json", "/static/app.js"):
                assert service.get(path).status_code == 200
            right = {"authorization": b"Bearer open s\xc3\xa9same"}
            assert pages(
                httpx.post(
                    f"{service.url}/v1/convert", timeout=WAIT_SECONDS, content=body, headers=right
                ).text
            )
            asked = {"origin": "https://site.example", "access-control-request-method": "POST"}
            allowed = httpx.options(f"{service.url}/v1/convert", timeout=WAIT_SECONDS, headers=asked)
            assert allowed.headers["access-control-allow-origin"] == "https://site.example"
            other = asked | {"origin": "https://other.example"}
            assert (
                "access-control-allow-origin"
                not in httpx.options(f"{service.url}/v1/convert", timeout=WAIT_SECONDS, headers=other).headers
            )


def test_told_to_end_it_finishes_what_it_reads() -> None:
    gate = Gate()
    with (
        ScriptedServer(gate) as model,
        serving(model.url, "--at-once", "1") as service,
        concurrent.futures.ThreadPoolExecutor(2) as threads,
    ):
        reading = threads.submit(service.post, world.document("reading", 3))
        until(service, running=1)
        waiting = threads.submit(service.post, world.document("waiting", 1))
        until(service, waiting=1)
        service.process.terminate()
        refused = waiting.result()
        assert (refused.status_code, refused.json()["error"]["type"]) == (503, "Draining")
        gate.opened.set()
        assert len(pages(reading.result().text)) == 3
        _, err = service.process.communicate(timeout=WAIT_SECONDS)
        assert (service.process.returncode, err) == (0, "")


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({"host": "0.0.0.0"}, "SCRIPTORIUM_SERVICE_KEY"),
        ({"key_variable": "NOT_SET"}, "NOT_SET"),
        ({"server": []}, "give server=URL or model=DIR"),
        ({"model": "x"}, "give server=URL or model=DIR"),
    ],
)
def test_orders_that_cannot_be_carried_out(
    monkeypatch: pytest.MonkeyPatch, order: dict[str, Any], said: str
) -> None:
    monkeypatch.delenv("SCRIPTORIUM_SERVICE_KEY", raising=False)
    with pytest.raises(ConfigError, match=said):
        serve_api(**({"server": ["http://127.0.0.1:9"]} | order))


def test_no_model_server_at_the_start_is_exit_code_5() -> None:
    run = subprocess.run(
        [*world.COMMAND, "serve-api", "--server", "http://127.0.0.1:9"], capture_output=True, text=True
    )
    assert run.returncode == 5
