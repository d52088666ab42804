"""Keeps a model server alive: watches it from a thread and starts it again, with growing pauses, when it dies."""

import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path

from scriptorium.errors import ServerError
from scriptorium.serve import process as life
from scriptorium.serve.diagnosis import diagnose

START_TRIES = 3
PAUSES = (1.0, 2.0, 5.0, 15.0, 60.0)
"""Seconds before each start after a death. A server that dies once more than that has no start left."""
FORGIVEN_SECONDS = 1800.0
"""A death that long ago counts no more."""
LOOK_SECONDS = 0.5


class Keeper:
    """One server, from `start` to `close`, on one port. Everything between is up to a thread of its own."""

    def __init__(self, order: life.Order, scratch: Path) -> None:
        self.order = order
        self.scratch = scratch
        self.port = order.port
        self.process: subprocess.Popen[bytes] | None = None
        self.log_start = 0
        self.fault = ""
        self.deaths: deque[float] = deque()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="model server", daemon=True)

    def start(self) -> str:
        """Start the server and wait until it answers; its URL. Raises ServerError when it ends first.

        Nothing is tried twice here but a port that was taken between finding it and using it.
        """
        for last in [False] * (START_TRIES - 1) + [True]:
            self.port = self.order.port or life.free_port()
            if self._run():
                self._thread.start()
                return f"http://{life.HOST}:{self.port}"
            assert self.process is not None
            found = diagnose(life.read_tail(self.order.log, self.log_start), self.process.returncode)
            if last or self.order.port or found is None or found.name != "port":
                break
            self._end()
        raise ServerError(self._told())

    def check(self) -> None:
        """Raises ServerError if the server is down for good; while it comes up again there is none."""
        if self.fault:
            raise ServerError(self.fault)

    def close(self) -> None:
        """End the server and the watch over it."""
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._end()

    def _run(self) -> bool:
        """Start the process; whether it came to answer."""
        self.log_start = self.order.log.stat().st_size if self.order.log.exists() else 0
        self.process = life.launch(self.order, self.scratch, self.port)
        return life.wait_ready(self.process, self.port, self._told, self._closing.wait)

    def _end(self) -> None:
        if self.process is not None:
            life.kill(self.process)

    def _told(self) -> str:
        code = self.process.poll() if self.process else None
        ended = f"the server ended with code {code}; " if code is not None else ""
        return ended + life.explained(self.order.log, self.log_start, code)

    def _watch(self) -> None:
        while not self._closing.wait(LOOK_SECONDS):
            if self.process is None or self.process.poll() is None:
                continue
            try:
                self._again()
            except (ServerError, OSError) as error:  # OSError: this host has no process or no log to give
                self.fault = f"the server cannot be started again: {error}"
                self._end()
                return

    def _again(self) -> None:
        """Start a dead server once more. Raises ServerError if it has died too often or for a lasting cause."""
        assert self.process is not None
        now = time.monotonic()
        while self.deaths and now - self.deaths[0] > FORGIVEN_SECONDS:
            self.deaths.popleft()
        self.deaths.append(now)
        told, cause = (
            self._told(),
            diagnose(life.read_tail(self.order.log, self.log_start), self.process.returncode),
        )
        self._end()
        if len(self.deaths) > len(PAUSES):
            raise ServerError(f"it died {len(self.deaths)} times; the last time {told}")
        if cause is not None and cause.lasting:
            raise ServerError(told)
        pause = PAUSES[len(self.deaths) - 1]
        print(
            f"the server ended with code {self.process.returncode}"
            + (f", likely {cause}" if cause else "")
            + f"; starting it again in {pause:.0f} s",
            file=sys.stderr,
            flush=True,
        )
        if not self._closing.wait(pause):
            self._run()
