"""Leases: who holds one, when it may be taken, when it is lost. Two owners in one process, real files."""

import json
import threading
import time
from pathlib import Path

import pytest

from scriptorium.convert.leases import Leases, path_of, said
from scriptorium.objects import Folder

NEVER = 1000.0


def leases(folder: Path, length: float = NEVER, heartbeat: float = NEVER) -> Leases:
    return Leases(Folder(folder), length, heartbeat)


def test_one_of_many_takes_it(tmp_path: Path) -> None:
    ready, won = threading.Barrier(8), []

    def one() -> None:
        mine = leases(tmp_path)
        ready.wait()
        if lease := mine.take("a"):
            won.append(lease)

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_released_it_is_free_and_its_epoch_grows(tmp_path: Path) -> None:
    one, two = leases(tmp_path), leases(tmp_path)
    for epoch in (1, 2, 3):
        lease = (one, two)[epoch % 2].take("a")
        assert lease and lease.epoch == epoch
        with lease:
            lease.note = {"told": epoch}
            assert one.take("a") is None and two.take("a") is None
        state = one.state("a")
        assert state and state.released and state.note == {"told": epoch}
    assert [path.name for path in (tmp_path / "leases/a").iterdir()] == ["00000003.json"]


def test_it_is_taken_from_who_is_silent_and_from_nobody_else(tmp_path: Path) -> None:
    dead, watcher = leases(tmp_path), leases(tmp_path, length=0.2)
    held = dead.take("a")
    assert held
    for _ in range(3):  # a heartbeat between two looks: it lives, however long they are apart
        assert watcher.take("a") is None
        time.sleep(0.3)
        held.beat()
    assert watcher.take("a") is None
    time.sleep(0.3)
    taken = watcher.take("a")
    assert taken and taken.epoch == 2
    assert not held.lost  # it has not looked yet
    held.beat()
    assert held.lost and not taken.lost


def test_the_first_look_never_takes_it_however_old_its_file_says_it_is(tmp_path: Path) -> None:
    data = json.loads(said("somebody", 3)) | {"time": "0001-01-01T00:00:00+00:00"}
    Folder(tmp_path).create(path_of("a", 7), json.dumps(data).encode())
    assert leases(tmp_path, length=0.0).take("a") is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"counter": null}', b"\xff"])
def test_a_file_that_says_nothing_is_a_lease_like_others(tmp_path: Path, content: bytes) -> None:
    """It is being written just now, or was when its writer died."""
    Folder(tmp_path).create(path_of("a", 1), content)
    watcher = leases(tmp_path, length=0.1)
    assert watcher.take("a") is None
    time.sleep(0.2)
    taken = watcher.take("a")
    assert taken and taken.epoch == 2


def test_who_cannot_write_its_heartbeat_has_lost_it_in_time(tmp_path: Path) -> None:
    mine = leases(tmp_path, length=0.3, heartbeat=0.05)
    lease = mine.take("a")
    assert lease
    with lease:
        (tmp_path / "leases").rename(tmp_path / "away")
        (tmp_path / "leases").write_text("in the way")
        deadline = time.monotonic() + 30
        while not lease.lost:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_heartbeats_go_on_by_themselves(tmp_path: Path) -> None:
    lease = leases(tmp_path, length=NEVER, heartbeat=0.02).take("a")
    assert lease
    with lease:
        deadline = time.monotonic() + 30
        while lease.counter < 3:
            assert time.monotonic() < deadline
            time.sleep(0.02)
