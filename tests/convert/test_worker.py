"""Workers on leases: real processes, a real model server, a folder or a real S3 server; killed, cut off, at odds."""

import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scriptorium.convert import commands
from scriptorium.convert.leases import said
from scriptorium.convert.outputs.commands import outputs
from scriptorium.errors import PartialError
from scriptorium.files import read_jsonl
from scriptorium.objects import Folder, objects_at
from scriptorium.pages.store import Store

from ..faults import world
from ..faults.world import FaultyServer

SHARDS = 5
LEASE_SECONDS = 6.0
"""Long enough that a worker on a busy machine keeps its lease."""
LEASE = ["--lease-seconds", str(LEASE_SECONDS), "--heartbeat-seconds", "0.5"]
LONG = ["--lease-seconds", "1000", "--heartbeat-seconds", "60"]


@dataclass(frozen=True)
class Truth:
    """A corpus, and what `scriptorium convert` makes of it."""

    corpus: Path
    pages: int
    dolma: dict[str, bytes]


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    folder = tmp_path_factory.mktemp("undisturbed")
    corpus = world.make_corpus(folder / "corpus", documents=14, pages=3)
    with FaultyServer() as server:
        assert world.convert(corpus, folder / "out", server.url).code == 0
        pages = len(server.told()["answered"])
    return Truth(corpus, pages, world.outputs(folder / "out"))


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer() as running:
        yield running


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a moto server, a process of its own, with the bucket `bucket`."""
    pytest.importorskip("s3fs", reason="s3:// needs s3fs (extra remote)")
    pytest.importorskip("moto.server", reason="the S3 server of the tests is moto")
    code = (
        "import sys; from moto.server import ThreadedMotoServer; import boto3\n"
        "moto = ThreadedMotoServer(port=0, verbose=False); moto.start()\n"
        "url = 'http://%s:%d' % moto.get_host_and_port()\n"
        "boto3.client('s3', endpoint_url=url).create_bucket(Bucket='bucket')\n"
        "print(url, flush=True); sys.stdin.read()"
    )
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | keys,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    yield keys | {"AWS_ENDPOINT_URL": process.stdout.readline().strip()}
    process.kill()
    process.communicate()


@pytest.fixture
def bucket(s3: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """A prefix of its own in the bucket; the environment leads there."""
    for key, value in s3.items():
        monkeypatch.setenv(key, value)
    return f"s3://bucket/{uuid.uuid4().hex[:8]}"


@pytest.fixture(params=["folder", "bucket"])
def out(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a conversion is kept: a folder, or a prefix of a bucket."""
    return str(tmp_path / "out") if request.param == "folder" else request.getfixturevalue("bucket")


