"""Documents on this machine: archives, URIs and a real server, and what goes wrong between plan and reading."""

import json
import multiprocessing
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from scriptorium.convert.cache import Cache
from scriptorium.convert.documents import Pages, SourceError, local
from scriptorium.convert.plan import plan_corpus, read_plan
from scriptorium.convert.remote import expand, fetch
from scriptorium.errors import InputError

from .samples import image_files, pdf, tarred, write, zipped

FILES = {"x/a.pdf": pdf(2), "y/a.pdf": pdf(1, 210), "z.png": image_files()["png"]}


def planned(tmp_path: Path, *sources: str, cache: Path | None = None) -> list[dict[str, Any]]:
    plan_corpus(list(sources), 1, tmp_path / "plan.parquet", cache=cache)
    return read_plan(tmp_path / "plan.parquet")


@pytest.mark.parametrize("data", [zipped(FILES), tarred(FILES), tarred(FILES, "w:xz")])
def test_members_are_drawn_from_the_cache(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "in").write_bytes(data)
    rows = planned(tmp_path, str(tmp_path / "in"))
    with Pages(tmp_path / "plan.parquet", tmp_path / "cache") as pages:
        shapes = [pages.render(row, 300).shape for row in rows]
        assert [pages.text(row) for row in rows] == [""] * 4
        for row in rows:
            assert pages.path(row).read_bytes() == FILES[row["member"]]
    assert shapes == [(300, 200, 3), (300, 200, 3), (300, 210, 3), (60, 40, 3)]
    assert not list((tmp_path / "cache" / "spool").glob("*"))


def test_a_locked_document_is_opened_with_its_password(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf(1, 200, "secret"))
    row = {"source": str(tmp_path / "a.pdf"), "id": "7", "password": "secret"}
    (tmp_path / "m.jsonl").write_text(json.dumps(row))
    (found,) = planned(tmp_path, str(tmp_path / "m.jsonl"))
    with Pages(tmp_path / "plan.parquet", tmp_path / "cache") as pages:
        assert pages.render(found, 300).shape == (300, 200, 3)
    (tmp_path / "m.jsonl").unlink()
    with pytest.raises(InputError, match=r"m\.jsonl: no such file"):
        Pages(tmp_path / "plan.parquet", tmp_path / "cache")


@pytest.mark.parametrize("fault", ["gone", "changed", "torn", "member gone", "no archive"])
def test_what_changed_since_the_plan_is_told(tmp_path: Path, fault: str) -> None:
    path = tmp_path / "in"
    plain = fault in ("gone", "changed")
    path.write_bytes(pdf() if plain else tarred(FILES))
    row = planned(tmp_path, str(path))[-1]
    if fault == "gone":
        path.unlink()
    else:
        new = {"changed": pdf(3), "torn": tarred(FILES)[:3000], "no archive": b"x"}
        path.write_bytes(new.get(fault, tarred({"x/a.pdf": FILES["x/a.pdf"]})))
    with Pages(tmp_path / "plan.parquet", tmp_path / "cache") as pages:
        with pytest.raises(SourceError, match="plan"):
            pages.render(row, 300)
        path.write_bytes(pdf() if plain else tarred(FILES))  # it is back
        assert pages.render(row, 300).any()


def test_a_local_file_that_changes_while_pages_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf(2))
    rows = planned(tmp_path, str(tmp_path / "a.pdf"))
    with Pages(tmp_path / "plan.parquet", tmp_path / "cache") as pages:
        pages.render(rows[0], 100)
        (tmp_path / "a.pdf").write_bytes(pdf(3))
        with pytest.raises(SourceError, match="changed"):
            pages.render(rows[1], 100)


def test_the_cache_keeps_to_its_limit(tmp_path: Path) -> None:
    files = {f"{k}.pdf": pdf(1, 200 + k) for k in range(20)}
    (tmp_path / "in").write_bytes(tarred(files))
    rows = planned(tmp_path, str(tmp_path / "in"))
    size = rows[0]["bytes"]
    with Pages(tmp_path / "plan.parquet", tmp_path / "cache", limit=5 * size + 100) as pages:
        for row in [*rows, *reversed(rows)]:
            assert pages.render(row, 50).shape[0] == 50
            kept = sum(p.stat().st_size for p in (tmp_path / "cache" / "files").glob("*/*"))
            assert kept <= 5 * size + 100


