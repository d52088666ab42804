"""A client's share for one document among several: the same lines to the servers, and a hang-up of its own.

Whoever brought a document may go away. Then its requests end at once, also those that a server is answering
(which makes the server stop as well), while those of other documents go on and nothing is held against the
servers.
"""

import contextlib
import copy
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from scriptorium.errors import ScriptoriumError, ServerError
from scriptorium.pages.sheet import Sheet
from scriptorium.serve.balance import Line
from scriptorium.serve.client import ChatClient
from scriptorium.serve.pools import Pools
from scriptorium.serve.stream import Reply


class Stopped(ScriptoriumError):
    """The work was stopped by whoever had asked for it."""


class Share(ChatClient):
    """A ChatClient for one document. Limits, breakers and weights are those of `client`, which it shares."""

    def __init__(self, client: ChatClient) -> None:
        self.__dict__.update(vars(client))
        self.balancer = copy.copy(client.balancer)  # the same lines; stopped by itself
        self.connections = Connections(client.pools)
        self.pools = self.connections

    def post(self, body: Callable[[Line], dict[str, Any]], image: bytes | Sheet, since: float) -> Reply:
        """As ChatClient.post. Raises Stopped after a hang-up."""
        try:
            return super().post(body, image, since)
        except ServerError as error:
            if self.connections.is_cut:
                raise Stopped("stopped while the page waited for the server") from error
            raise

    def hang_up(self) -> None:
        """End all requests now, and refuse more: whoever waits for one gets Stopped."""
        self.connections.is_cut = True
        super().hang_up()


class Connections(Pools):
    """Connections of one document. Once they are cut no fault of theirs is a server's, and no new one stays open."""

    def __init__(self, pools: Pools) -> None:
        pools._tls()  # takes long to make: made once, for all documents
        self.__dict__.update(vars(pools))
        self._pools = []
        self._sockets = weakref.WeakSet()
        self._turn = threading.Lock()
        self.is_cut = False

    @contextlib.contextmanager
    def one(self) -> Iterator[httpx.Client]:
        """A client for one request. Raises Stopped before it, or instead of what went wrong, once all is cut."""
        if self.is_cut:
            raise Stopped("stopped before the page was read")
        try:
            with super().one() as http:
                yield http
        except Exception as error:
            if self.is_cut:
                raise Stopped("stopped while the page was read") from error
            raise

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """As Pools.trace; a connection that comes about too late is cut as well."""
        super().trace(event, info)
        if self.is_cut:
            self.hang_up()
