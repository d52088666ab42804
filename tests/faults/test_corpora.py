"""Corpora with files that are not as they should be: broken, gone, changed, and with names that hurt."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from . import world
from .conftest import Truth
from .truth import true_texts
from .world import FaultyServer

NAMES = [
    "new\nline.pdf",
    "comma, and; semicolon.pdf",
    "a::b.pdf",
    "a::b::1.pdf",
    "emoji 🦉📜.pdf",
    "C:\\scans\\one.pdf",
    "quote'\"`$(x).pdf",
    "tab\there.pdf",
    " blanks at both ends .pdf ",
    "-dash.pdf",
    "~tilde.pdf",
    "#hash?query&x=%20.pdf",
    "<b>bold<b>.pdf",
    "ligatur\u00e9 and ligature\u0301.pdf",
    "\u202eright to left.pdf",
    "page.md",
    "no suffix",
    "capital.PDF",
    "capital.pdf",
    "L" * 251 + ".pdf",
    "M" * 255,
    "Ж" * 125 + ".pdf",
    "..pdf.pdf",
    "CON.pdf",
]
"""File names that are right on Linux and hurt whoever joins, splits or quotes them."""


def by_source(out: Path) -> dict[str, list[str]]:
    """The texts of each document's pages by the name of its file."""
    return {r["metadata"]["Source-File"]: world.page_texts(r) for r in world.records(out)}


def test_names_that_hurt(tmp_path: Path, server: FaultyServer) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    files = [corpus / name for name in NAMES]
    for number, path in enumerate(files):
        path.write_bytes(world.document(f"n{number}", 1))
    run = world.convert(corpus, tmp_path / "out", server.url)
    hidden = {path for path in files if path.name.startswith(".")}
    assert run.code == 0, run.err
    expected = {path.as_posix(): true_texts(path, world.ADAPTER) for path in files if path not in hidden}
    assert by_source(tmp_path / "out") == expected
    texts = [p.read_text("utf-8").strip() for p in (tmp_path / "out" / "markdown").rglob("*") if p.is_file()]
    assert sorted(texts) == sorted(text for (text,) in expected.values())
    assert {row["source"] for row in world.report(tmp_path / "out")["rows"]} == expected.keys()


def test_one_base_name_in_many_folders(tmp_path: Path, server: FaultyServer) -> None:
    """Each text under its own name; the same bytes twice are read once."""
    corpus = tmp_path / "corpus"
    for number, folder in enumerate(("x", "y", "x/doc.pdf.d", "z")):
        (corpus / folder).mkdir(parents=True)
        (corpus / folder / "doc.pdf").write_bytes(world.document(f"b{number}", 1 + number))
    shutil.copy(corpus / "x" / "doc.pdf", corpus / "z" / "copy.pdf")
    run = world.convert(corpus, tmp_path / "out", server.url)
    assert run.code == 0, run.err
    found = by_source(tmp_path / "out")
    assert len(found) == 4 and server.told()["requests"] == 10
    for path in corpus.rglob("doc.pdf"):
        assert found[path.as_posix()] == true_texts(path, world.ADAPTER)
        written = (tmp_path / "out" / "markdown" / path.relative_to(corpus)).with_suffix(".md")
        assert written.read_text("utf-8") == "\n\n".join(found[path.as_posix()]) + "\n"
    (copy,) = [r for r in world.report(tmp_path / "out")["rows"] if r["status"] == "duplicate"]
    assert copy["source"].endswith("z/copy.pdf") and "x/doc.pdf" in copy["reason"]


def test_one_corrupt_file_among_fifty(tmp_path: Path, server: FaultyServer) -> None:
    corpus = world.make_corpus(tmp_path / "corpus", documents=50, pages=1)
    bad = corpus / "part-1" / "document-025.pdf"
    bad.write_bytes(b"%PDF-1.7\n" + bytes(range(256)) * 10)
    run = world.convert(corpus, tmp_path / "out", server.url)
    assert run.code == 3
    assert len(list(world.records(tmp_path / "out"))) == 49
    (row,) = [r for r in world.report(tmp_path / "out")["rows"] if r["status"] != "ok"]
    assert row["source"] == bad.as_posix() and row["status"] == "unreadable" and "damaged" in row["reason"]