def _fetch(row: dict[str, Any], cache: Path, gate: Any) -> None:
    gate.wait()
    data = local(row, Cache(cache)).read_bytes()
    sys.exit(0 if len(data) == row["bytes"] else 1)


def test_processes_share_a_cache(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(tarred(FILES, "w:gz"))
    row = planned(tmp_path, str(tmp_path / "in"))[-1]
    spawn = multiprocessing.get_context("spawn")
    gate = spawn.Barrier(3)
    processes = [spawn.Process(target=_fetch, args=(row, tmp_path / "cache", gate)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert not list((tmp_path / "cache" / "spool").glob("*"))


@pytest.fixture
def memory() -> Iterator[str]:
    """A folder in fsspec's memory with files."""
    system, name = fsspec.filesystem("memory"), uuid.uuid4().hex
    for path, data in {
        "b/x.pdf": pdf(2),
        "b/c/y.png": FILES["z.png"],
        "t.tgz": tarred(FILES, "w:gz"),
    }.items():
        system.pipe(f"/{name}/{path}", data)
    yield f"memory://{name}"
    system.rm(f"/{name}", recursive=True)


def test_folders_globs_and_archives_behind_a_uri(tmp_path: Path, memory: str) -> None:
    assert [uri.rpartition("/")[2] for uri in expand(memory)] == ["y.png", "x.pdf", "t.tgz"]
    assert [uri.rpartition("/")[2] for uri in expand(f"{memory}/b/*.pdf")] == ["x.pdf"]
    rows = planned(tmp_path, memory)
    assert [(row["member"], row["page"], row["status"]) for row in rows] == [
        ("", 1, "pending"),
        ("", 1, "pending"),
        ("", 2, "pending"),
        ("x/a.pdf", 0, "duplicate"),
        ("y/a.pdf", 1, "pending"),
        ("z.png", 0, "duplicate"),
    ]
    with Pages(tmp_path / "plan.parquet", tmp_path / "cache") as pages:
        assert all(pages.render(r, 50).shape[0] == 50 for r in rows if r["status"] == "pending")
    for wrong in ("nothing", "b/*.docx"):
        with pytest.raises(InputError, match="no such file"):
            list(expand(f"{memory}/{wrong}"))


def test_a_file_uri_is_a_path(tmp_path: Path) -> None:
    write(tmp_path, {"a b.pdf": pdf()})
    (row,) = planned(tmp_path, (tmp_path / "a b.pdf").as_uri())
    assert row["status"] == "pending"


def test_a_download_is_continued(tmp_path: Path, memory: str) -> None:
    data = pdf(30)
    fsspec.filesystem("memory").pipe(f"{memory}/long.pdf", data)
    part = fetch(f"{memory}/long.pdf", tmp_path / "spool")
    part.write_bytes(data[:100])
    assert fetch(f"{memory}/long.pdf", tmp_path / "spool") == part and part.read_bytes() == data
    fsspec.filesystem("memory").pipe(f"{memory}/long.pdf", pdf(31))  # another version: begun anew
    assert fetch(f"{memory}/long.pdf", tmp_path / "spool").read_bytes() == pdf(31)


SERVER = "import http.server as h,sys; s=h.ThreadingHTTPServer(('127.0.0.1',0),h.SimpleHTTPRequestHandler)\n"
SERVER += "print(s.server_port,flush=True); s.serve_forever()"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """A real web server process over tmp_path/web."""
    pytest.importorskip("aiohttp", reason="http:// needs aiohttp (extra remote)")
    write(tmp_path / "web", {"a.pdf": pdf(2), "b.zip": zipped(FILES)})
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(
        command, cwd=tmp_path / "web", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


def test_documents_of_a_web_server(tmp_path: Path, web: str) -> None:
    rows = planned(tmp_path, f"{web}/a.pdf", f"{web}/b.zip", f"{web}/gone.pdf", cache=tmp_path / "cache")
    assert [(row["member"], row["page"], row["status"]) for row in rows] == [
        ("", 1, "pending"),
        ("", 2, "pending"),
        ("x/a.pdf", 0, "duplicate"),
        ("y/a.pdf", 1, "pending"),
        ("z.png", 1, "pending"),
        ("", 0, "unreadable"),
    ]
    assert rows[-1]["reason"].startswith("missing")
    with Pages(tmp_path / "plan.parquet", tmp_path / "fresh") as pages:
        assert all(pages.render(r, 50).any() for r in rows if r["status"] == "pending")


def test_a_server_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("aiohttp", reason="http:// needs aiohttp (extra remote)")
    monkeypatch.setattr("scriptorium.convert.remote.PAUSE_SECONDS", 0.0)
    (row,) = planned(tmp_path, "http://user:secret@127.0.0.1:9/a.pdf?key=secret")
    assert row["reason"].startswith("unreachable") and "secret" not in row["reason"]


def test_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("s3fs", reason="s3:// needs s3fs (extra remote)")
    server = pytest.importorskip("moto.server", reason="the S3 server of the tests is moto")
    for key, value in {"ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b", "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{key}", value)
    moto = server.ThreadedMotoServer(port=0, verbose=False)
    moto.start()
    try:
        _, port = moto.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        system = fsspec.filesystem("s3", skip_instance_cache=True)
        bucket = f"bucket-{uuid.uuid4().hex[:8]}"
        system.mkdir(bucket)
        for name, data in {"in/a.pdf": pdf(2), "in/deep/b.tar": tarred(FILES), "other.pdf": pdf()}.items():
            system.pipe(f"{bucket}/{name}", data)
        rows = planned(tmp_path, f"s3://{bucket}/in", f"s3://{bucket}/*.pdf")
        assert [(row["source"].rpartition("/")[2], row["member"]) for row in rows if row["page"] < 2] == [
            ("a.pdf", ""),
            ("b.tar", "x/a.pdf"),
            ("b.tar", "y/a.pdf"),
            ("b.tar", "z.png"),
            ("other.pdf", ""),
        ]
        with Pages(tmp_path / "plan.parquet", tmp_path / "cache") as pages:
            assert all(pages.render(r, 50).any() for r in rows if r["status"] == "pending")
    finally:
        moto.stop()


TORN = """
import http.server as h
class Torn(h.BaseHTTPRequestHandler):
    gets = 0
    def do_HEAD(self): self.send_error(405)
    def do_GET(self):
        Torn.gets += 1
        data = open("a.pdf", "rb").read()
        self.send_response(200 if Torn.gets != 2 else 503)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[:50] if Torn.gets < 4 else data)
        self.close_connection = True
s = h.HTTPServer(("127.0.0.1", 0), Torn)
print(s.server_port, flush=True)
s.serve_forever()
"""


def test_torn_answers_are_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("aiohttp", reason="http:// needs aiohttp (extra remote)")
    monkeypatch.setattr("scriptorium.convert.remote.PAUSE_SECONDS", 0.0)
    monkeypatch.setattr("scriptorium.convert.remote.TRIES", 6)
    (tmp_path / "a.pdf").write_bytes(pdf(20))
    command = [sys.executable, "-c", TORN]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        try:
            uri = f"http://127.0.0.1:{process.stdout.readline().strip()}/a.pdf"
            assert fetch(uri, tmp_path / "spool").read_bytes() == pdf(20)
        finally:
            process.terminate()


def test_a_remote_archive_is_fetched_once_and_anew_when_it_is_another(tmp_path: Path, memory: str) -> None:
    uri, cache = f"{memory}/t.tgz", tmp_path / "cache"
    planned(tmp_path, uri, cache=cache)
    fsspec.filesystem("memory").pipe(uri, tarred({"n.pdf": pdf(1, 240)}))
    (row,) = planned(tmp_path, uri)  # planned elsewhere: this cache has the old archive
    with Pages(tmp_path / "plan.parquet", cache) as pages:
        assert pages.path(row).read_bytes() == pdf(1, 240)
    fsspec.filesystem("memory").rm(uri)
    assert local(row, Cache(cache)).is_file()  # no longer asked for


def test_what_a_killed_process_left_goes(tmp_path: Path) -> None:
    spool = write(tmp_path, {"spool/old.member": b"x", "spool/new.member": b"x"}) / "spool"
    os.utime(spool / "old.member", (0, 0))
    Cache(tmp_path)
    assert [path.name for path in spool.iterdir()] == ["new.member"]
