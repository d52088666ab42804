"""Stop a training in order: SIGTERM or SIGUSR1 asks for a checkpoint and an end.

Schedulers send one of them before a time limit or a preemption; the next job goes on from the checkpoint.
"""

import signal
import sys
from types import FrameType
from typing import NoReturn

from scriptorium.train import processes

REQUEUE = 128 + signal.SIGTERM
"""Exit code of a training that was asked to stop and can go on: not done, and no error."""


class StopRequest:
    """Listens for the signals from its making on; `asked` says whether one came."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, self._hear)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.asked = True

    def leave(self, step: int) -> NoReturn:
        """Say where the work stands and end with the requeue code."""
        if processes.first():
            print(f"asked to stop: checkpoint at step {step} written; run again to go on", file=sys.stderr)
        sys.exit(REQUEUE)