def command(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*world.COMMAND, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def run(*words: str) -> world.Run:
    return world.finish(command(*words))


def plan(truth: Truth, out: str, shards: int = SHARDS) -> None:
    commands.plan(out, [str(truth.corpus)], shards)


def worker(out: str, server: FaultyServer, *more: str) -> subprocess.Popen[str]:
    words = [
        "--server",
        server.url,
        "--adapter",
        world.ADAPTER,
        *(more if LONG[0] in more else (*LEASE, *more)),
    ]
    return command("convert", "worker", out, *words)


def written(out: str, tmp_path: Path) -> dict[str, bytes]:
    """The outputs that `scriptorium outputs` makes."""
    outputs(out)
    objects = objects_at(out)
    if isinstance(objects, Folder):
        return world.outputs(objects.root)
    for name in objects.everything():
        path = tmp_path / "fetched" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(objects.read(name))
    return world.outputs(tmp_path / "fetched")


def records(out: str) -> int:
    """Records in the store, of the same page too."""
    objects = objects_at(out)
    segments = Store(
        objects.root / "store" if isinstance(objects, Folder) else objects.below("store")
    ).segments
    return sum(len(segments.entries(name)) for name in segments.names())


@pytest.mark.parametrize("count", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_several_workers_read_each_page_once(
    truth: Truth, out: str, tmp_path: Path, server: FaultyServer, count: int
) -> None:
    plan(truth, out)
    server.order(delay=0.05)
    workers = [worker(out, server) for _ in range(count)]
    for each in workers:
        done = world.finish(each)
        assert done.code == 0, done.err
        assert f"{truth.pages} ok" in done.out
    assert sorted(server.told()["visits"].values()) == [1] * truth.pages
    assert records(out) == truth.pages
    assert written(out, tmp_path) == truth.dolma


def test_a_killed_workers_shard_is_taken_over(
    truth: Truth, out: str, tmp_path: Path, server: FaultyServer
) -> None:
    """The first worker is killed with requests under way; the second, started before, finds all that is left."""
    plan(truth, out)
    server.order(hold=True)
    first = worker(out, server)
    while not server.told()["requests"]:
        assert first.poll() is None
    asked = server.told()["requests"]
    second = worker(out, server)
    world.kill_tree(first)
    server.order()
    done = world.finish(second)
    assert done.code == 0, done.err
    assert "waiting for 1 shards" in done.err
    assert server.told()["requests"] <= truth.pages + max(asked, 20)
    assert written(out, tmp_path) == truth.dolma


@pytest.mark.slow
def test_killed_again_and_again(truth: Truth, out: str, tmp_path: Path, server: FaultyServer) -> None:
    """Two workers at a time, killed at seeded random moments and started anew: no page is lost, none doubled."""
    chance = random.Random(5)
    plan(truth, out)
    server.order(delay=0.4)
    workers = [worker(out, server) for _ in range(2)]
    for _ in range(3):
        time.sleep(chance.uniform(0.8, 2.5))
        world.kill_tree(workers.pop(0))
        workers.append(worker(out, server))
    for each in workers:
        done = world.finish(each)
        assert done.code == 0, done.err
    assert written(out, tmp_path) == truth.dolma


def test_sigterm_releases_the_lease_at_once(truth: Truth, out: str, server: FaultyServer) -> None:
    """The first worker is asked to stop while requests hang; the next one takes its shard without waiting."""
    plan(truth, out, shards=1)
    server.order(rules=[{"fault": "hang", "share": [0, 2]}])
    first = worker(out, server, *LONG)
    while len(server.told()["answered"]) + server.told()["played"].get("hang", 0) < truth.pages:
        assert first.poll() is None
    answered = len(server.told()["answered"])
    first.send_signal(signal.SIGTERM)
    assert world.finish(first).code == 128 + signal.SIGTERM
    assert records(out) == answered
    server.order()
    second = world.finish(worker(out, server, *LONG))
    assert second.code == 0 and "waiting" not in second.err
    assert records(out) == truth.pages


@pytest.mark.slow
def test_a_worker_that_was_stopped_loses_its_lease_and_does_no_harm(
    truth: Truth, tmp_path: Path, server: FaultyServer
) -> None:
    """SIGSTOP for longer than the lease, as a machine that sleeps: another takes over, then the first wakes up."""
    out = str(tmp_path / "out")
    plan(truth, out, shards=2)
    server.order(hold=True)
    first = worker(out, server)
    while not server.told()["requests"]:
        assert first.poll() is None
    first.send_signal(signal.SIGSTOP)
    server.order()
    second = world.finish(worker(out, server))
    assert second.code == 0, second.err
    first.send_signal(signal.SIGCONT)
    done = world.finish(first)
    assert done.code == 0, done.err
    assert written(out, tmp_path) == truth.dolma


@pytest.mark.parametrize(
    "skew", ["2999-12-31T23:59:59+00:00", pytest.param("1970-01-01T00:00:00+00:00", marks=pytest.mark.slow)]
)
def test_clocks_do_not_matter(truth: Truth, tmp_path: Path, server: FaultyServer, skew: str) -> None:
    """A lease with an absurd time is a dead worker's after a lease's length of silence, no sooner and no later."""
    out = tmp_path / "out"
    plan(truth, str(out), shards=1)
    dead = said("somebody elsewhere", 7).replace(b'"time": "20', b'"time": "' + skew.encode() + b" 20")
    Folder(out).create("leases/0/00000003.json", dead)
    os.utime(out / "leases/0/00000003.json", (4e9, 4e9) if skew > "2" else (0, 0))
    begun = time.monotonic()
    done = world.finish(worker(str(out), server))
    assert done.code == 0 and "waiting for 1 shards" in done.err
    assert time.monotonic() - begun > LEASE_SECONDS
    assert [path.name for path in (out / "leases/0").iterdir()] == ["00000004.json"]


def test_a_missing_document_stays_pending_and_the_rest_is_done(tmp_path: Path, server: FaultyServer) -> None:
    out = str(tmp_path / "out")
    corpus = world.make_corpus(tmp_path / "corpus", documents=6, pages=3)
    commands.plan(out, [str(corpus)], 2)
    (corpus / "part-0" / "document-002.pdf").rename(tmp_path / "away.pdf")
    done = world.finish(worker(out, server))
    assert done.code == 3 and "document-002.pdf" in done.err
    with pytest.raises(PartialError, match="pending"):
        outputs(out)
    objects = objects_at(out)
    assert any(name.endswith(".partial.json") for name in objects.names("shards"))
    (tmp_path / "away.pdf").rename(corpus / "part-0" / "document-002.pdf")
    done = world.finish(worker(out, server))
    assert done.code == 0, done.err
    assert not any(name.endswith(".partial.json") for name in objects.names("shards"))
    outputs(out)
    assert set(server.told()["visits"].values()) == {1}


def test_pages_that_failed_are_asked_for_again(truth: Truth, tmp_path: Path, server: FaultyServer) -> None:
    """By one worker, though two are told to; what was good stays, what is better wins."""
    out = str(tmp_path / "out")
    plan(truth, out)
    server.order(rules=[{"fault": "headless", "share": [0, 3]}])
    done = world.finish(worker(out, server))
    failed = truth.pages - int(done.out.split(" ok")[0].split()[-1])
    assert done.code == 0 and failed
    server.order()
    before = server.told()["requests"]
    workers = [worker(out, server, "--retry", "fallback") for _ in range(2)]
    assert [world.finish(each).code for each in workers] == [0, 0]
    assert server.told()["requests"] - before == failed
    outputs(out)
    assert world.report(tmp_path / "out")["statuses"] == {"ok": truth.pages}
    assert {name: data for name, data in world.outputs(tmp_path / "out").items() if "markdown" in name} == {
        name: data for name, data in truth.dolma.items() if "markdown" in name
    }


def test_a_folder_without_a_plan_says_how_to_make_one(tmp_path: Path, server: FaultyServer) -> None:
    done = world.finish(worker(str(tmp_path / "new"), server))
    assert done.code == 2 and f"scriptorium convert plan SOURCE... --out {tmp_path / 'new'}" in done.err


def test_a_file_called_worker_is_a_source_when_it_is_named_as_one(
    tmp_path: Path, server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "worker").write_bytes(world.document("d", 1))
    monkeypatch.chdir(tmp_path)
    words = ["--server", server.url, "--adapter", world.ADAPTER]
    assert run("convert", "./worker", "--out", "out", *words).code == 0
    assert read_jsonl(tmp_path / "out" / "documents.jsonl")[0]["source"] == "worker"


def test_convert_does_not_take_a_bucket_for_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("convert", "x.pdf", "--out", "s3://bucket/x", "--server", "http://127.0.0.1:9")
    assert done.code == 2 and "convert worker s3://bucket/x" in done.err
    assert not list(tmp_path.iterdir())


def test_what_is_told_of_a_bucket_names_the_bucket(bucket: str, truth: Truth, server: FaultyServer) -> None:
    """And not the copy of it that is worked on."""
    for asks in (["outputs", bucket], ["review-queue", bucket]):
        done = run(*asks)
        assert done.code == 2 and f"{bucket}: no shards" in done.err
    plan(truth, bucket)
    assert world.finish(worker(bucket, server)).code == 0
    done = run("outputs", bucket)
    assert done.code == 0 and f"{bucket}/dolma, {bucket}/markdown" in done.out
