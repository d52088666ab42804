"""Leases on shards, for workers that come and go on any machines: files below `leases/`, created once each.

Who creates `leases/<name>/<epoch>.json` holds the lease `name` in that epoch; a greater epoch ends it. The holder
counts up a number in its file, a heartbeat. Others take an epoch that was released, or whose number they have
watched for the lease's length without seeing it change. Each looks at its own monotonic clock alone, so clocks may
differ by hours. What two must not both do rests on the creation of a file: O_EXCL on a disk or NFS,
`If-None-Match: *` in a bucket.
"""

import contextlib
import json
import os
import socket
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from scriptorium.errors import ScriptoriumError
from scriptorium.objects import Bucket, Folder

HEARTBEAT_SECONDS, LEASE_SECONDS = 30.0, 180.0
WAIT_SECONDS = 5.0
"""For a heartbeat that is under way when the lease ends."""
LEASES = "leases"


@dataclass(frozen=True)
class State:
    """A lease as it is written: its epoch, what changes with every heartbeat, and what was said at its release."""

    epoch: int
    mark: str
    released: bool
    note: dict[str, Any]


class Leases:
    """The leases of one output folder or bucket, for one worker; not for several threads."""

    def __init__(
        self, objects: Folder | Bucket, length: float = LEASE_SECONDS, heartbeat: float = HEARTBEAT_SECONDS
    ) -> None:
        """`length`: seconds without a heartbeat after which a lease may be taken; the same for all workers."""
        self.objects, self.length, self.heartbeat = objects, length, heartbeat
        self.quick = Bucket(objects.uri, patience=heartbeat) if isinstance(objects, Bucket) else objects
        """The same for heartbeats, which are not worth long waiting."""
        self.owner = f"pid {os.getpid()} on {socket.gethostname()}, {uuid.uuid4().hex[:12]}"
        self._seen: dict[str, tuple[tuple[int, str], float]] = {}

    def state(self, name: str) -> State | None:
        """The latest epoch of a lease; None if nobody had it yet."""
        return latest(self.objects, name)

    def free(self, name: str, state: State | None) -> bool:
        """Whether a lease in this state may be taken. Calling it is watching: it must be called twice for a dead one.

        Only a state that was seen a lease's length ago and has not changed is a dead worker's.
        """
        if state is None or state.released:
            self._seen.pop(name, None)
            return True
        now, mark = time.monotonic(), (state.epoch, state.mark)
        if name not in self._seen or self._seen[name][0] != mark:
            self._seen[name] = (mark, now)
        return now - self._seen[name][1] > self.length

    def take(self, name: str) -> "Lease | None":
        """The lease if it is free and nobody else was faster."""
        state = self.state(name)
        if not self.free(name, state):
            return None
        epoch = state.epoch + 1 if state else 1
        if not self.objects.create(path_of(name, epoch), said(self.owner, 0)):
            return None
        if state:
            self._remove(name, state.epoch)
        return Lease(self, name, epoch)

    def _remove(self, name: str, epoch: int) -> None:
        with contextlib.suppress(OSError, ScriptoriumError):  # an epoch that has passed does no harm
            self.objects.remove(path_of(name, epoch))


def latest(objects: Folder | Bucket, name: str) -> State | None:
    """The latest epoch of a lease; None if nobody had it yet."""
    epochs = [int(file[:-5]) for file in objects.names(f"{LEASES}/{name}") if file[:-5].isdigit()]
    if not epochs:
        return None
    try:
        found = json.loads(objects.read(path_of(name, max(epochs))))
    except (OSError, ValueError):  # it is being written, or is gone already: the epoch alone is known
        found = None
    found = found if isinstance(found, dict) else {}
    note = found.get("note")
    return State(
        epoch=max(epochs),
        mark=f"{found.get('owner')} {found.get('counter')}",
        released=found.get("released") is True,
        note=note if isinstance(note, dict) else {},
    )


class Lease:
    """A lease that is held: a thread keeps it alive. A context manager that releases it at the end."""

    def __init__(self, leases: Leases, name: str, epoch: int) -> None:
        self.leases, self.name, self.epoch = leases, name, epoch
        self.note: dict[str, Any] = {}
        """Told to others at the release."""
        self.counter = 0
        self.sure = time.monotonic()
        """When it was last certain that the lease was held: before the heartbeat that then got through."""
        self._lost = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)

    @property
    def lost(self) -> bool:
        """Whether somebody else may have it: its heartbeats did not get through, or there is a later epoch."""
        return self._lost or time.monotonic() - self.sure > self.leases.length

    def beat(self) -> None:
        """Count up, unless there is a later epoch. Faults of the disk or the bucket raise and may pass."""
        begun = time.monotonic()
        state = latest(self.leases.quick, self.name)
        if state and state.epoch > self.epoch:
            self._lost = True
            return
        self.counter += 1
        self.leases.quick.put(path_of(self.name, self.epoch), said(self.leases.owner, self.counter))
        self.sure = begun

    def _keep(self) -> None:
        while not self._ended.wait(self.leases.heartbeat) and not self._lost:
            with contextlib.suppress(OSError, ScriptoriumError):  # `sure` grows old: `lost` says so in time
                self.beat()

    def __enter__(self) -> "Lease":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(WAIT_SECONDS)
        if not self.lost:
            with contextlib.suppress(OSError, ScriptoriumError):  # it then ends by itself
                told = said(self.leases.owner, self.counter, released=True, note=self.note)
                self.leases.quick.put(path_of(self.name, self.epoch), told)


def path_of(name: str, epoch: int) -> str:
    """The file of a lease's epoch."""
    return f"{LEASES}/{name}/{epoch:08d}.json"


def said(owner: str, counter: int, released: bool = False, note: dict[str, Any] | None = None) -> bytes:
    """What stands in a lease's file. `time` is for people; nothing depends on it."""
    found = {"owner": owner, "counter": counter, "released": released, "note": note or {}}
    return json.dumps({**found, "time": datetime.now(UTC).isoformat(timespec="seconds")}).encode()
