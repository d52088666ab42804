"""A long-lived worker: it takes the shards of a plan on leases, one after the other, until every page is done.

Any number of them, on any number of machines, may be started and killed at will. Whether a shard is done, the final
statuses of its pages say, and nothing else.
"""

import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scriptorium.convert.leases import HEARTBEAT_SECONDS, LEASE_SECONDS, Lease, Leases, State
from scriptorium.convert.place import SHARDS, Place
from scriptorium.convert.plan import shards_of
from scriptorium.convert.progress import Progress
from scriptorium.convert.shard import (
    Reader,
    Row,
    about_pending,
    left_of,
    planned,
    receipt,
    settings_of,
    stoppable,
    write_receipt,
)
from scriptorium.errors import ConfigError, PartialError
from scriptorium.pages.store import Place as Record
from scriptorium.pages.store import writer_name
from scriptorium.serve.adapter import Adapter
from scriptorium.serve.client import Asking
from scriptorium.serve.several import MOST_IN_FLIGHT

LOOK_AGAIN_SECONDS = 10.0
"""Between two looks at shards that others have, at most."""
SHARES_LEFT = 3
"""A lease must be this many heartbeats long: one that is late must not end it."""


@dataclass(frozen=True)
class Job:
    """What a worker is told. `where`: a folder or an `s3://` prefix with a plan; the rest as for `convert_shard`."""

    where: str
    model: str
    adapter: Adapter
    threads: int = 2
    cache: Path | None = None
    in_flight: int = MOST_IN_FLIGHT
    retry: Collection[str] = ()
    lease: float = LEASE_SECONDS
    heartbeat: float = HEARTBEAT_SECONDS
    manner: Asking | None = None
    progress: Progress | None = None


def work(job: Job) -> Counter[str]:
    """Convert what is left of a plan, together with whoever else does; the pages of the plan by status.

    Returns when every page has a final status. Raises PartialError, when all else is done, for pages whose documents
    are not there, and ServerError, ConfigError and HostError as `convert_shard` does; leases are released.
    """
    if not 0 < SHARES_LEFT * job.heartbeat <= job.lease:
        raise ConfigError(
            f"lease of {job.lease:g} s, heartbeat of {job.heartbeat:g} s: "
            f"the lease must be {SHARES_LEFT} times the heartbeat at least"
        )
    with stoppable(), tempfile.TemporaryDirectory(prefix="scriptorium-") as scratch:
        place = Place(job.where, Path(scratch))
        log = place.logs / f"worker-{time.time_ns():x}.log"
        asked = (job.model, job.adapter, job.threads, job.in_flight)
        with Reader(*asked, place.plan, job.cache, log, job.manner, job.progress) as reader:
            worker = Worker(job, place, reader)
            worker.run()
    if worker.gone:
        raise PartialError(about_pending(worker.gone))
    return worker.statuses


class Worker:
    """Goes through the shards of a plan, again and again, until all are done."""

    def __init__(self, job: Job, place: Place, reader: Reader) -> None:
        self.job, self.place, self.reader = job, place, reader
        self.settings = settings_of(job.model, job.adapter)
        self.leases = Leases(place.objects, job.lease, job.heartbeat)
        self.shards = shards_of(place.plan)
        first = random.randrange(self.shards)  # workers that start together begin at different shards
        self.left = [(first + number) % self.shards for number in range(self.shards)]
        self.began = self._epochs() if job.retry else {}
        self.retried: set[int] = set()
        self.statuses = Counter[str]()
        self.gone: list[Row] = []

    def run(self) -> None:
        """Visit all shards until each is done."""
        said = 0
        while self.left:
            done = [shard for shard in self.left if self.visit(shard)]
            self.left = [shard for shard in self.left if shard not in done]
            if self.left and not done:
                if said != len(self.left):
                    said = len(self.left)
                    told = "other workers have them, or had them and are watched"
                    print(f"waiting for {said} shards: {told}", file=sys.stderr, flush=True)
                time.sleep(min(self.job.heartbeat, LOOK_AGAIN_SECONDS))

    def visit(self, shard: int) -> bool:
        """Read what is left of a shard if it is free. Whether it needs no further visit."""
        state = self.leases.state(str(shard))
        if not self.leases.free(str(shard), state):
            return False
        rows = planned(self.place.plan, shard, self.settings)
        if self._left(shard, rows, state)[1]:
            lease = self.leases.take(str(shard))
            if lease is None:
                return False
            with lease:
                self._read(shard, rows, lease)
            if lease.lost:
                return False
        self._finish(shard, rows)
        return True

    def _left(
        self, shard: int, rows: dict[str, Row], state: State | None
    ) -> tuple[dict[str, Record], dict[str, Row]]:
        """What the store has of a shard's pages, and which of them are to be read."""
        found = self.place.store.find(rows, self._writer(shard))
        retry = () if shard in self.retried or self._others_did(shard, state) else self.job.retry
        return found, left_of(rows, found, retry)

    def _read(self, shard: int, rows: dict[str, Row], lease: Lease) -> None:
        """Read a shard's pages under its lease.

        The segment is made before the store is looked at: on NFS that makes this machine see what others have put
        into the folder since.
        """
        with self.place.store.writer(self._writer(shard)) as writer:
            _, left = self._left(shard, rows, None)
            if left:
                self.reader.read(left, writer, lambda: lease.lost)
        if self.job.retry:
            self.retried.add(shard)
            lease.note = {"retried": sorted(self.job.retry)}

    def _finish(self, shard: int, rows: dict[str, Row]) -> None:
        """Count a shard's pages and write its receipt. Pages that are not in the store have no document."""
        writer = self._writer(shard)
        found = self.place.store.find(rows, writer)
        gone = [row for key, row in rows.items() if key not in found]
        self.gone += gone
        told = receipt(shard, writer, self.settings, found)
        self.statuses.update(told["statuses"])
        write_receipt(self.place.objects.below(SHARDS), f"{shard:05d}", told, gone)

    def _writer(self, shard: int) -> str:
        return writer_name(shard, self.shards)

    def _epochs(self) -> dict[int, int]:
        """The epoch of every shard's lease as this worker begins."""
        states = {shard: self.leases.state(str(shard)) for shard in range(self.shards)}
        return {shard: state.epoch for shard, state in states.items() if state}

    def _others_did(self, shard: int, state: State | None) -> bool:
        """Whether a worker of the same kind asked for a shard's pages again since this one began."""
        if state is None or state.epoch <= self.began.get(shard, 0):
            return False
        told: Any = state.note.get("retried") or ()
        return set(self.job.retry) <= set(told)
