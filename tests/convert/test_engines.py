"""`--engine` and `--box` of the command: what drew a page is recorded, and another box is another reading."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from scriptorium.convert.plan import plan_corpus
from scriptorium.convert.shard import convert_shard
from scriptorium.pages import drawing
from scriptorium.serve.adapter import load

from ..faults import world
from ..faults.conftest import server
from ..pages import hostile

__all__ = ["server"]

MALFORMED = world.ROOT.parent / "shared" / "data" / "malformed"
needs_poppler = pytest.mark.skipif(not shutil.which("pdftoppm"), reason="poppler is not installed")


def stored(out: Path) -> list[dict[str, Any]]:
    """The records of the store."""
    lines = [
        line for path in sorted((out / "store").rglob("*.jsonl")) for line in path.open(encoding="utf-8")
    ]
    return [json.loads(line) for line in lines if line.startswith('{"key"')]


@needs_poppler
def test_the_record_says_what_drew_the_page(tmp_path: Path, server: world.FaultyServer) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "a.pdf").write_bytes(world.document("a", 1))
    if (MALFORMED / "pdf-js__bug1250079.pdf").is_file():
        shutil.copy(MALFORMED / "pdf-js__bug1250079.pdf", corpus / "b.pdf")
    assert world.convert(corpus, tmp_path / "one", server.url).code == 0
    engines = {record["engine"] for record in stored(tmp_path / "one")}
    assert engines == ({"pypdfium2", "poppler"} if (corpus / "b.pdf").exists() else {"pypdfium2"})
    assert world.convert(corpus, tmp_path / "two", server.url, "--engine", "poppler").code == 0
    assert {record["engine"] for record in stored(tmp_path / "two")} == {"poppler"}


@needs_poppler
def test_a_page_that_was_unreadable_is_drawn_once_poppler_is_there(
    tmp_path: Path, server: world.FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = MALFORMED / "pdf-js__bug1250079.pdf"
    if not path.is_file():
        pytest.skip("the malformed PDFs are not there")
    plan, store = tmp_path / "plan.parquet", tmp_path / "store"
    drawing.has_poppler.cache_clear()
    plan_corpus(path, 1, plan)
    found = []
    for programs, retry in (("/nowhere", ()), (os.environ["PATH"], ()), (os.environ["PATH"], ("failed",))):
        monkeypatch.setenv("PATH", programs)
        drawing.has_poppler.cache_clear()
        convert_shard(plan, 0, server.url, load(world.ADAPTER), 1, store, tmp_path / "r.json", retry=retry)
        found.append(json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["statuses"])
    drawing.has_poppler.cache_clear()
    assert found == [{"unreadable": 1}, {"unreadable": 1}, {"ok": 1}]


def test_another_box_is_another_reading(tmp_path: Path, server: world.FaultyServer) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(hostile.drawing(b"0 0 50 50 re f", b"[0 0 400 200]", b"/CropBox[0 0 100 100]"))
    for box in ("crop", "media", "crop", "media"):
        assert world.convert(path, tmp_path / "out", server.url, "--box", box).code == 0
    records = stored(tmp_path / "out")
    assert len(records) == len({record["key"] for record in records}) == server.told()["requests"] == 2
    assert len({record["text"] for record in records}) == 2  # the server answers by the image


def test_an_engine_that_is_none_is_refused(tmp_path: Path, server: world.FaultyServer) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(hostile.pages(1))
    for words in (("--engine", "mupdf"), ("--box", "trim")):
        run = world.convert(path, tmp_path / "out", server.url, *words)
        assert run.code == 2 and "must be one of" in run.err
