"""How a conversion goes: counts, rates and what is in flight, for a table, a log, a file and Prometheus."""

import re
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scriptorium.errors import ThresholdError

if TYPE_CHECKING:
    from scriptorium.serve.balance import Line
    from scriptorium.serve.reader import Reading

RECENT_SECONDS = 60.0
"""What the recent rate is taken over."""
FIRST_PAGES = 500
"""Pages of a run among which too many failed ones can end it."""
FAILED = frozenset({"gave_up", "fallback_text"})
"""Statuses of pages that the model was asked for in vain."""
ASKED = FAILED | {"ok", "ok_rotated", "salvaged"}
"""Statuses of pages that the model was asked for."""
WARN_PAGES, WARN_SHARE = 50, 0.5


@dataclass(frozen=True)
class Server:
    """A server as it is seen now; `resting` after faults."""

    url: str
    in_flight: int
    limit: int
    resting: bool


@dataclass(frozen=True)
class Snapshot:
    """How a run stands. Rates in pages a second; `eta_seconds` None while nothing can be said.

    `done` of `total` pages, of which `before` were in the store when it began; `statuses` are those of this
    run, `pending` for a page whose document is not there. `cost` is None where no price is known.
    """

    seconds: float
    done: int
    total: int
    before: int
    statuses: dict[str, int]
    pages_per_second: float
    recent_pages_per_second: float
    eta_seconds: float | None
    in_flight: int
    limit: int
    prompt_tokens: int
    tokens: int
    cost: float | None
    servers: tuple[Server, ...]


class Progress:
    """Counts what a run does. Safe to use from several threads. It shapes no result."""

    def __init__(self, cost_per_million_tokens: float = 0.0, stop_share: float = 0.0) -> None:
        """`stop_share`: share of the first pages that the model may fail; 0 for all."""
        self.cost_per_million_tokens, self.stop_share = cost_per_million_tokens, stop_share
        self.first = threading.Event()
        """Set when the first page is done, or none is to do."""
        self._turn = threading.Lock()
        self._lines: tuple[Line, ...] = ()
        self._statuses: Counter[str] = Counter()
        self._total = self._before = self._prompt_tokens = self._tokens = 0
        self._began = self._last = time.monotonic()
        self._recent: deque[tuple[float, int]] = deque([(self._began, 0)])
        self._warned = False

    def add(self, pages: int, before: int = 0) -> None:
        """There are so many pages to read, besides those that had been read `before` the run."""
        with self._turn:
            if not self._total:
                self._began = time.monotonic()
                self._recent = deque([(self._began, 0)])
            self._total += pages + before
            self._before += before
        if not pages:
            self.first.set()

    def watch(self, lines: "Sequence[Line]") -> None:
        """The servers that are asked now."""
        with self._turn:
            self._lines = tuple(lines)

    def page(self, reading: "Reading | None") -> str:
        """Count a page that is done, None for one that stays pending; what a person should be told now.

        Raises ThresholdError once the model has failed more of the first pages than `stop_share`.
        """
        with self._turn:
            self._statuses[reading.status if reading else "pending"] += 1
            if reading:
                self._prompt_tokens += reading.prompt_tokens
                self._tokens += reading.tokens
            self._step()
            told = self._judge(reading.reason) if reading and reading.status in FAILED else ""
        self.first.set()
        return told

    def _step(self) -> None:
        """Remember how many there were, once a second."""
        now = self._last = time.monotonic()
        if now - self._recent[-1][0] >= 1.0:
            self._recent.append((now, self._statuses.total()))
            while len(self._recent) > 2 and now - self._recent[1][0] > RECENT_SECONDS:
                self._recent.popleft()

    def _judge(self, reason: str) -> str:
        """Whether too many pages fail; what to tell a person, once."""
        failed = sum(self._statuses[status] for status in FAILED)
        asked = sum(self._statuses[status] for status in ASKED)
        first = min(FIRST_PAGES, self._total - self._before)
        if self.stop_share and asked <= FIRST_PAGES and failed > self.stop_share * first:
            raise ThresholdError(
                f"{failed} of the first {asked} pages that were asked for have no text of the model, more than "
                f"{self.stop_share:.0%} of {first}; the last: {reason}. What was read is kept, the rest is "
                "pending: check the server, the model and its adapter, then run again"
            )
        if self._warned or asked < WARN_PAGES or failed <= WARN_SHARE * asked:
            return ""
        self._warned = True
        return f"warning: {failed} of {asked} pages have no text of the model; the last: {reason}"

    def snapshot(self) -> Snapshot:
        """How it stands now."""
        with self._turn:
            read = self._statuses.total()
            left = self._total - self._before - read
            now = time.monotonic() if left else self._last  # what comes after the last page is no reading
            mean = read / max(now - self._began, 1e-9)
            since, then = self._recent[0]
            recent = (read - then) / max(now - since, 1e-9)
            servers = tuple(
                Server(named(line.endpoint.base_url), line.flying, line.limit.size, line.open)
                for line in self._lines
            )
            used = self._prompt_tokens + self._tokens
            price = self.cost_per_million_tokens
            return Snapshot(
                seconds=round(now - self._began, 1),
                done=self._before + read,
                total=self._total,
                before=self._before,
                statuses=dict(sorted(self._statuses.items())),
                pages_per_second=round(mean, 3),
                recent_pages_per_second=round(recent, 3),
                eta_seconds=round(left / (recent or mean)) if read else None,
                in_flight=sum(server.in_flight for server in servers),
                limit=sum(server.limit for server in servers),
                prompt_tokens=self._prompt_tokens,
                tokens=self._tokens,
                cost=round(used * price / 1e6, 4) if price else None,
                servers=servers,
            )


def named(url: str) -> str:
    """A server's address for people: without a name and a password that it may hold."""
    return re.sub("//[^/@]*@", "//", url)
