"""Candidates made by real servers and real commands: faults, resumption after a kill, nothing made twice."""

import base64
import io
import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from scriptorium.bench.candidates.convert import adapt, convert
from scriptorium.bench.candidates.specs import parse
from scriptorium.bench.outputs import read_candidate
from scriptorium.errors import ConfigError, InputError, PartialError, ServerError
from scriptorium.pages.front_matter import FrontMatter, encode
from scriptorium.pages.image import decode_png
from scriptorium.pages.pdf import PdfWorker

from ..serve.scripted import Reply, ScriptedServer, answer, in_turn
from .shared import sample

SIZES = {"a": (80, 100), "b": (100, 80), "c": (100, 100)}
"""Each page has a shape of its own, so that a server knows it by its image."""


def pdf(size: tuple[int, int]) -> bytes:
    image = Image.new("L", size, 255)
    ImageDraw.Draw(image).rectangle((20, 20, 60, 60), fill=0)
    file = io.BytesIO()
    image.save(file, "PDF")
    return file.getvalue()


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """A bench of three pages; the name of one says .pdf twice."""
    root = tmp_path / "bench" / "pdfs"
    (root / "sub").mkdir(parents=True)
    for name, path in (("a", "a.pdf"), ("b", "sub/b.pdf.v2.pdf"), ("c", "c_pg4.pdf")):
        (root / path).write_bytes(pdf(SIZES[name]))
    return root.parent


STEMS = {"a": "a_pg1", "b": "sub/b.pdf.v2_pg1", "c": "c_pg4_pg1"}


def page_of(body: dict[str, Any]) -> str:
    """Which page a request shows; "" for a probe without an image."""
    content = body["messages"][0]["content"]
    if isinstance(content, str):
        return ""
    (url,) = (part["image_url"]["url"] for part in content if part["type"] == "image_url")
    height, width = decode_png(base64.b64decode(url.partition(",")[2])).shape[:2]
    return "a" if height > width else "b" if width > height else "c"


def serve(bench: Path, server: ScriptedServer, name: str = "s", force: bool = False, **more: Any) -> Any:
    """Convert with the candidate `name` of a server; what is in its folder."""
    values = {"source": "server", "url": server.url, "model": "m", "image_side": 64, "retries": 0} | more
    return convert(bench, {name: parse(name, values, "here")}, force)[name]


def sidecar(bench: Path, page: str, name: str = "s", repeat: int = 1) -> dict[str, Any]:
    return json.loads((bench / name / f"{STEMS[page]}_repeat{repeat}.json").read_text())


def text(bench: Path, page: str, name: str = "s", repeat: int = 1) -> str | None:
    path = bench / name / f"{STEMS[page]}_repeat{repeat}.md"
    return path.read_text() if path.exists() else None


def pages(server: ScriptedServer) -> list[str]:
    """The pages that were asked for, probes left out."""
    return sorted(page for page in map(page_of, server.requests) if page)


def test_pages_and_sidecars(bench: Path) -> None:
    with ScriptedServer(lambda body: answer(f"text of {page_of(body)}")) as server:
        done = serve(bench, server, prompt="Do read.", temperature=0.5, max_tokens=9, fields={"top_p": 0.9})
        assert (dict(done.states), done.made) == ({"ok": 3}, 3)
        assert pages(server) == ["a", "b", "c"]
        body = server.requests[0]
        assert (body["max_tokens"], body["temperature"], body["seed"], body["top_p"]) == (9, 0.5, 1, 0.9)
        assert body["messages"][0]["content"][0]["text"] == "Do read."
    assert {text(bench, page) for page in "abc"} == {"text of a", "text of b", "text of c"}
    found = sidecar(bench, "a")
    assert (found["state"], found["finish_reason"], found["tokens"], found["prompt_tokens"]) == (
        "ok",
        "stop",
        5,
        10,
    )
    assert found["dialect"] == {"name": "markdown", "version": 1}
    assert found["source"]["kind"] == "server"
    read = read_candidate(bench, "s")
    assert {page: [each.text for each in texts] for page, texts in read.items()} == {
        "a": ["text of a"], "sub/b.pdf.v2": ["text of b"], "c_pg4": ["text of c"]
    }  # fmt: skip


