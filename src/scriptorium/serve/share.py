"""A client's share for one document among several: the same lines to the servers, and a hang-up of its own.

Whoever brought a document may go away. Then its requests end at once, also those that a server is answering
(which makes the server stop as well), while those of other documents go on and nothing is held against the
servers.
"""

import contextlib
import copy
import socket
import threading
import weakref
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from scriptorium.errors import ScriptoriumError
from scriptorium.serve.client import ChatClient, Pools

CONNECTED = ("connect_tcp.complete", "connect_unix_socket.complete", "start_tls.complete")
"""How httpcore names the events that come with a new connection."""


class Stopped(ScriptoriumError):
    """The work was stopped by whoever had asked for it."""


class Share(ChatClient):
    """A ChatClient for one document. Limits, breakers and weights are those of `client`, which it shares."""

    def __init__(self, client: ChatClient) -> None:
        self.__dict__.update(vars(client))
        self.balancer = copy.copy(client.balancer)  # the same lines; stopped by itself
        self.connections = Connections(client.pools)
        self.pools = self.connections

    def hang_up(self) -> None:
        """End all requests now, and refuse more: whoever waits for one gets Stopped."""
        self.connections.cut()
        self.balancer.stop()


class Connections(Pools):
    """Connections that can be cut while other threads wait for an answer on them."""

    def __init__(self, pools: Pools) -> None:
        self.__dict__.update(vars(pools))  # the TLS context takes long to make
        self._pools = []
        self._turn = threading.Lock()
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._open_sockets = threading.Lock()
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

    def cut(self) -> None:
        """Cut all connections, and those that are just being made as soon as they stand."""
        with self._open_sockets:
            self.is_cut = True
            sockets = list(self._sockets)
        for each in sockets:
            _shut(each)

    def _open(self) -> httpx.Client:
        http = super()._open()
        http.event_hooks = {"request": [self._watch]}
        return http

    def _watch(self, request: httpx.Request) -> None:
        request.extensions = {**request.extensions, "trace": self._note}

    def _note(self, event: str, facts: Mapping[str, Any]) -> None:
        """Remember the socket of a connection that has just been made."""
        if not event.endswith(CONNECTED):
            return
        made = facts["return_value"].get_extra_info("socket")
        with self._open_sockets:
            self._sockets.add(made)
            cut = self.is_cut
        if cut:
            _shut(made)


def _shut(each: socket.socket) -> None:
    """Wake whoever reads from a socket: closing it would not."""
    with contextlib.suppress(OSError):  # it has ended by itself
        each.shutdown(socket.SHUT_RDWR)
