"""Files by name, in a folder and in a bucket of a real S3 server: the same promises."""

import socket
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scriptorium.errors import ConfigError, HostError, ServerError
from scriptorium.objects import Bucket, Folder, objects_at

Objects = Folder | Bucket


def free_port() -> int:
    with socket.socket() as link:
        link.bind(("127.0.0.1", 0))
        return int(link.getsockname()[1])


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """Where the S3 server will be; the environment leads there. It is not started."""
    pytest.importorskip("s3fs", reason="s3:// needs s3fs (extra remote)")
    pytest.importorskip("moto.server", reason="the S3 server of the tests is moto")
    found = free_port()
    keys = {"ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b", "DEFAULT_REGION": "us-east-1"}
    for key, value in {**keys, "ENDPOINT_URL": f"http://127.0.0.1:{found}"}.items():
        monkeypatch.setenv(f"AWS_{key}", value)
    return found


def start(port: int) -> object:
    """The S3 server, with the bucket `bucket`."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=port, verbose=False)
    server.start()
    boto3.client("s3").create_bucket(Bucket="bucket")
    return server


@pytest.fixture(params=["folder", "bucket"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Objects]:
    if request.param == "folder":
        yield Folder(tmp_path / "new")
        return
    server = start(request.getfixturevalue("port"))
    yield Bucket(f"s3://bucket/{uuid.uuid4().hex}/deep")
    server.stop()  # type: ignore[attr-defined]


def test_what_is_put_is_read(objects: Objects) -> None:
    assert objects.names("a") == {}
    with pytest.raises(FileNotFoundError):
        objects.read("a/x")
    objects.put("a/x", b"12345")
    objects.put("a/x", b"1234567")
    objects.put("a/b/y", b"")
    assert objects.names("a") == {"x": 7} and objects.below("a").names("b") == {"y": 0}
    assert objects.read("a/x") == b"1234567"
    assert [objects.read("a/x", 2), objects.read("a/x", 2, 3), objects.read("a/x", 0, 0)] == [
        b"34567",
        b"345",
        b"",
    ]
    objects.remove("a/x")
    objects.remove("a/x")
    assert objects.names("a") == {}


def test_one_of_many_creates(objects: Objects) -> None:
    for number in range(3):
        with ThreadPoolExecutor(6) as pool:
            won = list(pool.map(lambda who, n=number: objects.create(f"a/{n}", bytes([who])), range(6)))
        assert won.count(True) == 1
        assert objects.read(f"a/{number}") == bytes([won.index(True)])


def test_a_bucket_that_is_away_is_waited_for(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    bucket, said = Bucket("s3://bucket/x"), ""
    with ThreadPoolExecutor(1) as pool:
        names = pool.submit(bucket.names, "a")
        deadline = time.monotonic() + 60
        while "waiting up to 600 s" not in said:
            assert time.monotonic() < deadline
            said += capsys.readouterr().err
            time.sleep(0.05)
        server = start(port)
        assert names.result() == {}
    bucket.put("a/b", b"there")
    assert bucket.names("a") == {"b": 5}
    server.stop()  # type: ignore[attr-defined]


def test_a_bucket_that_stays_away_is_the_servers_fault(port: int) -> None:
    with pytest.raises(ServerError, match="s3://bucket/x"):
        Bucket("s3://bucket/x", patience=0.1).names("a")


def test_a_bucket_that_nobody_made(port: int) -> None:
    server = start(port)
    with pytest.raises(ConfigError, match="make the bucket first"):
        Bucket("s3://nobody-made-it/x").create("a", b"")
    server.stop()  # type: ignore[attr-defined]


def test_other_object_stores_are_refused() -> None:
    with pytest.raises(ConfigError, match="gs://"):
        objects_at("gs://bucket/x")


def test_a_folder_that_cannot_be_made_is_the_hosts_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(HostError, match="file"):
        Folder(tmp_path / "file").put("a/b", b"")
    with pytest.raises(HostError, match="file"):
        Folder(tmp_path / "file").create("a", b"")
