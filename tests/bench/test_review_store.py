"""The store of the review app: edits of single lines, undo, the audit trail, kills, two editors at once."""

import json
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scriptorium.bench.review.agreement import agreement
from scriptorium.bench.review.changes import Stale, digest
from scriptorium.bench.review.forms import form, forms
from scriptorium.bench.review.lines import members, rewritten
from scriptorium.bench.review.store import Item, Store
from scriptorium.bench.tests import FIELDS, TestError
from scriptorium.errors import HostError, InputError

FIRST = b'{"pdf": "a.pdf",  "page":1, "id": "a1", "type": "present", "text": "Gr\\u00fc\\u00dfe"}'
SECOND = (
    '{"type":"absent","pdf":"a.pdf","page":1,"id":"a2","text":"naïve café","checked":"verified"}'.encode()
)
THIRD = b'{"pdf": "b.pdf", "page": 1, "id": "b1", "type": "order", "before": "one", "after": "two"} '
BROKEN = b'{"pdf": "b.pdf", "page": 1, "id": "b2", "type": "order", "befor": '
CONTENT = b"\n".join([FIRST, b"", SECOND, b"   ", THIRD, BROKEN, b'\xff{"not": "utf-8"}'])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "bench"
    (folder / "pdfs").mkdir(parents=True)
    for name in ("a.pdf", "b.pdf"):
        (folder / "pdfs" / name).write_bytes(b"%PDF-1.4")
    (folder / "one.jsonl").write_bytes(CONTENT)
    (folder / "two.jsonl").write_bytes(b'{"pdf":"b.pdf","page":2,"id":"c1","type":"baseline"}\r\n')
    return folder


def by_id(store: Store, name: str) -> Item:
    return next(item for item in store.all() if item.record and item.record.get("id") == name)


def trail(folder: Path) -> list[dict]:
    lines = folder.with_name("bench.review.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def lines_of(folder: Path, name: str = "one") -> list[bytes]:
    return (folder / f"{name}.jsonl").read_bytes().split(b"\n")


def test_approving_adds_one_member_and_touches_no_other_byte(folder: Path) -> None:
    store = Store(folder)
    item = by_id(store, "a1")
    store.mark("Ann", [(item.category, item.digest)], "verified")
    assert lines_of(folder) == [FIRST[:-1] + b', "checked": "verified"}', *CONTENT.split(b"\n")[1:]]
    assert by_id(store, "a1").state == "verified"


def test_an_edit_keeps_the_lines_style_and_writes_no_defaults(folder: Path) -> None:
    store = Store(folder)
    item = by_id(store, "a1")
    record = dict(item.test or {}) | {"text": "Grüße!", "max_diffs": 1}
    made = store.edit("Ann", "one", item.digest, record)
    assert made.line == (
        '{"pdf": "a.pdf",  "page":1, "id": "a1", "type": "present", "text": "Gr\\u00fc\\u00dfe!", "max_diffs": 1}'
    )
    back = store.edit("Ann", "one", made.digest, dict(made.test or {}) | {"max_diffs": 0})
    assert json.loads(back.line)["max_diffs"] == 0


def test_a_change_of_type_drops_the_fields_that_the_new_type_has_not(folder: Path) -> None:
    store = Store(folder)
    item = by_id(store, "b1")
    record = {"pdf": "b.pdf", "page": 1, "id": "b1", "type": "present", "text": "one"}
    made = store.edit("Ann", "one", item.digest, record)
    assert json.loads(made.line) == record
    assert made.line.endswith("} "), "the blank behind the object stays"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": "**"}, "text"),
        ({"max_diffs": -1}, "max_diffs"),
        ({"max_diffs": True}, "max_diffs"),
        ({"colour": "red"}, "colour"),
        ({"type": "presence"}, "type"),
        ({"id": "c1"}, "id"),
        ({"pdf": "missing.pdf"}, "pdf"),
        ({"pdf": "../one.jsonl"}, "pdf"),
        ({"page": 0}, "page"),
    ],
)
def test_a_wrong_edit_is_refused_at_its_field_and_nothing_is_written(
    folder: Path, change: dict, field: str
) -> None:
    store = Store(folder)
    item = by_id(store, "a1")
    with pytest.raises(TestError) as error:
        store.edit("Ann", "one", item.digest, (item.record or {}) | change)
    assert error.value.field == field
    assert (folder / "one.jsonl").read_bytes() == CONTENT
    assert trail(folder) == []


