"""The folder or the bucket that a conversion is kept in: plan, leases, shard receipts, store, outputs."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from scriptorium.errors import InputError
from scriptorium.objects import Bucket, Folder, objects_at
from scriptorium.pages.segments import INDEX, SEGMENTS
from scriptorium.pages.store import Store

PLAN = "plan.parquet"
PLANS = (PLAN, "plan-by-shard.parquet")
"""The plan, and its rows by shard where there are several."""
STORE, SHARDS = "store", "shards"


class Place:
    """Where a conversion is kept, as a worker sees it. What must be a file here is copied to `scratch`."""

    def __init__(self, where: str, scratch: Path) -> None:
        """`where`: a folder, or `s3://bucket/prefix`. Raises InputError if there is no plan."""
        self.where = where
        self.objects = objects_at(where)
        local = isinstance(self.objects, Folder)
        self.plan = (Path(where) if local else scratch) / PLAN
        self.logs = (Path(where) / STORE if local else scratch) / "logs"
        if isinstance(self.objects, Bucket):
            for name in PLANS:
                with contextlib.suppress(FileNotFoundError):
                    (scratch / name).write_bytes(self.objects.read(name))
            self.store = Store(self.objects.below(STORE))
        else:
            self.store = Store(Path(where) / STORE)
        if not self.plan.is_file():
            command = f"scriptorium convert plan SOURCE... --out {where} --shards N"
            raise InputError(f"{where}: no {PLAN} in it; one command makes it, once: {command}")


@contextlib.contextmanager
def writable(where: str) -> Iterator[Path]:
    """A folder for what is to be put at `where`: that folder itself, or one whose files go to the bucket at the end."""
    objects = objects_at(where)
    if isinstance(objects, Folder):
        yield objects.root
        return
    with tempfile.TemporaryDirectory(prefix="scriptorium-") as scratch:
        yield Path(scratch)
        upload(Path(scratch), objects)


@contextlib.contextmanager
def copied(where: str) -> Iterator[Path]:
    """A copy of a bucket's plan, receipts and store, in which outputs are written; they go to the bucket at the end.

    It needs the store's size on this machine's disk (`TMPDIR`). What a format's folder had before goes. A local folder
    is no copy but itself.
    """
    objects = objects_at(where)
    if isinstance(objects, Folder):
        yield objects.root
        return
    with tempfile.TemporaryDirectory(prefix="scriptorium-") as scratch:
        folder = Path(scratch)
        came: set[str] = set()
        for under in ("", SHARDS, f"{STORE}/{SEGMENTS}", f"{STORE}/{INDEX}"):
            for name in objects.names(under):
                if under or name in PLANS:
                    came.add(f"{under}/{name}".lstrip("/"))
        for name in sorted(came):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(objects.read(name))
        yield folder
        upload(folder, objects, came)


def upload(folder: Path, bucket: Bucket, but: set[str] | frozenset[str] = frozenset()) -> None:
    """Put the files below `folder` into the bucket, all `but` some; older ones of the same folders go then."""
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - but
    tops = sorted({name.partition("/")[0] for name in names if "/" in name} - {STORE, SHARDS})
    wanted = sorted(name for name in names if not hidden(name))
    for name in wanted:
        bucket.put(name, (folder / name).read_bytes())
    for top in tops:
        for name in bucket.below(top).everything():
            if f"{top}/{name}" not in names:
                bucket.remove(f"{top}/{name}")


def hidden(name: str) -> bool:
    """Whether a file is of use on this machine alone: hidden ones, the store's index, the lock of a folder."""
    return name.startswith((".", f"{STORE}/")) or name == "lease"
