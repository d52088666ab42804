"""The page store: what is written is found, by whoever looks, whatever happened to a writer."""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scriptorium.errors import InputError
from scriptorium.pages.store import STATUSES, Store, content_key, content_keys, writer_name

KEYS = [hashlib.sha256(bytes([i])).hexdigest() for i in range(6)]
RECORDS = st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(STATUSES), st.text()), max_size=12)


@settings(deadline=None)
@given(st.lists(RECORDS, min_size=1, max_size=3))
def test_best_status_of_all_writers_wins(tmp_path_factory: pytest.TempPathFactory, parts: list) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    for part in parts:
        with store.writer("w") as writer:
            for key, status, text in part:
                writer.append(key, status, {"text": text})
    everything = [record for part in parts for record in part]
    found = store.find(KEYS)
    assert set(found) == {key for key, _, _ in everything}
    for key, place in found.items():
        candidates = [(STATUSES.index(status), text) for k, status, text in everything if k == key]
        record = store.read(place)
        assert record["status"] == place.status == STATUSES[min(candidates)[0]]
        assert record["text"] == next(text for rank, text in candidates if rank == min(candidates)[0])


def test_only_wanted_keys_are_found(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.writer("w") as writer:
        writer.append(KEYS[0], "ok", {})
        writer.append(KEYS[1], "ok", {})
    assert set(store.find([KEYS[1], KEYS[2]])) == {KEYS[1]}
    assert Store(tmp_path / "nowhere").find(KEYS) == {}


@pytest.mark.parametrize("cut", [1, 2, 30, 80])
def test_a_torn_tail_is_no_record(tmp_path: Path, cut: int) -> None:
    store = Store(tmp_path)
    with store.writer("w") as writer:
        writer.append(KEYS[0], "ok", {"text": "whole"})
        writer.append(KEYS[1], "ok", {"text": "torn"})
    data = writer.segment.path.read_bytes()
    writer.segment.path.write_bytes(data[:-cut])
    assert set(store.find(KEYS)) == {KEYS[0]}
    with store.writer("w") as second:  # the next writer does not touch the torn segment
        second.append(KEYS[1], "ok", {"text": "again"})
    assert store.read(store.find(KEYS)[KEYS[1]])["text"] == "again"
    assert writer.segment.path.read_bytes() == data[:-cut]


def test_zeros_after_a_power_cut_are_no_record(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.writer("w") as writer:
        writer.append(KEYS[0], "ok", {})
    with writer.segment.path.open("ab") as file:
        file.write(bytes(4096) + b"\n")
    assert set(store.find(KEYS)) == {KEYS[0]}


def test_a_damaged_record_says_where_it_lies(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.writer("w") as writer:
        writer.append(KEYS[0], "ok", {"text": "abc"})
    writer.segment.path.write_bytes(writer.segment.path.read_bytes().replace(b'"abc"', b'"abc '))
    with pytest.raises(InputError, match=writer.segment.path.name):
        store.read(store.find(KEYS)[KEYS[0]])


def test_writers_of_one_name_get_segments_of_their_own(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.writer("w") as one, store.writer("w") as two:
        one.append(KEYS[0], "ok", {})
        two.append(KEYS[1], "ok", {})
    assert one.segment.path != two.segment.path
    assert set(store.find(KEYS)) == set(KEYS[:2])


def test_a_writer_without_pages_leaves_no_segment(tmp_path: Path) -> None:
    with Store(tmp_path).writer("w"):
        pass
    assert list(tmp_path.rglob("*.jsonl")) == []


def test_records_survive_a_kill(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from scriptorium.pages.store import Store\n"
        "with Store(Path(sys.argv[1])).writer('w') as writer:\n"
        "    for key in sys.argv[2:]: writer.append(key, 'ok', {})\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path), *KEYS], env=dict(os.environ))
    assert ended.returncode == -signal.SIGKILL
    assert set(Store(tmp_path).find(KEYS)) == set(KEYS)


def test_pending_is_not_stored(tmp_path: Path) -> None:
    with Store(tmp_path).writer("w") as writer, pytest.raises(ValueError, match="pending"):
        writer.append(KEYS[0], "pending", {})


def test_key_depends_on_every_part() -> None:
    base = {"render": {"side": 224}, "weights": "a", "prompt": "b", "sampling": {"temperatures": [0.0]}}
    keys = {content_key("d", 1, base), content_key("e", 1, base), content_key("d", 2, base)}
    keys |= {content_key("d", 1, base | {part: "other"}) for part in base}
    assert len(keys) == 3 + len(base)
    assert content_key("d", 1, dict(reversed(base.items()))) == content_key("d", 1, base)


SETTINGS = st.dictionaries(
    st.sampled_from(["asked", "render", "weights", "zone", "doc", "engine"]),
    st.recursive(st.text() | st.integers() | st.none(), lambda inner: st.dictionaries(st.text(), inner)),
)


@settings(deadline=None)
@given(SETTINGS, st.text(), st.integers(0, 10**6))
def test_keys_of_many_pages_are_those_of_one(shared: dict, document: str, page: int) -> None:
    assert content_keys(shared)(document, page) == content_key(document, page, shared)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=5), st.data(), st.booleans())
def test_a_segment_cut_anywhere_loses_what_is_behind_the_cut(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], data: st.DataObject, indexed: bool
) -> None:
    """With an index of the whole segment beside it, or without; what follows the cut is garbage or nothing."""
    store = Store(tmp_path_factory.mktemp("store"))
    with store.writer("w") as writer:
        for key, text in zip(KEYS, texts, strict=False):
            writer.append(key, "ok", {"text": text})
    path = store.segments.path("w-0000.jsonl")
    if not indexed:
        (store.segments.folder / "index" / "w-0000.idx").unlink()
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut] + data.draw(st.sampled_from([b"", bytes(9), b"\n", b'{"key": "00'])))
    ends = [at + 1 for at, byte in enumerate(whole) if byte == 10]
    found = store.find(KEYS)
    assert set(found) == {key for key, end in zip(KEYS, ends, strict=False) if end <= cut} | (
        {KEYS[ends.index(cut + 1)]} if cut + 1 in ends and path.read_bytes()[cut:] == b"\n" else set()
    )
    for key, place in found.items():
        assert store.read(place)["text"] == texts[KEYS.index(key)]


