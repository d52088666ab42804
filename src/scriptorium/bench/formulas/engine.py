"""The one rendering process of this process: started when first needed, ended where a formula takes too long.

A process that was forked starts one of its own. Not safe for threads: `render` holds a lock.
"""

import atexit
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from scriptorium.errors import HostError

CHILD = Path(__file__).with_name("child.py")
BATCH = 32
"""Formulas sent at a time."""

DEADLINE = 5.0
"""Seconds that a formula may take: a thousand times the usual, so that only bombs get there."""

START = 60.0
"""Seconds for the process to come up, on a host that is very busy."""

MAX_LENGTH = 20_000
"""Characters of the longest formula that is rendered; the longest of real pages have 5,000."""

SHORT_DEADLINE = 0.25
"""Seconds that a formula may take where TIMEOUTS others of the same call took too long."""

TIMEOUTS = 4
MOST_TIMEOUTS = 20
"""Formulas of one call that may take too long; those after them are given up unseen."""

MAX_DEFINING = 1000
"""Characters of the longest formula that is rendered if it defines macros: each may be used 1,000 times."""

TOO_LONG, TIMEOUT, CRASH, GIVEN_UP = "too_long", "timeout", "crash", "given_up"
LIMITS = (TOO_LONG, TIMEOUT, CRASH, GIVEN_UP)
"""The errors that are our limits, not KaTeX's messages."""


def _failed(code: str) -> bytes:
    return json.dumps({"e": code}, separators=(",", ":")).encode()


_DEFINES = re.compile(r"\\(?:[egx]?def|(?:re)?newcommand|providecommand|(?:future)?let)(?![A-Za-z])")


def _is_too_long(formula: str) -> bool:
    return len(formula) > MAX_LENGTH or (len(formula) > MAX_DEFINING and bool(_DEFINES.search(formula)))


def _end(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    process.kill()


class _Stopped(Exception):
    """The process gave no answer; says why: TIMEOUT or CRASH."""


class Engine:
    """A rendering process, restarted after each formula that it did not survive."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.buffer = b""
        self.timeouts = 0

    def render(self, formulas: Sequence[str], layout: bool = True) -> list[bytes]:
        """A line of JSON for each formula (see layout.js), in order. Raises HostError if V8 does not start."""
        self.timeouts = 0
        answers = {formula: _failed(TOO_LONG) for formula in formulas if _is_too_long(formula)}
        short = [formula for formula in formulas if formula not in answers]
        for at in range(0, len(short), BATCH):
            batch = short[at : at + BATCH]
            answers.update(zip(batch, self._batch(batch, layout), strict=True))
        return [answers[formula] for formula in formulas]

    def _batch(self, formulas: Sequence[str], layout: bool) -> list[bytes]:
        if len(formulas) > 1:
            try:
                return self._ask(formulas, layout)
            except _Stopped:
                self.timeouts += 1
        return [self._one(formula, layout) for formula in formulas]

    def _one(self, formula: str, layout: bool) -> bytes:
        if self.timeouts >= MOST_TIMEOUTS:
            return _failed(GIVEN_UP)
        for _ in range(2):  # a process may also have been ended by others
            try:
                return self._ask([formula], layout)[0]
            except _Stopped as stopped:
                why = str(stopped)
                if why == TIMEOUT:
                    break
        self.timeouts += 1
        return _failed(why)

    def _ask(self, formulas: Sequence[str], layout: bool) -> list[bytes]:
        process = self._started()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps([list(formulas), layout]).encode() + b"\n")
            process.stdin.flush()
            seconds = DEADLINE if self.timeouts < TIMEOUTS else SHORT_DEADLINE
            return self._read(process, len(formulas), seconds)
        except (_Stopped, OSError) as error:
            self.close()
            raise _Stopped(str(error) if isinstance(error, _Stopped) else CRASH) from error

    def _read(self, process: subprocess.Popen[bytes], count: int, seconds: float) -> list[bytes]:
        assert process.stdout is not None
        while self.buffer.count(b"\n") < count:
            late = threading.Event()
            timer = threading.Timer(seconds, _end, (process, late))
            timer.daemon = True
            timer.start()
            piece = os.read(process.stdout.fileno(), 1 << 20)
            timer.cancel()
            if not piece:
                raise _Stopped(TIMEOUT if late.is_set() else CRASH)
            self.buffer += piece
        *lines, self.buffer = self.buffer.split(b"\n")
        return lines

    def _started(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            self.buffer = b""
            self.process = subprocess.Popen(
                [sys.executable, "-P", str(CHILD)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            try:
                self._read(self.process, 1, START)
            except _Stopped as error:
                self.close()
                raise HostError(
                    f"the formula engine did not start ({error}); `python {CHILD}` shows why"
                ) from error
        return self.process

    def close(self) -> None:
        """End the process, if it runs."""
        process, self.process = self.process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                continue  # what was not yet written is of no use to anyone

    def disown(self) -> None:
        """Forget the process: after a fork it is the parent's."""
        process, self.process = self.process, None
        if process is None:
            return
        process.returncode = 0  # not ours to wait for
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            os.close(pipe.fileno())
            pipe.detach()  # type: ignore[attr-defined]


ENGINE = Engine()
atexit.register(ENGINE.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=ENGINE.disown)
