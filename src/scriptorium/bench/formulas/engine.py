"""The one rendering process of this process: started when first needed, ended where a formula takes too long.

A process that was forked starts one of its own. Not safe for threads: `render` holds a lock.
"""

import atexit
import json
import os
import select
import subprocess
import sys
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

TOO_LONG, TIMEOUT, CRASH = "too_long", "timeout", "crash"
LIMITS = (TOO_LONG, TIMEOUT, CRASH)
"""The errors that are our limits, not KaTeX's messages."""


def _failed(code: str) -> bytes:
    return json.dumps({"e": code}, separators=(",", ":")).encode()


PASSING = (_failed(TIMEOUT), _failed(CRASH))
"""Answers that another time may be different: a host that is not so busy."""


class _Stopped(Exception):
    """The process gave no answer; says why: TIMEOUT or CRASH."""


class Engine:
    """A rendering process, restarted after each formula that it did not survive."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.buffer = b""

    def render(self, formulas: Sequence[str]) -> list[bytes]:
        """A line of JSON for each formula (see layout.js), in order. Raises HostError if V8 does not start."""
        lines: list[bytes] = []
        for at in range(0, len(formulas), BATCH):
            lines += self._batch(formulas[at : at + BATCH])
        return lines

    def _batch(self, formulas: Sequence[str]) -> list[bytes]:
        short = [formula for formula in formulas if len(formula) <= MAX_LENGTH]
        try:
            answers = self._ask(short) if short else []
        except _Stopped:
            answers = [self._one(formula) for formula in short]
        rest = iter(answers)
        return [next(rest) if len(formula) <= MAX_LENGTH else _failed(TOO_LONG) for formula in formulas]

    def _one(self, formula: str) -> bytes:
        try:
            return self._ask([formula])[0]
        except _Stopped as stopped:
            return _failed(str(stopped))

    def _ask(self, formulas: Sequence[str]) -> list[bytes]:
        process = self._started()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(list(formulas)).encode() + b"\n")
            process.stdin.flush()
            return self._read(process, len(formulas), DEADLINE)
        except (_Stopped, OSError) as error:
            self.close()
            raise _Stopped(str(error) if isinstance(error, _Stopped) else CRASH) from error

    def _read(self, process: subprocess.Popen[bytes], count: int, seconds: float) -> list[bytes]:
        assert process.stdout is not None
        while self.buffer.count(b"\n") < count:
            if not select.select([process.stdout], [], [], seconds)[0]:
                raise _Stopped(TIMEOUT)
            piece = os.read(process.stdout.fileno(), 1 << 20)
            if not piece:
                raise _Stopped(CRASH)
            self.buffer += piece
        *lines, self.buffer = self.buffer.split(b"\n")
        return lines

    def _started(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            self.buffer = b""
            self.process = subprocess.Popen(
                [sys.executable, "-I", str(CHILD)],
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
os.register_at_fork(after_in_child=ENGINE.disown)
