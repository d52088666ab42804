"""Workspaces of olmOCR pipelines, taken over."""

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard
from typer.testing import CliRunner

from scriptorium.cli import app
from scriptorium.convert.importing import import_workspace
from scriptorium.convert.report import read_rows, write_report
from scriptorium.errors import ConfigError, InputError, PartialError
from scriptorium.pages.workspace import groups, results

from .corpus import files, write

FRONT = ("primary_language", "is_rotation_valid", "rotation_correction", "is_table", "is_diagram")


def document(source: str, pages: list[str], fallbacks: int = 0) -> dict[str, Any]:
    """A record as olmOCR writes it."""
    text, spans = "", []
    for number, page in enumerate(pages, 1):
        start = len(text)
        text += page + ("\n" if page and number < len(pages) else "")
        spans.append([start, len(text), number])
    counts = {"pdf-total-pages": len(pages), "total-input-tokens": 70, "total-output-tokens": 7}
    values = dict(zip(FRONT, ("en", True, 0, False, False), strict=True))
    return {
        "id": hashlib.sha1(text.encode()).hexdigest(),
        "text": text,
        "source": "olmocr",
        "added": "2026-01-02",
        "created": "2026-01-02",
        "metadata": {
            "Source-File": source,
            "olmocr-version": "0.4.27",
            **counts,
            "total-fallback-pages": fallbacks,
        },
        "attributes": {
            "pdf_page_numbers": spans,
            **{key: [value] * len(pages) for key, value in values.items()},
        },
    }


def workspace(
    folder: Path, documents: list[dict[str, Any]], groups: dict[str, list[str]], done: list[str]
) -> Path:
    for name in ("results", "done_flags"):
        (folder / name).mkdir(parents=True)
    (folder / "results/output_1.jsonl").write_text("".join(json.dumps(each) + "\n" for each in documents))
    (folder / "results/output_2.jsonl").write_text("")
    rows = "".join(",".join([name, *sources]) + "\n" for name, sources in groups.items())
    (folder / "work_index_list.csv.zstd").write_bytes(zstandard.compress(rows.encode()))
    for name in done:
        (folder / "done_flags" / f"done_{name}.flag").touch()
    return folder


DOCUMENTS = [
    document("s3://b/k/a.pdf", ["One é 🎉\n\ntwo", "", "three"]),
    document("/d/books.tar.gz::in/b.pdf", ["tail\n"], fallbacks=1),
]
GROUPS = {"g1": ["s3://b/k/a.pdf", '"/d/lost, it.pdf"'], "g2": ["/d/books.tar.gz::in/b.pdf", "later.pdf"]}


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    return workspace(tmp_path / "w", DOCUMENTS, GROUPS, ["g1"])


def test_what_was_converted_comes_out_again_to_the_byte(theirs: Path, tmp_path: Path) -> None:
    assert import_workspace(theirs, tmp_path / "o") == {
        "blank": 1,
        "fallback_text": 1,
        "gave_up": 1,
        "ok": 2,
        "pending": 1,
    }
    write(tmp_path / "o", tmp_path / "o", formats=["dolma", "markdown"], dolma_compat=True, date="2026-01-02")
    found = files(tmp_path / "o")
    assert found["dolma/00000.jsonl"] == (theirs / "results/output_1.jsonl").read_bytes()
    assert found["markdown/b/k/a.md"].decode() == "One é 🎉\n\ntwo\n\nthree\n"
    assert found["markdown/d/books.tar.gz/in/b.md"].decode() == "tail\n"


def test_sources_without_a_result_have_a_row_with_a_reason(theirs: Path, tmp_path: Path) -> None:
    out = tmp_path / "o"
    import_workspace(theirs, out)
    write_report(out / "plan.parquet", out / "store", [out / "shards/00000.json"], out / "report.json")
    lost = {
        row["source"]: (row["status"], row["reason"])
        for row in read_rows(out / "report.json")
        if row["page"] == 0
    }
    assert lost == {
        "/d/lost, it.pdf": ("gave_up", "no result in the workspace; dropped: its group is done"),
        "later.pdf": ("pending", "no result in the workspace; its group was not done"),
    }


def test_of_two_results_for_a_source_the_later_counts(tmp_path: Path) -> None:
    twice = [document("a.pdf", ["old", "old"]), document("a.pdf", ["new"])]
    import_workspace(workspace(tmp_path / "w", twice, {}, []), tmp_path / "o")
    write(tmp_path / "o", tmp_path / "o", formats=["markdown"])
    assert (tmp_path / "o/markdown/a.md").read_text() == "new\n"


def test_the_reader_takes_every_compression(tmp_path: Path) -> None:
    line = json.dumps(DOCUMENTS[0]).encode() + b"\n"
    for name, data in (
        ("jsonl", line),
        ("jsonl.gz", gzip.compress(line)),
        ("jsonl.zst", zstandard.compress(line)),
    ):
        folder = tmp_path / name
        folder.mkdir()
        (folder / f"x.{name}").write_bytes(data)
        assert [page.text for result in results(folder) for page in result.pages] == [
            "One é 🎉\n\ntwo",
            "",
            "three",
        ]
        assert groups(folder) == []


def test_half_a_surrogate_pair_does_not_end_the_import(tmp_path: Path) -> None:
    odd = DOCUMENTS[0] | {"text": "x\udc00y", "attributes": {}}
    import_workspace(workspace(tmp_path / "w", [odd], {}, []), tmp_path / "o")
    write(tmp_path / "o", tmp_path / "o", formats=["markdown"])
    assert (tmp_path / "o/markdown/b/k/a.md").read_text(encoding="utf-8") == "x\ufffdy\n"


def test_what_is_no_workspace_is_refused(theirs: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no results/\*\.jsonl"):
        import_workspace(tmp_path, tmp_path / "o")
    (theirs / "work_index_list.csv.zstd").write_bytes(b"no zstd")
    with pytest.raises(InputError, match="work_index_list"):
        import_workspace(theirs, tmp_path / "o")
    (theirs / "results/output_2.jsonl").write_text("{}\n")
    with pytest.raises(InputError, match=r"output_2\.jsonl:1: not a document"):
        import_workspace(theirs, tmp_path / "o")
    assert not (tmp_path / "o").exists()
    with pytest.raises(ConfigError, match="new folder"):
        import_workspace(theirs, theirs)


def test_the_commands(theirs: Path, tmp_path: Path) -> None:
    out = tmp_path / "o"
    done = CliRunner().invoke(app, ["import-workspace", str(theirs), "--out", str(out), "--format", "text"])
    assert done.exit_code == 0, done.output
    assert "2 ok" in done.output and (out / "text/b/k/a.txt").is_file() and (out / "report.json").is_file()
    done = CliRunner().invoke(app, ["outputs", str(out), "--format", "html", "--format", "json", "--join"])
    assert isinstance(done.exception, PartialError) and "1 pages are pending" in str(done.exception)
    assert (out / "html/b/k/a.html").is_file() and (out / "text/b/k/a.txt").is_file()
    with pytest.raises(InputError, match="shards"):
        CliRunner().invoke(app, ["outputs", str(theirs)], catch_exceptions=False)
