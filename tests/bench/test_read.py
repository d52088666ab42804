"""Reading bench pages through a real HTTP server: rows, faults, resumption."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from scriptorium.bench.read import Journal, read_bench
from scriptorium.bench.scoring.run_scores import write_scores
from scriptorium.errors import ConfigError, InputError
from scriptorium.files import read_jsonl
from scriptorium.pages.front_matter import FrontMatter, encode
from scriptorium.serve.adapter import Adapter

from ..serve.conftest import model_folder  # noqa: F401 (a fixture)
from ..serve.scripted import Reply, ScriptedServer, answer

ADAPTER = {"name": "t", "prompt": "Read.", "image_side": 64, "max_tokens": 50, "context": 512}
TINY = Adapter(**ADAPTER, temperatures=[0.0], engine="transformers", family="f")
GOOD = answer(encode(FrontMatter(), "alpha beta"))


def pdf(pages: int) -> bytes:
    """A PDF whose pages have ink on them."""
    image = Image.new("L", (80, 100), 255)
    ImageDraw.Draw(image).rectangle((20, 20, 60, 60), fill=0)
    file = io.BytesIO()
    image.save(file, "PDF", save_all=True, append_images=[image] * (pages - 1))
    return file.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bench of two PDFs that open, of three pages in all, and one that does not."""
    root = tmp_path / "pages" / "pdfs"
    (root / "sub").mkdir(parents=True)
    (root / "a.pdf").write_bytes(pdf(2))
    (root / "b.pdf").write_bytes(b"not a PDF")
    (root / "sub" / "c_pg4.pdf").write_bytes(pdf(1))
    return root.parent


def read(folder: Path, reply: Callable[[dict[str, Any]], Reply]) -> int:
    """Read the bench into out.jsonl beside it; the number of requests that were sent."""
    work = folder.parent
    with ScriptedServer(reply) as server:
        read_bench(folder, f"{server.url}/v1#m", TINY, 1, work / "state", work / "out.jsonl", work / "log")
        return len(server.requests)


def test_every_page_has_a_row_in_order(folder: Path) -> None:
    assert read(folder, lambda _: GOOD) == 3
    rows = read_jsonl(folder.parent / "out.jsonl")
    assert [(row["id"], row["pdf"], row["page"], row["status"], row["text"]) for row in rows] == [
        ("a", "a.pdf", 1, "ok", "alpha beta"),
        ("a#2", "a.pdf", 2, "ok", "alpha beta"),
        ("b", "b.pdf", 1, "unreadable", ""),
        ("sub/c_pg4", "sub/c_pg4.pdf", 1, "ok", "alpha beta"),
    ]
    keys = ["id", "pdf", "page", "status", "text", "finish_reason", "tokens", "seconds", "attempts"]
    assert all(list(row) == keys for row in rows)
    assert rows[0]["tokens"] == 5
    assert rows[0]["finish_reason"] == "stop"


def test_a_page_that_fails_keeps_a_row(folder: Path) -> None:
    read(folder, lambda _: answer("no header", "length"))
    assert {row["status"] for row in read_jsonl(folder.parent / "out.jsonl")} == {"gave_up", "unreadable"}
    assert not any(row["text"] for row in read_jsonl(folder.parent / "out.jsonl"))


def test_an_interrupted_run_goes_on_where_it_stopped(folder: Path) -> None:
    work = folder.parent
    replies = [GOOD, (401, {}, "{}")]
    with ScriptedServer(lambda _: replies.pop(0) if len(replies) > 1 else replies[0]) as server:
        model = f"{server.url}/v1#m"
        arguments = (folder, model, TINY, 1, work / "state", work / "out.jsonl", work / "log")
        with pytest.raises(ConfigError):
            read_bench(*arguments)
        assert not (work / "out.jsonl").exists()
        kept = len((work / "state" / "pages.jsonl").read_text().splitlines()) - 1
        with (work / "state" / "pages.jsonl").open("a") as file:
            file.write('{"id": "torn')
        replies[:] = [GOOD]
        server.requests.clear()
        read_bench(*arguments)
        assert len(server.requests) + kept in (3, 4)  # the row of b needs no request
        assert len(read_jsonl(work / "out.jsonl")) == 4
        server.requests.clear()
        read_bench(*arguments)
        assert not server.requests
        read_bench(folder, model, TINY.model_copy(update={"prompt": "Other."}), *arguments[3:])
        assert len(server.requests) == 3


def test_a_journal_of_something_else_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "state" / "pages.jsonl"
    Journal(path, "one").append({"id": "a", "text": "x\u2028y"})
    assert Journal(path, "one").rows == {"a": {"id": "a", "text": "x\u2028y"}}
    assert Journal(path, "two").rows == {}
    assert path.read_text() == "two\n"
    path.write_text(f'two\n{json.dumps({"id": "b"})}\n{{"id"')
    assert list(Journal(path, "two").rows) == ["b"]


def test_a_folder_without_pdfs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name a bench folder"):
        read_bench(tmp_path, "http://127.0.0.1:1", TINY, 1, tmp_path, tmp_path / "out", tmp_path / "log")


@pytest.mark.slow
def test_a_served_model_reads_the_pages(folder: Path, model_folder: Path) -> None:  # noqa: F811
    work = folder.parent
    adapter = TINY.model_copy(update={"max_tokens": 8})
    read_bench(folder, str(model_folder), adapter, 1, work / "state", work / "out.jsonl", work / "log")
    rows = read_jsonl(work / "out.jsonl")
    assert [row["id"] for row in rows] == ["a", "a#2", "b", "sub/c_pg4"]
    assert [row["attempts"] for row in rows] == [1, 1, 0, 1]
    assert all(row["tokens"] for row in rows if row["pdf"] != "b.pdf")
    scores = work / "bench.json"
    test = {"pdf": "a.pdf", "page": 1, "id": "t", "type": "present", "text": "alpha beta"}
    (folder / "text.jsonl").write_text(json.dumps(test))
    write_scores(folder, work / "out.jsonl", "fresh", None, [], scores)
    assert json.loads(scores.read_text())["scores"]["scriptorium-1"]["overall"] == 0.0