def test_a_stale_edit_is_refused(folder: Path) -> None:
    ann, bob = Store(folder), Store(folder)
    item = by_id(ann, "a1")
    bob.edit("Bob", "one", item.digest, (item.record or {}) | {"text": "Bob's"})
    for attempt in (
        lambda: ann.edit("Ann", "one", item.digest, (item.record or {}) | {"text": "Ann's"}),
        lambda: ann.mark("Ann", [("one", item.digest)], "rejected"),
        lambda: ann.delete("Ann", "one", item.digest),
        lambda: ann.delete("Ann", "gone", item.digest),
    ):
        with pytest.raises(Stale):
            attempt()
    assert [step["who"] for step in trail(folder)] == ["Bob"]
    assert (by_id(ann, "a1").record or {})["text"] == "Bob's"


def test_what_another_program_writes_is_kept(folder: Path) -> None:
    store = Store(folder)
    item = by_id(store, "b1")
    version = store.version()
    (folder / "one.jsonl").write_bytes(b'{"new": "line"}\n' + CONTENT)
    assert store.version() != version
    store.mark("Ann", [("one", item.digest)], "rejected")
    assert lines_of(folder)[0] == b'{"new": "line"}'
    assert b'"checked": "rejected"} ' in lines_of(folder)[5]
    store.undo("Ann")
    assert (folder / "one.jsonl").read_bytes() == b'{"new": "line"}\n' + CONTENT


def test_undo_and_redo_outlive_the_process_and_are_each_persons_own(folder: Path) -> None:
    store = Store(folder)
    for name in ("a1", "b1"):
        item = by_id(store, name)
        store.mark("Ann", [("one", item.digest)], "rejected")
    store.delete("Bob", "one", by_id(store, "a2").digest)
    later = (folder / "one.jsonl").read_bytes()

    store = Store(folder)
    assert [len(steps) for steps in store.undoable("Ann")] == [2, 0]
    store.undo("Ann")
    store.undo("Ann")
    assert by_id(store, "a1").state == by_id(store, "b1").state == "unchecked"
    with pytest.raises(InputError, match="nothing to undo"):
        store.undo("Ann")
    store.undo("Bob")
    assert (folder / "one.jsonl").read_bytes() == CONTENT
    Store(folder).redo("Bob")
    Store(folder).redo("Ann")
    Store(folder).redo("Ann")
    assert (folder / "one.jsonl").read_bytes() == later
    assert [step["action"] for step in trail(folder)] == [
        "reject",
        "reject",
        "delete",
        *["undo"] * 3,
        *["redo"] * 3,
    ]


def test_undo_of_what_others_changed_is_refused_and_can_be_skipped(folder: Path) -> None:
    store = Store(folder)
    store.mark("Ann", [("one", by_id(store, "b1").digest)], "verified")
    store.mark("Ann", [("one", by_id(store, "a1").digest)], "verified")
    store.mark("Bob", [("one", by_id(store, "a1").digest)], "rejected")
    with pytest.raises(Stale):
        store.undo("Ann")
    assert by_id(store, "a1").state == "rejected"
    store.undo("Ann", skip=True)
    store.undo("Ann")
    assert by_id(store, "a1").state == "rejected"
    assert by_id(store, "b1").state == "unchecked"


