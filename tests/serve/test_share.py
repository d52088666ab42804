"""A client's share for one document: it ends alone, at once, and nothing is held against the server."""

import threading

import pytest

from scriptorium.serve.client import ChatClient
from scriptorium.serve.endpoint import Endpoint
from scriptorium.serve.share import Share, Stopped
from tests.convert.service.hanging import HangingServer

from .scripted import ScriptedServer, answer

PNG = b"an image"


def test_hanging_up_ends_the_requests_of_one_share_alone() -> None:
    with HangingServer() as server:
        endpoint = Endpoint(base_url=f"{server.url}/v1", model="hanging", in_flight=4)
        with ChatClient(endpoint) as client:
            shares = [Share(client), Share(client)]
            errors: list[list[BaseException]] = [[], []]

            def ask(index: int) -> None:
                try:
                    shares[index].complete(PNG, "", 10, 0.0)
                except Stopped as stopped:
                    errors[index].append(stopped)

            threads = [threading.Thread(target=ask, args=(index,), daemon=True) for index in (0, 0, 1)]
            for thread in threads:
                thread.start()
            assert server.wait(asked=3)
            shares[0].hang_up()
            threads[0].join()
            threads[1].join()
            assert server.wait(left=2)
            assert (len(errors[0]), errors[1], server.left) == (2, [], 2)
            (line,) = client.balancer.lines
            assert (line.faults, line.open, line.flying) == (0, False, 1)
            with pytest.raises(Stopped):
                shares[0].complete(PNG, "", 10, 0.0)
            shares[1].hang_up()
            threads[2].join()
            assert line.flying == 0


def test_shares_have_one_limit() -> None:
    with ScriptedServer(lambda _: answer("well")) as server, ChatClient(server.endpoint) as client:
        one, other = Share(client), Share(client)
        assert one.complete(PNG, "", 10, 0.0).text == other.complete(PNG, "", 10, 0.0).text == "well"
        assert one.room == other.room == client.room > 0
        one.hang_up()
        assert other.complete(PNG, "", 10, 0.0).text == "well"
