"""Workers on a bucket whose line misbehaves: refusals, resets, answers that are lost behind what was done."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from scriptorium.objects import Bucket

from . import world
from .conftest import Truth
from .s3 import FAULTS
from .world import FaultyServer

KEYS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}
LEASE = ["--lease-seconds", "6", "--heartbeat-seconds", "1"]
OUT = "s3://bucket/corpus"


@contextlib.contextmanager
def faulty_bucket(seed: int, share: float) -> Iterator[str]:
    """The address of an S3 server of which `share` of all requests meet a fault."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.s3", str(seed), str(share)],
        cwd=world.ROOT,
        env=os.environ | KEYS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def fetched(folder: Path) -> dict[str, bytes]:
    """The outputs in the bucket."""
    bucket = Bucket(OUT)
    for name in bucket.everything():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bucket.read(name))
    return world.outputs(folder)


@pytest.mark.faults
@pytest.mark.parametrize(("workers", "share", "seed"), [(1, 0.05, 1), (2, 0.1, 2), (4, 0.2, 3)])
def test_a_bucket_behind_a_bad_line(
    truth: Truth,
    tmp_path: Path,
    server: FaultyServer,
    monkeypatch: pytest.MonkeyPatch,
    workers: int,
    share: float,
    seed: int,
) -> None:
    """No page is lost, none is doubled, and the outputs are those of a quiet run on a disk."""
    pytest.importorskip("s3fs", reason="s3:// needs s3fs (extra remote)")
    pytest.importorskip("moto.server", reason="the S3 server of the tests is moto")
    with faulty_bucket(seed, share) as address:
        for key, value in (KEYS | {"AWS_ENDPOINT_URL": address}).items():
            monkeypatch.setenv(key, value)
        plan = ["convert", "plan", str(truth.corpus), "--out", OUT, "--shards", "3"]
        made = world.finish(world.command(*plan))
        assert made.code == 0, made.err
        words = ["convert", "worker", OUT, "--server", server.url, "--adapter", world.ADAPTER, *LEASE]
        for each in [world.command(*words) for _ in range(workers)]:
            run = world.finish(each)
            assert run.code == 0, run.err
            assert f"{truth.pages} ok" in run.out
        run = world.finish(world.command("outputs", OUT))
        assert run.code == 0, run.err
        assert fetched(tmp_path) == truth.outputs
        played = httpx.get(f"{address}/played").json()
    assert sum(played.get(fault, 0) for fault in FAULTS) >= 3, played
    assert len(server.told()["answered"]) == truth.pages