def test_several_tests_are_marked_in_one_step(folder: Path) -> None:
    store = Store(folder)
    named = [(item.category, item.digest) for item in store.all() if item.test]
    store.mark("Ann", named, "rejected")
    assert {item.state for item in store.all() if item.test} == {"rejected"}
    assert lines_of(folder, "two")[0].endswith(b"}\r"), "line ends stay"
    store.undo("Ann")
    assert (folder / "one.jsonl").read_bytes() == CONTENT


def test_a_test_is_added_below_those_of_its_page(folder: Path) -> None:
    store = Store(folder)
    record = {"pdf": "a.pdf", "page": 1, "id": "a3", "type": "present", "text": "ü", "case_sensitive": True}
    store.add("Ann", "one", record)
    assert (
        lines_of(folder)[3].decode()
        == '{"pdf": "a.pdf", "page": 1, "id": "a3", "type": "present", "text": "ü"}'
    )
    store.add("Ann", "two", record | {"id": "a4"})
    assert lines_of(folder, "two")[1].endswith(b"}\r")
    store.add("Ann", "new", record | {"id": "a5"})
    assert (folder / "new.jsonl").exists()
    for _ in range(3):
        store.undo("Ann")
    assert not (folder / "new.jsonl").exists()
    assert (folder / "one.jsonl").read_bytes() == CONTENT
    for category in ("../out", ".hidden", "", "a/b"):
        with pytest.raises(TestError, match="cannot be a file's name"):
            store.add("Ann", category, record | {"id": "a6"})


def test_a_broken_line_is_shown_and_can_be_mended(folder: Path) -> None:
    store = Store(folder)
    broken = [item for item in store.all() if item.test is None]
    assert [item.number for item in broken] == [6, 7]
    assert "is not JSON" in (broken[0].problem or "") and "UTF-8" in (broken[1].problem or "")
    with pytest.raises(TestError, match="is not JSON"):
        store.edit_line("Ann", "one", broken[0].digest, "{")
    whole = '{"pdf":\n"b.pdf", "page": 1, "id": "b2", "type": "order", "before": "x y", "after": "z"}'
    assert store.edit_line("Ann", "one", broken[0].digest, whole).test
    store.delete("Ann", "one", broken[1].digest)
    store.undo("Ann")
    store.undo("Ann")
    assert (folder / "one.jsonl").read_bytes() == CONTENT


def test_file_mode_and_links_are_kept(folder: Path) -> None:
    path = folder / "one.jsonl"
    path.chmod(0o640)
    target = folder.parent / "elsewhere.jsonl"
    (folder / "two.jsonl").rename(target)
    (folder / "two.jsonl").symlink_to(target)
    store = Store(folder)
    store.mark("Ann", [(item.category, item.digest) for item in store.all() if item.test], "rejected")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert (folder / "two.jsonl").is_symlink()
    assert b"rejected" in target.read_bytes()
    assert [entry.name for entry in folder.iterdir() if entry.name.endswith(".part")] == []


def test_a_name_is_needed_and_a_trail_that_can_be_written(folder: Path, tmp_path: Path) -> None:
    store = Store(folder)
    with pytest.raises(InputError, match="who you are"):
        store.mark(" ", [("one", by_id(store, "a1").digest)], "verified")
    with pytest.raises(InputError, match="no such folder"):
        Store(tmp_path / "missing")
    folder.with_name("bench.review.jsonl").unlink()
    folder.with_name("bench.review.jsonl").mkdir()
    with pytest.raises(HostError, match="audit trail"):
        Store(folder)


KILLED = """
import os, sys
from pathlib import Path
from scriptorium.bench.review import store as stores
folder, at = Path(sys.argv[1]), sys.argv[2]
store = stores.Store(folder)
def die(*_): os._exit(9)
if at == "write": store._write = die
elif at == "between":
    write = store._write
    def first_only(contents):
        write(dict(list(contents.items())[:1])); os._exit(9)
    store._write = first_only
elif at == "commit": store.trail.commit = die
elif at == "torn":
    def torn(step):
        with store.trail.path.open("ab") as file: file.write(b'{"step": 1, "wh')
        os._exit(9)
    store.trail.commit = torn
elif at == "journal":
    def begin(*_): os._exit(9)
    store.trail.begin = begin
if sys.argv[3:]: store.delete("Ann", "one", sys.argv[3])
else: store.mark("Ann", [(i.category, i.digest) for i in store.all() if i.test], "rejected")
"""


