"""A limited child process on a pipe: one request, one answer, and an end to whoever takes too long or too much.

Where the kernel keeps the limits (Linux) the child sets them itself. Elsewhere, on macOS and Windows, nobody
else does: its memory and processor time are looked at while it works.
"""

import contextlib
import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from scriptorium.errors import HostError
from scriptorium.family import kill_family

LARGEST_ANSWER = 1 << 30
"""Bytes; more than any page. An answer that says it is longer comes from a child gone wild."""

LOOK_SECONDS = 0.05
"""Between two looks at a child that the kernel does not limit."""

KERNEL_LIMITS = sys.platform == "linux" and hasattr(os, "fork")
"""Whether the child's own limits hold: macOS takes no bound of the address space, Windows none at all."""

OUT_OF_MEMORY = frozenset(
    getattr(signal, name) for name in ("SIGABRT", "SIGTRAP", "SIGILL", "SIGKILL") if hasattr(signal, name)
)
"""How a process ends that cannot get memory: allocators trap or abort, the kernel kills."""


class Crash(Exception):
    """The child went away in the middle of a request: `reason` and what is known of it."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


class Child:
    """The process of a script that answers requests on its standard input; it starts with the first one.

    A request is a length (4 bytes, big endian) and a JSON object; an answer the same, and then as many raw
    bytes as the object's `bytes` says. The first answer, to no request, says that the child is up: one that
    ends before it has seen no document, and what ended it is this host's. `memory` bytes, `cpu_seconds` and
    `wall_seconds` bound each request.
    Used by one thread at a time.
    """

    def __init__(self, script: Path, memory: int, cpu_seconds: int, wall_seconds: float) -> None:
        self.script = script
        self.memory, self.cpu_seconds, self.wall_seconds = memory, cpu_seconds, wall_seconds
        self.process: subprocess.Popen[bytes] | None = None
        self.up = False

    def start(self) -> None:
        """Start the process if there is none; a request does so by itself. Raises HostError."""
        if self.process is None:
            # -I would hide the packages of a user; -P keeps the names beside the script from hiding a library's
            command = [sys.executable, "-P", str(self.script), str(self.memory), str(self.cpu_seconds)]
            try:
                self.process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            except OSError as error:
                raise no_start(str(error.strerror)) from error

    def ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytearray]:
        """One request and its answer. Raises Crash, or HostError for a child that is not up; it is gone then."""
        self.start()
        assert self.process is not None
        watch = Watch(self.process, self.memory, self.cpu_seconds, self.wall_seconds)
        watch.start()
        try:
            if not self.up:
                answer_of(self.process)
                self.up = True
            return exchange(self.process, request)
        except (EOFError, OSError, ValueError) as error:
            watch.stop()
            if not self.up:
                raise no_start(watch.verdict[1] if watch.verdict else ending(self.process)) from error
            raise Crash(*(watch.verdict or self._post_mortem(self.process))) from error
        finally:
            watch.stop()
            if sys.exc_info()[0]:
                self.kill()

    def _post_mortem(self, process: subprocess.Popen[bytes]) -> tuple[str, str]:
        """Why a child that closed its end went away."""
        try:
            code = process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return "damaged", "the process that opened it answered nonsense"
        if code == -getattr(signal, "SIGXCPU", 0) != 0:
            return "timeout", _too_long(self.cpu_seconds)
        if -code in OUT_OF_MEMORY:
            return "memory", _too_much(self.memory)
        return "damaged", f"it crashes the PDF library ({ending(process)})"

    def kill(self) -> None:
        """End the process and whatever came of it."""
        process, self.process, self.up = self.process, None, False
        if process is None:
            return
        kill_family(process)
        for pipe in (process.stdin, process.stdout):
            if pipe:
                close(pipe)
        process.wait()


class Watch(threading.Thread):
    """Ends a child that is not done in time, or grows beyond its limits; `verdict`: reason and message then."""

    def __init__(
        self, process: subprocess.Popen[bytes], memory: int, cpu_seconds: float, wall_seconds: float
    ) -> None:
        super().__init__(daemon=True)
        self.process, self.memory = process, memory
        self.cpu_seconds, self.wall_seconds = cpu_seconds, wall_seconds
        self.verdict: tuple[str, str] | None = None
        self._done = threading.Event()

    def stop(self) -> None:
        """The request has been answered, or its child is gone."""
        self._done.set()
        if self.is_alive():
            self.join()

    def run(self) -> None:
        """Wait for the end of the request, or bring it about."""
        deadline = time.monotonic() + self.wall_seconds
        look = None if KERNEL_LIMITS else family_meter(self.process.pid)
        used = look()[1] if look else 0.0
        while not self._done.wait(min(LOOK_SECONDS, self.wall_seconds) if look else self.wall_seconds):
            if time.monotonic() >= deadline:
                self.verdict = "timeout", f"no answer within {self.wall_seconds:g} s"
            elif look:
                memory, seconds = look()
                if memory > self.memory:
                    self.verdict = "memory", _too_much(self.memory)
                elif seconds - used > self.cpu_seconds:
                    self.verdict = "timeout", _too_long(self.cpu_seconds)
            if self.verdict:
                kill_family(self.process)
                return


def family_meter(pid: int) -> Callable[[], tuple[int, float]]:
    """What gives the resident bytes and processor seconds of a process and its children; zeros once it is gone."""
    import psutil

    try:
        process = psutil.Process(pid)
    except psutil.Error:
        return lambda: (0, 0.0)

    def look() -> tuple[int, float]:
        memory, seconds = 0, 0.0
        with contextlib.suppress(psutil.Error):  # it has gone: whoever reads its pipe sees that
            for each in (process, *process.children(recursive=True)):
                times = each.cpu_times()
                memory, seconds = memory + each.memory_info().rss, seconds + times.user + times.system
        return memory, seconds

    return look


def exchange(process: subprocess.Popen[bytes], request: dict[str, Any]) -> tuple[dict[str, Any], bytearray]:
    """Send a request and read its answer. Raises EOFError, OSError, or ValueError for nonsense."""
    body = json.dumps(request).encode()
    assert process.stdin
    process.stdin.write(struct.pack(">I", len(body)) + body)
    process.stdin.flush()
    return answer_of(process)


def answer_of(process: subprocess.Popen[bytes]) -> tuple[dict[str, Any], bytearray]:
    """The next answer. Raises EOFError, OSError, or ValueError for nonsense."""
    assert process.stdout
    (length,) = struct.unpack(">I", receive(process.stdout, 4))
    header = json.loads(receive(process.stdout, length))
    return header, receive(process.stdout, header["bytes"])


def receive(pipe: IO[bytes], length: int) -> bytearray:
    """Exactly `length` bytes. Raises EOFError, or ValueError for a length beyond reason."""
    if not 0 <= length <= LARGEST_ANSWER:
        raise ValueError(f"{length} bytes announced")
    buffer = bytearray(length)
    if pipe.readinto(buffer) != length:  # type: ignore[attr-defined]
        raise EOFError
    return buffer


def close(pipe: IO[bytes]) -> None:
    """Close a pipe to a process that may be gone."""
    with contextlib.suppress(OSError):  # what was left in the buffer has no reader any more
        pipe.close()


def ending(process: subprocess.Popen[bytes]) -> str:
    """How a process that closed its end has ended."""
    try:
        code = process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        return "it answers nonsense"
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def no_start(how: str) -> HostError:
    """What is said of a child that does not come up."""
    return HostError(
        f"the process that opens documents does not start ({how}): this host may be short of open files "
        "(ulimit -n), processes (ulimit -u) or memory; raise the limit and run again"
    )


def _too_long(seconds: float) -> str:
    return f"more than {seconds:g} s of CPU time"


def _too_much(memory: int) -> str:
    return f"more than {memory >> 20} MiB of memory, or a fault of the PDF library"