def test_thoughts_are_no_part_of_what_is_scored(bench: Path) -> None:
    replies = {
        "a": "<think>A box.</think>\n\nThe box",
        "b": "<think>A box, I",
        "c": "A box.\n</think>\nThe box",
    }
    with ScriptedServer(lambda body: answer(replies[page_of(body)])) as server:
        serve(bench, server)
    assert [text(bench, page) for page in "abc"] == ["The box", "", "The box"]
    assert sidecar(bench, "b")["state"] == "empty"


def test_a_second_run_asks_only_for_what_failed_and_repeats_that_are_new(bench: Path) -> None:
    bad = {"b"}
    with ScriptedServer(lambda b: (400, {}, "bad image") if page_of(b) in bad else answer("t")) as server:
        with pytest.raises(PartialError, match="bad image"):
            serve(bench, server)
        assert (sidecar(bench, "b")["state"], text(bench, "b")) == ("error", None)
        assert "400 bad image" in sidecar(bench, "b")["error"]
        bad.clear()
        server.requests.clear()
        assert serve(bench, server).made == 1
        assert pages(server) == ["b"]
        assert (sidecar(bench, "b")["state"], text(bench, "b"), sidecar(bench, "b")["error"]) == (
            "ok",
            "t",
            "",
        )
        server.requests.clear()
        assert serve(bench, server, repeats=2).states["ok"] == 6
        assert [body["seed"] for body in server.requests] == [2, 2, 2]
        (bench / "s" / "a_pg1_repeat1.md").unlink()
        (bench / "s" / "c_pg4_pg1_repeat2.json").write_text('{"state": "ok"')
        (bench / "pdfs" / "sub" / "b.pdf.v2.pdf").write_bytes(pdf((120, 80)))
        server.requests.clear()
        serve(bench, server, repeats=2)
        assert pages(server) == ["a", "b", "b", "c"]


def test_faults_of_the_server_are_waited_out(bench: Path) -> None:
    later: Reply = (429, {"retry-after": "0.01"}, "slow down")
    fault: Reply = (500, {"retry-after": "0.01"}, "oops")
    with ScriptedServer(in_turn(later, fault, later, answer("t"))) as server:
        assert serve(bench, server, retries=5, concurrency=1).states["ok"] == 3
        assert len(server.requests) == 6


def test_a_page_that_cuts_the_connection_or_never_ends_costs_only_itself(bench: Path) -> None:
    end = threading.Event()

    def reply(body: dict[str, Any]) -> Reply:
        page = page_of(body)
        if page == "a":
            raise ConnectionAbortedError
        if page == "b":
            end.wait()
        return answer(f"text of {page}")

    with ScriptedServer(reply) as server:
        try:
            with pytest.raises(PartialError, match="2 error, 1 ok"):
                serve(bench, server, timeout=1.0)
        finally:
            end.set()
    assert text(bench, "c") == "text of c"
    assert "but answers others" in sidecar(bench, "a")["error"]
    assert "ReadTimeout" in sidecar(bench, "b")["error"]


def test_answers_cut_short_empty_and_withheld(bench: Path) -> None:
    given = {"a": answer("The first", "length"), "b": answer(""), "c": answer("The f", "content_filter")}
    with ScriptedServer(lambda body: given[page_of(body)]) as server:
        with pytest.raises(PartialError, match="content_filter"):
            serve(bench, server)
        server.requests.clear()
        with pytest.raises(PartialError):
            serve(bench, server)
        assert pages(server) == ["c"]
    assert (sidecar(bench, "a")["state"], text(bench, "a")) == ("truncated", "The first")
    assert (sidecar(bench, "b")["state"], text(bench, "b")) == ("empty", "")
    assert (sidecar(bench, "c")["state"], text(bench, "c")) == ("error", None)
    assert (bench / "s" / "c_pg4_pg1_repeat1.raw.txt").read_text() == "The f"


