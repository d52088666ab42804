"""A corpus whose truth is known, converted by the real command: what comes out is what is on the pages.

The server knows a page by its pixels alone, so a page that is drawn twice, left out or taken for another one
shows in the outputs. What is expected is made here from the truth, not with the code under test.
"""

import gzip
import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scriptorium.pages.pdf import PdfWorker

from ..faults import world
from ..faults.test_server import PASSING
from ..faults.truth import page_hashes
from ..serve.conftest import model_folder  # noqa: F401 (a fixture)

PAGES, SEED = 40, 7
FORMATS = ("dolma", "markdown", "json", "html", "text", "parquet")
ALL = [word for name in FORMATS for word in ("--format", name)]
PDFS = world.ROOT.parent / "shared" / "data" / "pdfs"
PDF_PAGES = 131
"""Pages of the files in PDFS, counted by hand-run pdfinfo."""


@dataclass(frozen=True)
class Known:
    """A generated corpus: for each document the true Markdown of its pages, and the answers file of a server."""

    corpus: Path
    bodies: dict[str, list[str]]
    answers: Path


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    """Forty generated pages with headings, tables, running heads and page numbers."""
    pytest.importorskip("typst", reason="typst draws the generated pages")
    from scriptorium.synth.shard import make_shard

    folder = tmp_path_factory.mktemp("known") / "shard"
    make_shard("primer", "primer", "corpus", 0, PAGES, SEED, folder)
    truths: dict[str, list[str]] = {}
    for line in (folder / "pages.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        truths.setdefault(row["document"], []).append(row["text"])
    corpus, answers = folder / "documents", {}
    for name, texts in truths.items():
        hashes = page_hashes(corpus / f"{name}.pdf", world.ADAPTER)
        answers.update(zip(hashes, texts, strict=True))
    assert len(answers) == PAGES  # no two pages look alike
    file = folder / "answers.json"
    file.write_text(json.dumps(answers), encoding="utf-8")
    bodies = {name: [text.split("\n---\n", 1)[1] for text in texts] for name, texts in truths.items()}
    return Known(corpus, bodies, file)


@pytest.fixture
def server(known: Known) -> Iterator[world.FaultyServer]:
    """A server that knows the truth, without a fault so far."""
    with world.FaultyServer(answers=known.answers) as running:
        yield running


@pytest.fixture(scope="module")
def undisturbed(known: Known, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The outputs of a run without a fault."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    with world.FaultyServer(answers=known.answers) as running:
        run = world.convert(known.corpus, out, running.url, *ALL)
        assert set(running.told()["visits"].values()) == {1}
    assert run.code == 0, run.err
    return out


def files(out: Path, *formats: str) -> dict[str, bytes]:
    """All output files of these formats by name."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for name in formats
        for path in sorted((out / name).rglob("*"))
        if path.is_file()
    }


def records(out: Path) -> dict[str, dict[str, Any]]:
    """The Dolma records by the name of the document."""
    lines = gzip.decompress((out / "dolma" / "00000.jsonl.gz").read_bytes()).decode().splitlines()
    found = {Path(json.loads(line)["metadata"]["Source-File"]).stem: json.loads(line) for line in lines}
    assert len(found) == len(lines)
    return found


def words(text: str) -> list[str]:
    """The words of Markdown or HTML, without marks."""
    plain = html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<(title|style)>.*?</\1>", "", text)))
    return [word for word in plain.split() if word not in ("#", "-")]


def test_every_page_is_accounted_for(known: Known, undisturbed: Path) -> None:
    report = world.report(undisturbed)
    assert report["statuses"] == {"ok": PAGES} and report["pages"] == PAGES
    rows = [(Path(row["source"]).stem, row["page"]) for row in report["rows"]]
    assert rows == [
        (name, page) for name in sorted(known.bodies) for page in range(1, len(known.bodies[name]) + 1)
    ]


def test_dolma_is_the_truth(known: Known, undisturbed: Path) -> None:
    """Text and spans: a page's text and one newline, none after the last."""
    found = records(undisturbed)
    assert found.keys() == known.bodies.keys()
    for name, bodies in known.bodies.items():
        assert found[name]["text"] == "\n".join(bodies)
        spans = found[name]["attributes"]["pdf_page_numbers"]
        assert [page for _, _, page in spans] == list(range(1, len(bodies) + 1))
        pieces = [found[name]["text"][start:end] for start, end, _ in spans]
        assert pieces == [f"{body}\n" for body in bodies[:-1]] + [bodies[-1]]
        assert found[name]["attributes"]["is_table"] == ["<table>" in body for body in bodies]
        assert found[name]["metadata"]["pdf-total-pages"] == len(bodies)


def test_markdown_is_the_truth(known: Known, undisturbed: Path) -> None:
    expected = {f"markdown/{name}.md": "\n\n".join(each) + "\n" for name, each in known.bodies.items()}
    assert files(undisturbed, "markdown") == {name: text.encode() for name, text in expected.items()}


def test_json_and_parquet_are_the_truth(known: Known, undisturbed: Path) -> None:
    import pyarrow.parquet as pq

    expected = {
        (name, page): body for name, bodies in known.bodies.items() for page, body in enumerate(bodies, 1)
    }
    rows = pq.read_table(undisturbed / "parquet").to_pylist()
    assert {(Path(row["source"]).stem, row["page"]): row["text"] for row in rows} == expected
    for (name, page), body in expected.items():
        told = json.loads((undisturbed / "json" / f"{name}_pg{page}.json").read_text(encoding="utf-8"))
        assert told["text"] == body and told["status"] == "ok" and told["page"] == page
        assert told["pages"] == len(known.bodies[name]) and told["is_table"] == ("<table>" in body)
    assert len(files(undisturbed, "json")) == len(rows) == PAGES


@pytest.mark.parametrize(("folder", "ending"), [("html", "html"), ("text", "txt")])
def test_html_and_text_have_the_words_of_the_truth(
    known: Known, undisturbed: Path, folder: str, ending: str
) -> None:
    for name, bodies in known.bodies.items():
        found = (undisturbed / folder / f"{name}.{ending}").read_text(encoding="utf-8")
        assert words(found) == words("\n".join(bodies))


@pytest.mark.parametrize(
    "rules",
    [
        [PASSING["503"] | {"seconds": 0.4}],
        [
            PASSING["reset"] | {"visits": 1, "share": [0, 8]},
            PASSING["length-too-long"] | {"visits": 1, "share": [1, 8]},
        ],
    ],
    ids=["503", "cut-on-the-line"],
)
def test_faults_of_the_line_change_no_byte(
    known: Known, undisturbed: Path, tmp_path: Path, server: world.FaultyServer, rules: list[dict[str, Any]]
) -> None:
    server.order(rules=rules)
    run = world.convert(known.corpus, tmp_path / "out", server.url, *ALL)
    assert run.code == 0, run.err
    assert sum(server.told()["played"].values()) >= 4
    assert files(tmp_path / "out", *FORMATS) == files(undisturbed, *FORMATS)
    assert world.report(tmp_path / "out")["statuses"] == {"ok": PAGES}


def test_answers_cut_by_the_model_change_no_text(
    known: Known, undisturbed: Path, tmp_path: Path, server: world.FaultyServer
) -> None:
    """Each page's first answer ends too early: the second is the truth. Attempts and tokens say so."""
    server.order(rules=[{"fault": "truncated", "visits": 1}])
    run = world.convert(known.corpus, tmp_path / "out", server.url, *ALL)
    assert run.code == 0, run.err
    whole = ("markdown", "html", "text")
    assert files(tmp_path / "out", *whole) == files(undisturbed, *whole)
    calm, cut = records(undisturbed), records(tmp_path / "out")
    assert {name: each["text"] for name, each in cut.items()} == {
        name: each["text"] for name, each in calm.items()
    }
    for name, bodies in known.bodies.items():
        one, other = calm[name]["attributes"], cut[name]["attributes"]
        assert one.pop("page_attempts") == [1] * len(bodies) and other.pop("page_attempts") == [2] * len(
            bodies
        )
        assert one == other


@pytest.mark.slow
def test_transformers_serve_reads_every_page(model_folder: Path, tmp_path: Path) -> None:  # noqa: F811
    """A real server, a model that says noise: each page has a final status, and text layers stand in whole."""
    if not PDFS.is_dir():
        pytest.skip("the sample PDFs are not there")
    adapter = tmp_path / "short.yaml"
    tiny = (world.ROOT / "config" / "models" / "tiny.yaml").read_text(encoding="utf-8")
    adapter.write_text(tiny.replace("max_tokens: 130", "max_tokens: 12"), encoding="utf-8")
    words = ["convert", str(PDFS), "--out", str(tmp_path / "out"), "--model", str(model_folder)]
    run = world.finish(world.command(*words, "--adapter", str(adapter), "--threads", "1"))
    assert run.code in (0, 3), run.err
    rows = world.report(tmp_path / "out")["rows"]
    read = [row for row in rows if row["page"]]
    assert len(read) == PDF_PAGES == len({(row["document"], row["page"]) for row in read})
    assert not [row for row in rows if row["status"] == "pending"]
    pages = {record["metadata"]["Source-File"]: record for record in world.records(tmp_path / "out")}
    fallbacks = [row for row in read if row["status"] == "fallback_text"]
    assert fallbacks
    with PdfWorker() as pdf:
        for row in fallbacks:
            text = pdf.text(Path(row["source"]), row["page"]).replace("\r\n", "\n").replace("\r", "\n")
            assert world.page_texts(pages[row["source"]])[row["page"] - 1] == text.strip()