@pytest.mark.parametrize("at", ["journal", "write", "between", "commit", "torn"])
def test_a_kill_at_any_moment_leaves_files_and_trail_in_step(folder: Path, at: str) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, str(folder), at], timeout=60)
    assert ended.returncode == 9
    store = Store(folder)
    states = {item.state for item in store.all() if item.test}
    if at == "journal":
        assert states == {"unchecked", "verified"} and trail(folder) == []
    else:
        assert states == {"rejected"}
        assert [step["action"] for step in trail(folder)] == ["reject"]
        store.undo("Ann")
    assert (folder / "one.jsonl").read_bytes() == CONTENT
    assert not folder.with_name("bench.review.journal").exists()


def test_a_kill_behind_the_write_does_not_delete_a_twin(folder: Path) -> None:
    (folder / "one.jsonl").write_bytes(FIRST + b"\n" + FIRST + b"\n")
    name = Store(folder).items("one")[0].digest
    ended = subprocess.run([sys.executable, "-c", KILLED, str(folder), "commit", name], timeout=60)
    assert ended.returncode == 9
    assert len(Store(folder).items("one")) == 1
    assert [step["action"] for step in trail(folder)] == ["delete"]


def test_two_editors_at_once_lose_nothing(folder: Path) -> None:
    count = 25
    rows = [
        {"pdf": "a.pdf", "page": 1, "id": f"t{n}", "type": "present", "text": f"text {n}"}
        for n in range(count)
    ]
    (folder / "one.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def work(who: str, state: str, names: range) -> None:
        store = Store(folder)
        for number in names:
            store.mark(who, [("one", by_id(store, f"t{number}").digest)], state)

    threads = [
        threading.Thread(target=work, args=("Ann", "verified", range(0, count, 2))),
        threading.Thread(target=work, args=("Bob", "rejected", range(1, count, 2))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    states = [item.state for item in Store(folder).items("one")]
    assert states == ["rejected" if number % 2 else "verified" for number in range(count)]
    assert [step["step"] for step in trail(folder)] == list(range(1, count + 1))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
STYLES = st.tuples(
    st.sampled_from([(", ", ": "), (",", ":"), (" ,\t", " :  ")]),
    st.booleans(),
    st.sampled_from(["", " ", "\r"]),
)


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=5), STYLES, st.data())
def test_a_rewritten_line_says_what_it_should_and_keeps_the_rest(
    record: dict, style: tuple, data: st.DataObject
) -> None:
    separators, escaped, end = style
    line = json.dumps(record, separators=separators, ensure_ascii=escaped) + end
    put = data.draw(
        st.dictionaries(st.text(max_size=5) | st.sampled_from([*record, "x"]), VALUES, max_size=3)
    )
    drop = data.draw(st.sets(st.sampled_from([*record, "y"]))) - set(put)
    wanted = {key: value for key, value in record.items() if key not in drop} | put
    new = rewritten(line, put, drop)
    assert json.loads(new) == wanted
    assert new.endswith(end) and "\n" not in new
    kept = [
        line[each.start : each.end] for each in members(line) if each.key not in put and each.key not in drop
    ]
    assert [
        new[each.start : each.end] for each in members(new) if each.key in record and each.key not in put
    ] == kept
    assert rewritten(line, {}, set()) == line


def test_agreement_counts_what_two_people_said_of_the_same_tests(folder: Path) -> None:
    rows = [
        {"pdf": "a.pdf", "page": 1, "id": f"t{n}", "type": "present", "text": f"text {n}"} for n in range(6)
    ]
    (folder / "one.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    store = Store(folder)
    said = {
        "Ann": ["verified"] * 3 + ["rejected"] * 2,
        "Bob": ["verified"] * 2 + ["rejected"] * 2 + ["verified"],
    }
    for who, states in said.items():
        for number, state in enumerate(states):
            before = (folder / "one.jsonl").read_bytes()
            item = by_id(store, f"t{number}")
            store.mark(who, [("one", item.digest)], state)
            if item.state == state:
                assert (folder / "one.jsonl").read_bytes() == before
    found = agreement(store.steps())
    assert found["people"][0] == {"who": "Ann", "approve": 3, "reject": 2}
    assert found["pairs"] == [{"who": ["Ann", "Bob"], "both": 5, "same": 3, "kappa": pytest.approx(1 / 6)}]
    store.undo("Bob")
    assert agreement(store.steps())["pairs"][0]["both"] == 4
    item = by_id(store, "t0")
    store.edit("Bob", "one", item.digest, (item.record or {}) | {"text": "another"})
    assert agreement(store.steps())["pairs"][0]["both"] == 3
    assert agreement([]) == {"people": [], "pairs": []}


LINE = st.sampled_from([b"", b"  ", b"{broken", b"\xff"]) | st.builds(
    lambda number, end: (
        json.dumps(
            {"pdf": "a.pdf", "page": 1, "id": f"i{number}", "type": "present", "text": "words"}
        ).encode()
        + end
    ),
    st.integers(0, 50),
    st.sampled_from([b"", b" ", b"\r"]),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(LINE, min_size=1, max_size=6), st.data())
def test_any_steps_undone_leave_the_file_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory, content: list[bytes], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("bench") / "bench"
    (folder / "pdfs").mkdir(parents=True)
    (folder / "pdfs" / "a.pdf").write_bytes(b"%PDF")
    before = b"\n".join(content)
    (folder / "one.jsonl").write_bytes(before)
    store = Store(folder)
    for step in range(data.draw(st.integers(1, 5))):
        items = store.items("one")
        action = data.draw(st.sampled_from(["add", "delete", "mark", "line"] if items else ["add"]))
        item = data.draw(st.sampled_from(items)) if items else None
        record = {"pdf": "a.pdf", "page": 1, "id": f"new{step}", "type": "present", "text": "new"}
        if action == "add" or item is None:
            store.add("Ann", "one", record)
        elif action == "delete":
            store.delete("Ann", "one", item.digest)
        elif action == "line":
            store.edit_line("Ann", "one", item.digest, json.dumps(record))
        elif item.record is not None:
            store.mark(
                "Ann", [("one", item.digest)], data.draw(st.sampled_from(["verified", "rejected", None]))
            )
    after = (folder / "one.jsonl").read_bytes()
    done = len(store.undoable("Ann")[0])
    for _ in range(done):
        store.undo("Ann")
    assert (folder / "one.jsonl").read_bytes() == before
    for _ in range(done):
        store.redo("Ann")
    assert (folder / "one.jsonl").read_bytes() == after


def test_every_type_has_a_form_with_every_field() -> None:
    assert list(forms()) == list(FIELDS)
    inputs = {field["name"]: field for field in form("format")}
    assert inputs["format"]["choices"] == ["heading", "bold", "italic"]
    assert inputs["case_sensitive"]["input"] == "flag" and inputs["text"]["input"] == "text"
    assert inputs["page"]["input"] == inputs["max_diffs"]["input"] == "whole"
    assert {field["name"] for field in form("baseline")} >= set(FIELDS["baseline"])
    assert all(field["input"] != "json" for fields in forms().values() for field in fields)


def test_a_digest_names_the_exact_bytes() -> None:
    assert digest("a") != digest("a ")
    assert digest("\udcff") != digest("\udcfe"), "bytes that are not UTF-8 count too"