@pytest.mark.faults
def test_a_source_that_cannot_be_written(truth: Truth, tmp_path: Path, server: FaultyServer) -> None:
    """Nothing is written beside the sources: not a byte, not a time stamp."""
    corpus = tmp_path / "corpus"
    shutil.copytree(truth.corpus, corpus)
    paths = [corpus, *corpus.rglob("*")]
    for path in paths:
        path.chmod(stat.S_IRUSR | (stat.S_IXUSR if path.is_dir() else 0))
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in paths}
    run = world.convert(corpus, tmp_path / "out", server.url)
    after = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in [corpus, *corpus.rglob("*")]}
    for path in paths:
        path.chmod(stat.S_IRWXU)
    assert run.code == 0, run.err
    assert after == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path, server: FaultyServer) -> None:
    corpus = world.make_corpus(tmp_path / "corpus", documents=4, pages=1)
    (corpus / "part-0" / "document-002.pdf").chmod(0)
    assert world.convert(corpus, tmp_path / "out", server.url).code == 3
    rows = {r["source"]: r for r in world.report(tmp_path / "out")["rows"] if r["status"] != "ok"}
    ((source, row),) = rows.items()
    assert source.endswith("document-002.pdf") and "missing" in row["reason"]


def late(server: FaultyServer, corpus: Path, out: Path, change: str) -> tuple[world.Run, Path]:
    """Change the last file of a corpus when its plan is made and its pages are not drawn yet."""
    server.order(hold=True)
    process = world.start(corpus, out, server.url)
    world.until(process, lambda: server.told()["requests"])
    last = sorted(corpus.rglob("*.pdf"))[-1]
    if change == "gone":
        last.rename(last.with_suffix(".away"))
    else:
        last.write_bytes(world.document("other", 3))
    server.order()
    return world.finish(process), last


@pytest.mark.faults
def test_a_file_that_vanishes_after_the_plan(tmp_path: Path, server: FaultyServer) -> None:
    """Its pages are listed with the reason, the others are converted; when it is back it is read."""
    corpus = world.make_corpus(tmp_path / "corpus", documents=70, pages=1)
    run, last = late(server, corpus, tmp_path / "out", "gone")
    assert run.code == 3
    (row,) = [r for r in world.report(tmp_path / "out")["rows"] if r["status"] != "ok"]
    assert row["source"] == last.as_posix() and row["status"] == "pending" and "gone" in row["reason"]
    assert f"{last}, page 1: left pending" in run.err
    last.with_suffix(".away").rename(last)
    run = world.convert(corpus, tmp_path / "out", server.url)
    assert run.code == 0, run.err
    assert by_source(tmp_path / "out")[last.as_posix()] == true_texts(last, world.ADAPTER)
    assert server.told()["requests"] == 70


@pytest.mark.faults
def test_a_file_that_changes_after_the_plan(tmp_path: Path, server: FaultyServer) -> None:
    """No text of the new bytes comes out under the name of the old ones; the next run reads the new ones."""
    corpus = world.make_corpus(tmp_path / "corpus", documents=100, pages=1)
    run, last = late(server, corpus, tmp_path / "out", "changed")
    assert run.code == 3
    (row,) = [r for r in world.report(tmp_path / "out")["rows"] if r["status"] != "ok"]
    assert row["source"] == last.as_posix() and row["status"] == "pending" and "changed" in row["reason"]
    assert f"{last}, page 1: left pending" in run.err
    run = world.convert(corpus, tmp_path / "out", server.url)
    assert run.code == 0, run.err
    assert by_source(tmp_path / "out")[last.as_posix()] == true_texts(last, world.ADAPTER)