def test_the_key_comes_from_the_variable_that_is_named(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sesame")
    with ScriptedServer(in_turn(answer("t"))) as server:
        serve(bench, server, key_variable="MY_KEY", model="")
    assert {headers["authorization"] for headers in server.headers} == {"Bearer sesame"}
    assert {body["model"] for body in server.requests} == {"listed"}
    assert "sesame" not in "".join(path.read_text() for path in (bench / "s").rglob("*.json"))
    with ScriptedServer(in_turn((401, {}, "no"))) as server, pytest.raises(ConfigError, match="MY_KEY"):
        serve(bench, server, "other", key_variable="MY_KEY")


def test_a_server_that_is_gone_leaves_its_pages_pending_and_others_their_turn(bench: Path) -> None:
    with ScriptedServer(in_turn(answer("t"))) as server:
        url = server.url
    gone = {"source": "server", "url": url, "model": "m", "patience": 0.1}
    specs = {"gone": parse("gone", gone, "here"), "layer": parse("layer", {"source": "text-layer"}, "here")}
    with pytest.raises(ServerError, match="pending") as caught:
        convert(bench, specs)
    assert caught.value.exit_code == 5
    assert not list((bench / "gone").rglob("*.md"))
    assert len(list((bench / "layer").rglob("*.md"))) == 3
    with ScriptedServer(
        in_turn(answer("t"))
    ) as server:  # a URL put right: nothing was made with the wrong one
        assert serve(bench, server, "gone").states["ok"] == 3


def test_other_settings_never_overwrite_a_candidate(bench: Path) -> None:
    with ScriptedServer(in_turn(answer("one"), answer("one"), answer("one"), answer("two"))) as server:
        serve(bench, server)
        with pytest.raises(ConfigError, match=r"other settings \(temperature was 0.0, is 0.7\)"):
            serve(bench, server, temperature=0.7)
        serve(bench, server, timeout=5.0, concurrency=1)
        assert text(bench, "a") == "one"
        serve(bench, server, "t", temperature=0.7)
        assert (text(bench, "a"), text(bench, "a", "t")) == ("one", "two")
        serve(bench, server, temperature=0.7, force=True)
        assert text(bench, "a") == "two"
        (bench / "made" / "sub").mkdir(parents=True)
        (bench / "made" / "sub" / "b.pdf.v2_pg1_repeat1.md").write_text("by hand")
        with pytest.raises(ConfigError, match="made elsewhere"):
            serve(bench, server, "made")


def test_a_dialect_is_recorded_and_a_text_of_another_shape_is_an_error(bench: Path) -> None:
    cells = json.dumps([{"category": "Title", "text": "T"}])
    with (
        ScriptedServer(lambda body: answer("plain" if page_of(body) == "a" else cells)) as server,
        pytest.raises(PartialError, match="a: dialect dots: not JSON"),
    ):
        serve(bench, server, dialect="dots")
    assert (text(bench, "a"), text(bench, "b")) == (None, "# T")
    assert sidecar(bench, "b")["dialect"] == {"name": "dots", "version": 1}
    assert (bench / "s" / "a_pg1_repeat1.raw.txt").read_text() == "plain"
    with pytest.raises(PartialError, match="no HTML tag"):
        adapt(bench, "s", "again", "chandra")
    assert adapt(bench, "s", "as-they-were", "markdown").states["ok"] == 3
    assert text(bench, "a", "as-they-were") == "plain"
    assert sidecar(bench, "a", "as-they-were")["tokens"] == 5


def test_fail_fast_stops_at_the_first_page(bench: Path) -> None:
    with ScriptedServer(in_turn((400, {}, "bad"))) as server:
        spec = parse("s", {"source": "server", "url": server.url, "model": "m", "concurrency": 1}, "here")
        with pytest.raises(PartialError, match="a, repeat 1: 400 bad"):
            convert(bench, {"s": spec}, fail_fast=True)
        assert len(server.requests) < 3
    assert len(list((bench / "s").rglob("*_repeat1.json"))) == 1


def test_our_own_conversion_reads_with_its_adapter(bench: Path) -> None:
    good = answer(encode(FrontMatter(), "alpha"))
    with ScriptedServer(lambda body: answer("no head") if page_of(body) == "b" else good) as server:
        values = {"source": "model", "model": f"{server.url}/v1#m", "adapter": "tiny"}
        with pytest.raises(PartialError, match="gave up"):
            convert(bench, {"ours": parse("ours", values, "here")})
    assert (text(bench, "a", "ours"), text(bench, "b", "ours")) == ("alpha", None)
    assert sidecar(bench, "b", "ours")["attempts"] == 2


def test_a_pdf_that_does_not_open_and_a_folder_without_any(bench: Path, tmp_path: Path) -> None:
    (bench / "pdfs" / "broken.pdf").write_bytes(b"not a PDF")
    layer = parse("layer", {"source": "text-layer"}, "here")
    with pytest.raises(PartialError, match=r"broken_pg1_repeat1\.json: not_a_pdf"):
        convert(bench, {"layer": layer})
    assert not (bench / "layer" / "broken_pg1_repeat1.md").exists()
    with pytest.raises(InputError, match="name a bench folder"):
        convert(tmp_path / "nothing", {"layer": layer})


def test_text_layers_of_the_sample(tmp_path: Path) -> None:
    (tmp_path / "pdfs").symlink_to(sample() / "pdfs")
    done = convert(tmp_path, {"layer": parse("layer", {"source": "text-layer"}, "here")})["layer"]
    assert done.states == {"ok": 20, "empty": 3}
    with PdfWorker() as worker:
        expected = worker.text(tmp_path / "pdfs" / "mattsnotes.pdf", 3)
    assert (tmp_path / "layer" / "mattsnotes_pg3_repeat1.md").read_text() == expected


def test_texts_made_elsewhere_are_read_in_their_dialect(bench: Path) -> None:
    made = bench / "made"
    (made / "sub").mkdir(parents=True)
    (made / "a_pg1_repeat1.json").write_text(json.dumps([{"category": "Text", "text": "A"}]))
    (made / "sub" / "b.pdf.v2_pg1_repeat2.json").write_text("[]")
    done = adapt(bench, "made", "dots", "dots", ending=".json")
    assert done.states == {"ok": 1, "empty": 1}
    assert (text(bench, "a", "dots"), text(bench, "b", "dots", 2)) == ("A", "")
    adapt(bench, "made", "dots", "dots", ending=".json")
    (made / "a_pg1_repeat1.json").write_bytes(b"\xff")
    with pytest.raises(PartialError, match="not UTF-8"):
        adapt(bench, "made", "dots", "dots", ending=".json")
    with pytest.raises(ConfigError, match="other settings"):
        adapt(bench, "made", "dots", "mineru", ending=".json")
    with pytest.raises(ConfigError, match="did you mean dots"):
        adapt(bench, "made", "x", "dot")
    with pytest.raises(InputError, match="name a candidate's folder"):
        adapt(bench, "nobody", "x", "dots")
    with pytest.raises(ConfigError, match="cannot be the old one"):
        adapt(bench, "made", "made", "dots")


TOOL = """
import os, pathlib, sys, time
work = pathlib.Path({work!r})
with (work / "log").open("a") as log:
    log.write(f"{{os.getpid()}}\\n")
if len((work / "log").read_text().split()) == 2 and not (work / "gate").exists():
    (work / "waiting").touch()
    time.sleep(3600)
print("a text")
"""


def test_killed_in_the_middle_it_goes_on_where_it_was(bench: Path, tmp_path: Path) -> None:
    import psutil

    (tmp_path / "tool.py").write_text(TOOL.format(work=str(tmp_path)))
    words = [
        sys.executable,
        "-c",
        "from scriptorium.cli import main; main()",
        "bench",
        "convert",
        str(bench),
        "t",
    ]
    words += ["--source", "command", "--command", f"{sys.executable} {tmp_path / 'tool.py'} {{pdf}}"]
    process = subprocess.Popen(words)
    while not (tmp_path / "waiting").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    tool = int((tmp_path / "log").read_text().split()[1])
    while psutil.pid_exists(tool) and psutil.Process(tool).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    kept = list((bench / "t").rglob("*.md"))
    assert len(kept) < 3
    (tmp_path / "gate").touch()
    done = subprocess.run(words, capture_output=True, text=True)
    assert (done.returncode, "t: 3 pages: 3 ok" in done.stdout) == (0, True), done.stderr
    assert len(list((bench / "t").rglob("*.md"))) == 3
    assert len((tmp_path / "log").read_text().split()) == 2 + 3 - len(kept)
    assert not list((bench / "t").rglob("*.part"))


def test_exit_code_3_when_pages_failed(bench: Path) -> None:
    words = [sys.executable, "-c", "from scriptorium.cli import main; main()", "bench", "convert", str(bench)]
    (bench / "candidates.yaml").write_text(
        "f: {source: command, command: 'false {pdf}'}\nt: {source: text-layer}\n"
    )
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 3
    assert "f: 3 pages: 3 error" in done.stderr and "exit code 1" in done.stderr
    assert "t: 3 pages: 3 empty" in done.stdout  # drawn pages have no text layer
    assert "Traceback" not in done.stderr
    assert subprocess.run([*words, "--only", "t"], capture_output=True).returncode == 0
