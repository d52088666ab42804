"""Judging processes, as many as there are cores: a task that takes too long costs itself and nothing else."""

import json
import os
import queue
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from scriptorium.errors import HostError
from scriptorium.pages.pool import cores

DEADLINE = 20.0
"""Seconds of processor time that one answer may take; usual ones take hundredths."""

PATIENCE = 10
"""Times the deadline by the clock, for a process that waits: on a host that is very busy, or for ever."""

START = 600.0
"""Seconds for a process to come up, on a host that is very busy."""

MOST = 16
"""Processes: more than this many answers are seldom judged at once."""

Task = dict[str, Any]


class Judge:
    """One judging process, started when first asked and again after each task that it did not survive."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.process: subprocess.Popen[bytes] | None = None

    def ask(self, task: Task) -> Task | None:
        """The result of a task, or None if it took too long or ended the process. Raises HostError."""
        if self.process is None:
            self._start()
        assert self.process is not None and self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(task).encode() + b"\n")
            self.process.stdin.flush()
            line = self._line(PATIENCE * self.deadline)
        except BrokenPipeError:
            line = b""
        if not line:
            self.close()
            return None
        result: Task = json.loads(line)
        if "host" in result:
            raise HostError(result["host"])
        return result

    def close(self) -> None:
        """End the process and what it started."""
        if self.process is None:
            return
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:  # what was left to write goes with the process
                continue
        self.process = None

    def _start(self) -> None:
        command = [sys.executable, "-m", "scriptorium.train.rewards.child", str(self.deadline)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        if not self._line(START):
            self.close()
            raise HostError("the process that judges answers does not start; its message stands above")

    def _line(self, seconds: float) -> bytes:
        """The next line of output, without its end; nothing if the process ended or the time is over."""
        assert self.process is not None and self.process.stdout is not None
        pipe = self.process.stdout.fileno()
        end = time.monotonic() + seconds
        found = b""
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while not found.endswith(b"\n"):
                if not selector.select(max(0.0, end - time.monotonic())):
                    return b""
                part = os.read(pipe, 1 << 16)
                if not part:
                    return b""
                found += part
        return found[:-1]


class JudgePool:
    """Judges for the tasks of one training process; a context manager."""

    def __init__(self, size: int = 0, deadline: float = DEADLINE) -> None:
        """`size`: processes, by default one for each core that this process has to itself, MOST at most."""
        own = cores() // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        self.size = size or max(1, min(own, MOST))
        self._judges = [Judge(deadline) for _ in range(self.size)]
        self._free: queue.SimpleQueue[Judge] = queue.SimpleQueue()
        for judge in self._judges:
            self._free.put(judge)
        self._threads = ThreadPoolExecutor(self.size, "judge")

    def __enter__(self) -> "JudgePool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, tasks: Sequence[Task]) -> list[Task | None]:
        """The results of tasks in their order; None for one that took too long. Raises HostError."""
        return list(self._threads.map(self._one, tasks))

    def close(self) -> None:
        """End all processes."""
        self._threads.shutdown()
        for judge in self._judges:
            judge.close()

    def _one(self, task: Task) -> Task | None:
        judge = self._free.get()
        try:
            return judge.ask(task)
        finally:
            self._free.put(judge)
