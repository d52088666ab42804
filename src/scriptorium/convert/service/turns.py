"""Who is read next: a few documents at once, a short line of others, nobody with more than a share of both."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator

from scriptorium.convert.service.limits import Limits
from scriptorium.convert.service.problems import Problem

LONGEST_RETRY_SECONDS = 60
WEIGHT = 0.2
"""Of the latest document in the mean of how long one takes."""


class Ticket:
    """A document that has been let in. `client`: who brought it."""

    def __init__(self, client: str) -> None:
        self.client = client
        self.turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Turns:
    """The documents that are here. For one event loop."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.here: set[Ticket] = set()
        self.line: list[Ticket] = []
        self.running: set[Ticket] = set()
        self.draining = False
        self.mean_seconds = 5.0

    @contextlib.contextmanager
    def admitted(self, client: str) -> Iterator[Ticket]:
        """Let a document in, before it is sent. Raises Problem 429 when there is no place, 503 at the end."""
        if self.draining:
            raise self.ending()
        mine = sum(ticket.client == client for ticket in self.here)
        if mine >= self.limits.each:
            raise self._busy(f"you have {mine} documents here, as many as one client may")
        if len(self.here) >= self.limits.at_once + self.limits.waiting:
            raise self._busy(f"{len(self.here)} documents are being read or wait")
        ticket = Ticket(client)
        self.here.add(ticket)
        try:
            yield ticket
        finally:
            self.here.discard(ticket)

    @contextlib.asynccontextmanager
    async def turn(self, ticket: Ticket) -> AsyncIterator[None]:
        """Wait for the document's turn, and hold it while the block runs. Raises Problem 503 at the end."""
        if self.draining:
            raise self.ending()
        self.line.append(ticket)
        self._call()
        try:
            await ticket.turn
            began = time.monotonic()
            yield
            self.mean_seconds += WEIGHT * (time.monotonic() - began - self.mean_seconds)
        finally:
            if ticket in self.line:
                self.line.remove(ticket)
            self.running.discard(ticket)
            self._call()

    def drain(self) -> None:
        """Let nobody in any more, and send those away that wait; those being read go on."""
        self.draining = True
        for ticket in self.line:
            if not ticket.turn.done():
                ticket.turn.set_exception(self.ending())
        self.line.clear()

    def ending(self) -> Problem:
        """The answer at the end."""
        return Problem(503, "Draining", "the service is about to end", retry_after=LONGEST_RETRY_SECONDS)

    def _busy(self, why: str) -> Problem:
        seconds = min(LONGEST_RETRY_SECONDS, max(1, round(self.mean_seconds)))
        return Problem(429, "Busy", f"{why}; come back in {seconds} s", retry_after=seconds)

    def _call(self) -> None:
        """Give free places away: first to whom has the fewest of them, then to who came first."""
        while self.line and len(self.running) < self.limits.at_once:
            held = Counter(ticket.client for ticket in self.running)
            ticket = min(self.line, key=lambda each: held[each.client])
            self.line.remove(ticket)
            if not ticket.turn.done():  # else whoever brought it has gone
                self.running.add(ticket)
                ticket.turn.set_result(None)
