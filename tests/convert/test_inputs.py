"""Sources of every kind become rows of a plan."""

import bz2
import functools
import gzip
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from scriptorium.convert.estimate import dry_run, estimate, lines
from scriptorium.convert.plan import manifests_of, plan_corpus, read_plan
from scriptorium.errors import InputError

from .samples import image_files, pdf, tarred, write, zipped


def plan(tmp_path: Path, *sources: str | Path, **more: Any) -> list[dict[str, Any]]:
    out = tmp_path / "plan.parquet"
    plan_corpus([str(source) for source in sources], 3, out, **more)
    return read_plan(out)


def told(rows: list[dict[str, Any]]) -> list[tuple[str, str, int, str]]:
    """Name, member, page and status or the reason's code."""
    return [
        (
            Path(row["source"]).name,
            row["member"],
            row["page"],
            row["reason"].partition(":")[0] if row["status"] == "unreadable" else row["status"],
        )
        for row in rows
    ]


def test_kinds_sizes_and_pages(tmp_path: Path) -> None:
    files = {f"{kind}.txt": data for kind, data in image_files().items()} | {"a": pdf(2), "no.pdf": b"text"}
    rows = plan(tmp_path, write(tmp_path / "in", files))
    kinds = {Path(row["source"]).name: row["kind"] for row in rows}
    assert kinds == {f"{kind}.txt": kind for kind in image_files()} | {"a": "pdf", "no.pdf": ""}
    assert all(row["bytes"] == len(files[Path(row["source"]).name]) for row in rows)
    assert len(rows) == 2 + 1 + 3 + 5


def test_sources_of_several_kinds_in_their_order(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {"b/x.pdf": pdf(1), "b/c/y.pdf": pdf(2), "z.pdf": pdf(3), "q.PNG": b""})
    (tmp_path / "list.txt").write_text(f"\ufeff{folder}/z.pdf\r\n\n{folder}/gone.pdf\n", encoding="utf-8")
    rows = plan(tmp_path, f"{folder}/b/**/*.pdf", f"@{tmp_path}/list.txt", "-", stdin=[f"{folder}/q.PNG\n"])
    assert told(rows) == [
        ("y.pdf", "", 1, "pending"),
        ("y.pdf", "", 2, "pending"),
        ("x.pdf", "", 1, "pending"),
        *(("z.pdf", "", page, "pending") for page in (1, 2, 3)),
        ("gone.pdf", "", 0, "missing"),
        ("q.PNG", "", 0, "not_a_pdf"),
    ]
    with pytest.raises(InputError, match="nothing matches"):
        plan(tmp_path, f"{folder}/*.docx")
    with pytest.raises(InputError, match="no source"):
        plan(tmp_path)


def test_a_file_whose_name_looks_like_a_glob(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {"a[1].pdf": pdf(), "a1.pdf": pdf(2)})
    assert [name for name, *_ in told(plan(tmp_path, folder / "a[1].pdf"))] == ["a[1].pdf"]


ARCHIVES = {
    "stored": zipped({"x/a.pdf": pdf(2), "y/a.pdf": pdf(1, 210)}, zipfile.ZIP_STORED),
    "deflate": zipped({"x/a.pdf": pdf(2), "y/a.pdf": pdf(1, 210)}),
    "lzma": zipped({"x/a.pdf": pdf(2), "y/a.pdf": pdf(1, 210)}, zipfile.ZIP_LZMA),
    **{
        mode: tarred({"./x/a.pdf": pdf(2), "y/a.pdf": pdf(1, 210)}, mode)
        for mode in ("w", "w:gz", "w:bz2", "w:xz")
    },
    "zst": zstandard.compress(tarred({"x/a.pdf": pdf(2), "y/a.pdf": pdf(1, 210)})),
}


@pytest.mark.parametrize("packing", sorted(ARCHIVES))
def test_archives_by_content(tmp_path: Path, packing: str) -> None:
    (tmp_path / "in.bin").write_bytes(ARCHIVES[packing])
    assert told(plan(tmp_path, tmp_path / "in.bin")) == [
        ("in.bin", "x/a.pdf", 1, "pending"),
        ("in.bin", "x/a.pdf", 2, "pending"),
        ("in.bin", "y/a.pdf", 1, "pending"),
    ]