@pytest.mark.parametrize("index", [b"", b"no index", None])
def test_an_index_that_is_damaged_or_of_another_segment_is_made_again(
    tmp_path: Path, index: bytes | None
) -> None:
    store = Store(tmp_path)
    for name, keys in (("a", KEYS[:2]), ("b", KEYS[2:4])):
        with store.writer(name) as writer:
            for key in keys:
                writer.append(key, "ok", {})
    other = (tmp_path / "index" / "b-0000.idx").read_bytes()
    (tmp_path / "index" / "a-0000.idx").write_bytes(other if index is None else index)
    assert set(store.find(KEYS)) == set(KEYS[:4])


def test_an_index_is_kept_once_it_is_made(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.writer("w") as writer:
        writer.append(KEYS[0], "ok", {"text": "x" * (1 << 17), "tokens": 7, "seconds": 0.5})
    index = tmp_path / "index" / "w-0000.idx"
    before = index.read_bytes()
    index.unlink()
    place = store.find(KEYS)[KEYS[0]]
    assert (place.tokens, place.seconds, place.times) == (7, 0.5, 1)
    assert index.read_bytes() == before


def test_a_segment_that_grows_is_read_behind_its_index(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.writer("w") as writer:
        writer.append(KEYS[0], "ok", {})
    line = b'{"key": "%b", "status": "blank"}\n' % KEYS[1].encode()
    with writer.segment.path.open("ab") as file:
        file.write(line)
    assert {key: place.status for key, place in store.find(KEYS).items()} == {KEYS[0]: "ok", KEYS[1]: "blank"}


def test_segments_of_other_shards_are_passed_over(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for number, name in enumerate([writer_name(0, 2), writer_name(1, 2), writer_name(0, 3), "import"]):
        with store.writer(name) as writer:
            writer.append(KEYS[number], "ok", {})
    assert set(store.find(KEYS, writer_name(1, 2))) == {KEYS[1], KEYS[2], KEYS[3]}
    assert set(store.find(KEYS)) == set(KEYS[:4])
