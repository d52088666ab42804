"""Which endpoint gets the next request: the least busy one by weight that is well.

Each endpoint has a limit of its own and a breaker: after some faults in a row nothing is sent to it for a
while, then one request tries whether it is well again.
"""

import random
import sys
import threading
import time
from collections.abc import Callable, Sequence

from scriptorium.errors import ServerError
from scriptorium.serve.endpoint import Endpoint
from scriptorium.serve.faults import LONGEST_PAUSE_SECONDS, Fault
from scriptorium.serve.limit import Limit

FAULTS_TO_OPEN = 5
SLOW_SECONDS = 20.0
"""A first piece of an answer that takes longer has waited in the server: no reason to send it more."""
LOOK_AGAIN_SECONDS = 1.0


def pause_after(faults: int) -> float:
    """Seconds to wait after so many faults in a row: 1 to 60, with jitter, so that not all come back at once.

    It shapes no result.
    """
    return min(LONGEST_PAUSE_SECONDS, 0.5 * 2.0 ** min(faults, 10)) * random.uniform(0.5, 1)


class Line:
    """An endpoint as it is seen from here."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.limit = Limit(endpoint.in_flight, endpoint.cap)
        self.flying = 0
        self.faults = 0
        self.counted = 0
        """The number of the last request that was sent when the latest of these faults came."""
        self.rest_until = 0.0
        self.open = False
        self.streams: bool | None = None
        """Whether it streams answers; None while that is not known."""
        self.logprobs = True
        """Whether it may be asked for the tokens' probabilities."""

    def has_room(self) -> bool:
        """Whether it may get one more request now, its pause apart: while it is ill, one at a time."""
        return self.flying < (1 if self.open else self.limit.size)

    def load(self) -> float:
        """How busy it is."""
        return (self.flying + 1) / self.endpoint.weight


class Balancer:
    """The lines to all endpoints. Safe to use from several threads."""

    def __init__(self, endpoints: Sequence[Endpoint], patience: float) -> None:
        """`patience`: seconds without any answer of any endpoint after which ServerError is raised."""
        self.lines = [Line(endpoint) for endpoint in endpoints]
        self.patience = patience
        self.last_answer = 0.0
        self.stopped = False
        self._changed = threading.Condition()

    @property
    def room(self) -> int:
        """Requests that may be in flight now, over all endpoints."""
        return sum(line.limit.size for line in self.lines)

    def stop(self) -> None:
        """Have all who wait give up."""
        with self._changed:
            self.stopped = True
            self._changed.notify_all()

    def take(self, since: float, not_before: dict[int, float], fault: str) -> tuple[Line, int]:
        """Wait for a line and count a request on it; the line and the request's number.

        `since`: when the page's request began; `not_before`: for the index of a line the time before which
        this request does not go there; `fault`: what it met last. Raises ServerError when the patience ends.
        """
        with self._changed:
            while True:
                now = time.monotonic()
                if self.stopped:
                    raise self.gave_up(fault)
                line = self._best(now, not_before)
                if line is not None:
                    line.flying += 1
                    return line, line.limit.begin()
                deadline = max(since, self.last_answer) + self.patience
                wake = self._next(now, not_before)
                if fault and wake > deadline:
                    raise self.gone(fault)
                self._changed.wait(min(max(wake - now, 0.001), LOOK_AGAIN_SECONDS))

    def _best(self, now: float, not_before: dict[int, float]) -> Line | None:
        ready = [
            line
            for index, line in enumerate(self.lines)
            if line.has_room() and now >= max(line.rest_until, not_before.get(index, 0.0))
        ]
        return min(ready, key=Line.load, default=None)

    def _next(self, now: float, not_before: dict[int, float]) -> float:
        """When the first line ends its pause; a line that is only full may be free at any time."""
        return min(
            max(
                now + LOOK_AGAIN_SECONDS if not line.has_room() else now,
                line.rest_until,
                not_before.get(i, 0),
            )
            for i, line in enumerate(self.lines)
        )

    def gone(self, fault: str) -> ServerError:
        """The error of a server that stayed away."""
        return ServerError(
            f"{self.where()}: no answer for {self.patience:.0f} s, at last: {fault}; "
            "pages that were not read stay pending: run again when the server is back"
        )

    def gave_up(self, fault: str) -> ServerError:
        """The error of a request that was waiting when the run was stopped."""
        return ServerError(f"{self.where()}: stopped while waiting for an answer: {fault}")

    def where(self) -> str:
        """The addresses of all endpoints."""
        return ", ".join(line.endpoint.base_url for line in self.lines)

    def answered(self, line: Line, waited: float) -> None:
        """A request came back with an answer, or with a refusal: the server is well.

        `waited`: seconds to the first piece of a streamed answer, 0 if not known.
        """
        with self._changed:
            if waited < SLOW_SECONDS:
                line.limit.answered(line.flying)
            self.last_answer = time.monotonic()
            # The place of the one that left, and one more if the limit has grown; all when it is well again.
            free = line.limit.size if line.open else 2
            line.faults, line.open, line.rest_until = 0, False, 0.0
            line.flying -= 1
            self._changed.notify(free)

    def failed(self, line: Line, number: int, fault: Fault) -> float:
        """A request met a fault; seconds that it had better stay away from this line."""
        with self._changed:
            line.flying -= 1
            fresh = number > line.counted  # what was sent before the last fault was known met the same one
            if fresh:
                line.faults, line.counted = line.faults + 1, line.limit.begun
            if fault.overload:
                line.limit.overloaded(number)
            if fresh and line.faults == 1:
                told = f"{line.endpoint.base_url}: {fault}; waiting up to {self.patience:.0f} s"
                print(told, file=sys.stderr, flush=True)
            # The breaker's first rest is a second: five faults may be a hiccup of milliseconds.
            pause = fault.pause or pause_after(max(1, line.faults - FAULTS_TO_OPEN + 1))
            now = time.monotonic()
            probe = line.open or line.faults == FAULTS_TO_OPEN
            if fault.pause or probe:
                line.rest_until = max(line.rest_until, now + pause)
            line.open = line.open or line.faults >= FAULTS_TO_OPEN
            self._changed.notify()
            return max(pause, line.rest_until - now)

    def release(self, line: Line) -> None:
        """A request ended with an error that ends the run."""
        with self._changed:
            line.flying -= 1
            self._changed.notify()

    def queue(self, line: Line, waiting: float) -> None:
        """So many requests wait in the server."""
        with self._changed:
            line.limit.queue(waiting)

    def check(self, ask: Callable[[Endpoint], None] = lambda endpoint: endpoint.check()) -> None:
        """Raise ServerError if the endpoint has died, or all of several have."""
        errors: list[ServerError] = []
        for line in self.lines:
            try:
                ask(line.endpoint)
            except ServerError as error:
                errors.append(error)
        if len(errors) == len(self.lines):
            raise errors[0]
