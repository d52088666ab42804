"""HTTP connections that many threads share, and that can be cut while somebody waits for an answer."""

import contextlib
import socket
import threading
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import httpx

from scriptorium.serve.endpoint import Endpoint

CONNECT_SECONDS = 10.0
POOL = 32
"""Connections that share a pool: httpcore looks through all of a pool for every request."""
KEEP_ALIVE_SECONDS = 2.0
"""Less than servers keep an idle connection (5 s), or a request might meet its end."""
CONNECTED = ("connection.connect_tcp.complete", "connection.start_tls.complete")
"""What httpcore calls the ends of opening a connection, whose outcome holds its socket."""


class Pools:
    """HTTP clients, each with a few connections and used by as many threads; one TLS context for all."""

    def __init__(self, endpoints: Sequence[Endpoint], timeout: float) -> None:
        self._timeout = timeout
        self._plain = all(endpoint.base_url.startswith("http://") for endpoint in endpoints)
        self._context: Any = None
        self._pools: list[list[Any]] = []
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._turn = threading.Lock()

    @contextlib.contextmanager
    def one(self) -> Iterator[httpx.Client]:
        """A client for one request."""
        with self._turn:
            pool = next((each for each in self._pools if each[1] < POOL), None)
            if pool is None:
                self._pools.append(pool := [self._open(), 0])
            pool[1] += 1
        try:
            yield pool[0]
        finally:
            with self._turn:
                pool[1] -= 1

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """For a request's extension `trace`: remember the sockets of connections that are opened."""
        if event in CONNECTED:
            found = info["return_value"].get_extra_info("socket")
            with self._turn:
                self._sockets.add(found)

    def hang_up(self) -> None:
        """Cut all connections, those too that somebody waits at: the wait ends with an error at once."""
        with self._turn:
            found = list(self._sockets)
        for each in found:
            with contextlib.suppress(OSError):  # it has been closed meanwhile
                each.shutdown(socket.SHUT_RDWR)

    def _open(self) -> httpx.Client:
        limits = httpx.Limits(
            max_connections=POOL, max_keepalive_connections=POOL, keepalive_expiry=KEEP_ALIVE_SECONDS
        )
        timeout = httpx.Timeout(self._timeout, connect=CONNECT_SECONDS)
        return httpx.Client(limits=limits, timeout=timeout, verify=self._tls())

    def _tls(self) -> Any:
        """One context for all clients; reading the world's authorities takes 40 ms, so not where none is asked."""
        if self._context is None:
            import ssl

            plain = self._plain and not httpx_proxies()
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else httpx.create_ssl_context()
        return self._context

    def close(self) -> None:
        """Close all connections."""
        for http, _ in self._pools:
            http.close()


def httpx_proxies() -> bool:
    """Whether the environment names a proxy, which may be asked over TLS."""
    import urllib.request

    return bool(urllib.request.getproxies())
