"""What a server tells about its own queue, at the address /metrics in Prometheus' form."""

import re
import threading
import time

import httpx

from scriptorium.serve.balance import Balancer, Line
from scriptorium.serve.endpoint import headers

WAITING = re.compile(
    r"^(?:vllm:num_requests_waiting|sglang:num_queue_reqs|tgi_queue_size|llamacpp:requests_deferred)"
    r"(?:\{[^}]*\})?\s+([0-9.eE+-]+)\s*$",
    re.MULTILINE,
)
EVERY_SECONDS = 2.0
ANSWER_SECONDS = 3.0


class Load:
    """Reads the queues of servers that tell them, now and then, in the thread that has just got an answer."""

    def __init__(self, balancer: Balancer) -> None:
        self._balancer = balancer
        self._due = {id(line): 0.0 for line in balancer.lines if line.endpoint.cap > line.endpoint.in_flight}
        self._turn = threading.Lock()

    def look(self, line: Line, http: httpx.Client) -> None:
        """Ask `line` for its queue if that is due. A server that tells none is not asked again."""
        now = time.monotonic()
        with self._turn:
            if now < self._due.get(id(line), now + 1):
                return
            if id(line) not in self._due:
                return
            self._due[id(line)] = now + EVERY_SECONDS
        waiting = read_queue(line.endpoint.base_url, http, headers(line.endpoint.key_variable))
        if waiting is None:
            with self._turn:
                self._due.pop(id(line), None)
        else:
            self._balancer.queue(line, waiting)


def read_queue(base_url: str, http: httpx.Client, key: dict[str, str]) -> float | None:
    """Requests that wait in the server, over its engines; None if it does not say."""
    url = base_url.removesuffix("/").removesuffix("/v1") + "/metrics"
    try:
        response = http.get(url, timeout=ANSWER_SECONDS, headers=key)
    except httpx.HTTPError:
        return None
    return parse(response.text) if response.is_success else None


def parse(metrics: str) -> float | None:
    """The sum of the waiting requests in Prometheus' text form; None if they are not in it."""
    found = [float(value) for value in WAITING.findall(metrics)]
    return sum(found) if found else None