def test_what_an_archive_must_not_do_has_a_row(tmp_path: Path) -> None:
    bad = {
        "../up.pdf": pdf(),
        "/abs.pdf": pdf(),
        "in.zip": zipped({"a.pdf": pdf()}),
        "in.tgz": tarred({}, "w:gz"),
    }
    good = {"ok.pdf": pdf(1, 220), ".hidden.pdf": pdf(), "note.txt": b"words"}
    for data in (zipped(bad | good), tarred(bad | good)):
        (tmp_path / "x").write_bytes(data)
        assert {(member, status) for _, member, _, status in told(plan(tmp_path, tmp_path / "x"))} == {
            ("../up.pdf", "unsafe"),
            ("/abs.pdf", "unsafe"),
            ("in.zip", "nested"),
            ("in.tgz", "nested"),
            ("ok.pdf", "pending"),
            ("note.txt", "not_a_pdf"),
        }
    assert not (tmp_path.parent / "up.pdf").exists()


def test_office_documents_and_packed_files_are_no_archives(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(zipped({"[Content_Types].xml": b"<a/>", "word/document.xml": b"<b/>"}))
    assert told(plan(tmp_path, tmp_path / "x")) == [("x", "", 0, "not_a_pdf")]
    (tmp_path / "x").write_bytes(gzip.compress(pdf()))
    assert told(plan(tmp_path, tmp_path / "x")) == [("x", "", 0, "damaged")]


def test_torn_archives_give_what_is_whole(tmp_path: Path) -> None:
    whole = tarred({"a.pdf": pdf(), "b.pdf": pdf(40, 210)})
    (tmp_path / "x").write_bytes(whole[: len(whole) // 2])
    assert told(plan(tmp_path, tmp_path / "x"))[0] == ("x", "a.pdf", 1, "pending")
    assert "damaged" in {status for *_, status in told(plan(tmp_path, tmp_path / "x"))}
    data = bytearray(zipped({"a.pdf": pdf(), "b.pdf": pdf(1, 210)}))
    data[60:64] = b"\xff\xff\xff\xff"  # in the first member's bytes
    (tmp_path / "x").write_bytes(data)
    assert [(m, s) for _, m, _, s in told(plan(tmp_path, tmp_path / "x"))] == [
        ("a.pdf", "damaged"),
        ("b.pdf", "pending"),
    ]
    (tmp_path / "x").write_bytes(zipped({"a.pdf": pdf()})[:-30])
    assert told(plan(tmp_path, tmp_path / "x")) == [("x", "", 0, "damaged")]


def test_bombs_end_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scriptorium.convert.archives.ALLOWANCE", 1 << 20)
    zeros = bytes(8 << 20)
    for data in (zipped({"a": zeros}), tarred({"a": zeros}, "w:gz"), bz2.compress(tarred({"a": zeros}))):
        (tmp_path / "x").write_bytes(data)
        assert told(plan(tmp_path, tmp_path / "x"))[-1] == ("x", "", 0, "bomb")


def manifest_rows(folder: Path) -> list[dict[str, Any]]:
    return [
        {"source": f"{folder}/a.pdf", "id": "one", "pages": "2-3,9", "year": 1900, "password": None},
        {"source": f"{folder}/locked.pdf", "id": "two", "pages": None, "year": None, "password": "secret"},
        {"source": f"{folder}/gone.pdf", "id": None, "pages": None, "year": 1, "password": None},
    ]


@pytest.mark.parametrize("packed", [False, True])
def test_manifests(tmp_path: Path, packed: bool) -> None:
    folder = write(tmp_path / "in", {"a.pdf": pdf(4), "locked.pdf": pdf(1, 230, "secret")})
    path, rows = tmp_path / "manifest", manifest_rows(folder)
    if packed:
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text("\n".join(map(json.dumps, rows)))
    found = plan(tmp_path, path)
    assert told(found) == [
        ("a.pdf", "", 2, "pending"),
        ("a.pdf", "", 3, "pending"),
        ("a.pdf", "", 9, "bad_page"),
        ("locked.pdf", "", 1, "pending"),
        ("gone.pdf", "", 0, "missing"),
    ]
    assert [row["id"] for row in found] == ["one", "one", "one", "two", ""]
    assert [json.loads(row["metadata"] or "{}") for row in found] == [{"year": 1900}] * 3 + [{}, {"year": 1}]
    assert b"secret" not in (tmp_path / "plan.parquet").read_bytes()
    assert manifests_of(tmp_path / "plan.parquet") == [str(path)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"source": "a"}\n{"id": 1}', "row 2: source"),
        ('{"source": "a"}\nnot json', "row 2: not JSON"),
        ('{"source": "a"}\n[1]', "row 2: found list"),
        ('{"source": "a", "pages": "x"}', "row 1: pages"),
        ('{"source": "a", "id": 1}\n{"source": "b", "id": "1"}', "row 2: id"),
    ],
)
def test_a_wrong_manifest_is_named_by_row_and_key(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "m").write_text(text)
    with pytest.raises(InputError, match=message):
        plan(tmp_path, tmp_path / "m")


def test_pages_for_all_and_duplicates_once(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {"a.pdf": pdf(5), "b.pdf": pdf(5), "c.zip": zipped({"d.pdf": pdf(5)})})
    rows = plan(tmp_path, folder, pages="2,4-")
    assert [row["page"] for row in rows] == [2, 4, 5, 0, 0]
    assert [row["status"] for row in rows[3:]] == ["duplicate"] * 2
    assert rows[-1]["reason"] == f"same bytes as {folder}/a.pdf"


def test_a_password_that_is_right_comes_after_one_that_is_wrong(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {"a.pdf": pdf(1, 200, "right"), "b.pdf": pdf(1, 200, "right")})
    (folder / "b.pdf").write_bytes((folder / "a.pdf").read_bytes())
    rows = [{"source": f"{folder}/{n}.pdf", "password": p} for n, p in (("a", "wrong"), ("b", "right"))]
    (tmp_path / "m").write_text("\n".join(map(json.dumps, rows)))
    assert [status for *_, status in told(plan(tmp_path, tmp_path / "m"))] == ["encrypted", "pending"]


def test_the_plan_is_the_same_with_more_processes(tmp_path: Path) -> None:
    files = {f"{k}.pdf": pdf(1 + k % 3, 200 + k) for k in range(30)} | {"z.zip": ARCHIVES["deflate"]}
    folder = write(tmp_path / "in", files)
    plan_corpus(folder, 4, tmp_path / "one")
    plan_corpus(folder, 4, tmp_path / "two", jobs=2, cache=tmp_path / "cache")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_an_estimate(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "in", {"a.pdf": pdf(4), "b.pdf": pdf(4), "c.png": image_files()["png"], "d": b"x"}
    )
    plan(tmp_path, folder)
    found = estimate(tmp_path / "plan.parquet", 2.0, 4.0, 1000.0)
    assert (found.files, found.pages, found.duplicates, found.unreadable) == (4, 5, 1, 1)
    assert found.bytes == len(pdf(4)) + len(image_files()["png"])
    assert (found.seconds, found.cost) == (2.5, pytest.approx(0.02))
    text = "\n".join(lines(found))
    assert "5 pages to convert (4 pdf, 1 png)" in text and f"{folder}/d: not_a_pdf" in text
    assert dry_run([str(folder)], [], "1", 1, tmp_path / "cache").pages == 2


def test_dry_run_on_the_command_line(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {"a.pdf": pdf(4), "b.png": image_files()["png"]})
    start = "from scriptorium.cli import main; main()"
    command = [sys.executable, "-c", start, "convert", "--out", str(tmp_path / "out"), "--dry-run"]
    run = functools.partial(subprocess.run, capture_output=True, text=True)
    done = run([*command, f"{folder}/a.pdf", f"{folder}/*.png", "--pages-per-second", "2"])
    assert done.returncode == 0, done.stderr
    assert "2 files, 5 pages to convert (4 pdf, 1 png)" in done.stdout and "time: 0:00:02\n" in done.stdout
    (folder / "c").write_bytes(b"x")
    (tmp_path / "list").write_text(f"{folder}\n")
    assert run([*command, "--list", str(tmp_path / "list"), "--pages", "1"]).returncode == 3
    assert run([*command, "-"], input=f"{folder}/a.pdf\n").returncode == 0
    for wrong in ([str(tmp_path / "nowhere")], [str(folder), "--pages", "x"], []):
        assert run([*command, *wrong]).returncode == 2
    assert not (tmp_path / "out").exists()
