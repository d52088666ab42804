"""How a conversion is shown while it runs: a table on a terminal, lines in a log, JSON, Prometheus."""

import contextlib
import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Literal, Protocol

from scriptorium.convert.progress import Progress, Snapshot
from scriptorium.errors import ConfigError

Kind = Literal["auto", "table", "lines", "json", "none"]
LOG_EVERY_SECONDS = 20.0
JSON_EVERY_SECONDS = 5.0
TABLE_EVERY_SECONDS = 0.5
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Display:
    """What is shown: `kind` on stderr; JSON lines added to `file`; numbers for Prometheus at `host`:`port`.

    `auto` is a table on a terminal and lines elsewhere. Port 0 is none.
    """

    kind: Kind = "auto"
    file: Path | None = None
    port: int = 0
    host: str = LOOPBACK


class Outlet(Protocol):
    """One of the ways to show it; `every` so many seconds, and once at the end."""

    every: float

    def show(self, now: Snapshot, last: bool) -> None:
        """Show how it stands."""


class Lines:
    """A plain line now and then."""

    every = LOG_EVERY_SECONDS

    def show(self, now: Snapshot, last: bool) -> None:
        """Print a line. At an end before any page was planned an error says what there is to say."""
        if now.total or not last:
            print(line(now), file=sys.stderr, flush=True)


class JsonLines:
    """A JSON object a line."""

    every = JSON_EVERY_SECONDS

    def __init__(self, file: IO[str]) -> None:
        self.file = file

    def show(self, now: Snapshot, last: bool) -> None:
        """Write a line."""
        self.file.write(json.dumps(asdict(now) | {"finished": last}) + "\n")
        self.file.flush()


class Table:
    """A table that is drawn anew in its place."""

    every = TABLE_EVERY_SECONDS

    def __init__(self) -> None:
        self.live: Any = None

    def show(self, now: Snapshot, last: bool) -> None:
        """Draw it."""
        if self.live is None:
            # Imported here, and not before the first requests are on their way: it is slow to load.
            from rich.console import Console
            from rich.live import Live

            self.live = Live(console=Console(stderr=True), auto_refresh=False)
            self.live.start()
        self.live.update(drawn(now), refresh=True)
        if last:
            self.live.stop()


def leave_terminal() -> None:
    """Show the cursor again, which a table hides: for a process that ends without ending the table."""
    if sys.stderr.isatty():
        print("\x1b[?25h", end="", file=sys.stderr)


def line(now: Snapshot) -> str:
    """How it stands in one line."""
    parts = [f"pages: {now.done}/{now.total}, {now.recent_pages_per_second:.1f}/s"]
    parts += [f"{now.before} done before"] if now.before else []
    parts += [f"{count} {status}" for status, count in now.statuses.items()]
    if now.done < now.total:
        parts.append(f"{now.in_flight} of {now.limit} requests in flight")
        parts.append(f"{duration(now.eta_seconds)} left")
    if now.cost is not None:
        parts.append(f"cost {now.cost:.2f}")
    parts += [f"{server.url} rests after faults" for server in now.servers if server.resting]
    return ", ".join(parts)


def drawn(now: Snapshot) -> Any:
    """How it stands as a table of rich."""
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid(box=None, show_header=False, pad_edge=False)
    grid.add_column(style="bold")
    grid.add_column()
    share = now.done / now.total if now.total else 1.0
    before = f", {now.before} of them before" if now.before else ""
    rates = f"{now.recent_pages_per_second:.2f} a second now, {now.pages_per_second:.2f} in the mean"
    rows = [
        ("pages", f"{now.done} of {now.total} ({share:.1%}){before}"),
        ("speed", rates),
        ("time", f"{duration(now.seconds)} so far, {duration(now.eta_seconds)} left"),
        ("status", ", ".join(f"{count} {status}" for status, count in now.statuses.items()) or "-"),
    ]
    for server in now.servers:
        state = ", rests after faults" if server.resting else ""
        rows.append(("server", f"{server.url}  {server.in_flight} of {server.limit} in flight{state}"))
    tokens = f"{now.prompt_tokens} read, {now.tokens} written"
    rows.append(("tokens", tokens if now.cost is None else f"{tokens}, cost {now.cost:.2f}"))
    for name, value in rows:
        grid.add_row(name, Text(value))
    return grid


def duration(seconds: float | None) -> str:
    """Seconds as h:mm:ss; `?` where they are not known."""
    if seconds is None:
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


@contextlib.contextmanager
def showing(progress: Progress, display: Display) -> Iterator[None]:
    """Show `progress` while the block runs. Raises ConfigError for a file or a port that cannot be had."""
    with contextlib.ExitStack() as ending:
        if display.port:
            # Imported here: few ask for it.
            from scriptorium.convert.metrics import serving_metrics

            ending.enter_context(serving_metrics(progress, display.host, display.port))
        outlets = list(_outlets(display, ending))
        ended = threading.Event()
        thread = threading.Thread(target=_show, args=(progress, outlets, ended), name="progress", daemon=True)
        if outlets:
            thread.start()
            ending.callback(thread.join)
        ending.callback(ended.set)
        yield


def _outlets(display: Display, ending: contextlib.ExitStack) -> Iterator[Outlet]:
    kind = display.kind
    if kind == "auto":
        kind = "table" if sys.stderr.isatty() else "lines"
    if kind == "table":
        yield Table()
    elif kind == "lines":
        yield Lines()
    elif kind == "json":
        yield JsonLines(sys.stderr)
    if display.file:
        try:
            display.file.parent.mkdir(parents=True, exist_ok=True)
            yield JsonLines(ending.enter_context(display.file.open("a", encoding="utf-8")))
        except OSError as error:
            raise ConfigError(f"--progress-file {display.file}: {error.strerror}") from error


def _show(progress: Progress, outlets: list[Outlet], ended: threading.Event) -> None:
    """Show it through each outlet as often as that wants, and a last time when it has ended."""
    progress.first.wait(TABLE_EVERY_SECONDS)  # not while the first request is made ready
    waited = {id(outlet): 0.0 for outlet in outlets}
    step = min(outlet.every for outlet in outlets)
    while not ended.wait(step):
        for outlet in outlets:
            waited[id(outlet)] += step
            if waited[id(outlet)] >= outlet.every:
                waited[id(outlet)] = 0.0
                outlet.show(progress.snapshot(), False)
    for outlet in outlets:
        outlet.show(progress.snapshot(), True)
