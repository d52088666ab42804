"""The audit trail of a bench folder: who changed what, when, and the steps that can be undone.

It lies beside the folder, `<folder>.review.jsonl`, since every *.jsonl inside is a category. A step is written
to a journal first, so that a process killed half-way leaves a step that the next one finishes.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scriptorium.errors import HostError
from scriptorium.files import whole
from scriptorium.locks import lock

Step = dict[str, Any]


class Trail:
    """The audit trail and the journal of one bench folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder.with_name(f"{folder.name}.review.jsonl")
        self.journal = folder.with_name(f"{folder.name}.review.journal")
        self._steps: list[Step] = []
        self._size = 0

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else, not even another process, changes the folder within this block."""
        try:
            file = self.path.open("ab")
        except OSError as error:
            raise HostError(f"{self.path}: the audit trail cannot be written: {error.strerror}") from error
        with file:
            lock(file)
            yield

    def steps(self) -> list[Step]:
        """Every step so far. A last line that a kill cut short is left out."""
        size = self.path.stat().st_size if self.path.exists() else 0
        if size != self._size:
            whole_lines = self.path.read_bytes().split(b"\n")[:-1]
            self._steps = [
                json.loads(line.decode("utf-8", "surrogateescape")) for line in whole_lines if line
            ]
            self._size = size
        return self._steps

    def begin(self, step: Step, after: dict[str, str | None]) -> None:
        """Write down what is about to be done, and by what digest each category is known `after` it."""
        with whole(self.journal) as part, part.open("wb") as file:
            file.write(_line({"step": step, "after": after}))
            file.flush()
            os.fsync(file.fileno())

    def unfinished(self) -> tuple[Step, dict[str, str | None]] | None:
        """The step that a killed process had begun, and the digests of the categories after it."""
        if not self.journal.exists():
            return None
        begun = json.loads(self.journal.read_bytes().decode("utf-8", "surrogateescape"))
        return begun["step"], begun["after"]

    def commit(self, step: Step) -> None:
        """Add the step, once, and close the journal."""
        with self.path.open("r+b") as file:
            content = file.read()
            end = content.rfind(b"\n") + 1  # behind it lies what a kill cut short
            if all(known["step"] != step["step"] for known in self.steps()):
                file.truncate(end)
                file.seek(end)
                file.write(_line(step))
                file.flush()
                os.fsync(file.fileno())
        self.journal.unlink(missing_ok=True)

    def undoable(self, who: str) -> tuple[list[Step], list[Step]]:
        """The steps that `who` can undo and redo, the next one last."""
        undo: list[Step] = []
        redo: list[Step] = []
        for step in self.steps():
            if step["who"] != who:
                continue
            if step["action"] == "undo":
                redo.append(undo.pop())
            elif step["action"] == "redo":
                undo.append(redo.pop())
            elif step["action"] == "skip":
                undo.pop()
            else:
                undo.append(step)
                redo.clear()
        return undo, redo


def _line(step: Step) -> bytes:
    return (json.dumps(step, ensure_ascii=False) + "\n").encode("utf-8", "surrogateescape")
