"""Page images with transcripts, in tables of every kind, as pairs."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from scriptorium.errors import ConfigError, InputError
from scriptorium.mix.hub import unpack
from scriptorium.mix.pairs import kept_pages
from scriptorium.mix.transcripts import Fields, read_fields, transcript_pairs
from scriptorium.pages import front_matter
from scriptorium.pages.pdf import PdfWorker

from .made import TEXT, index, pdf, reasons

LETTER = "My dear brother, the winter has been long and the mill stands still."


def image(shade: int, kind: str = "PNG", size: tuple[int, int] = (60, 40)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (shade, shade, shade)).save(file, kind)
    return file.getvalue()


def table(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter="\t" if path.suffix == ".tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
    return path


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_a_table_of_any_kind(tmp_path: Path, kind: str) -> None:
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "a.png").write_bytes(image(10))
    (tmp_path / "scans" / "b.jpg").write_bytes(image(20, "JPEG"))
    (tmp_path / "scans" / "c.pdf").write_bytes(pdf(3))
    rows = [
        {"File": "scans/a.png", "Said": LETTER + "\r\n", "State": "done", "Page": ""},
        {"File": "scans/b.jpg", "Said": "", "State": "done", "Page": ""},
        {"File": "scans/c.pdf", "Said": TEXT, "State": "done", "Page": "2"},
        {"File": "scans/a.png", "Said": "a draft", "State": "open", "Page": ""},
    ]
    fields = Fields(image="File", text="Said", page="Page", where={"State": "done"}, default_language="en")
    found = transcript_pairs([table(tmp_path / f"t.{kind}", rows)], tmp_path / "out", fields)
    assert found == {"kept": 3, "rejected": 0}
    texts = {
        row["source"]: (tmp_path / "out" / row["md"]).read_text() for row in kept_pages(tmp_path / "out")
    }
    assert front_matter.decode(texts["scans/a.png"]) == (front_matter.FrontMatter("en"), LETTER)
    assert texts["scans/b.jpg"].endswith("\n---")
    assert texts["scans/c.pdf"] == TEXT
    [page] = [row["pdf"] for row in kept_pages(tmp_path / "out") if row["source"] == "scans/c.pdf"]
    with PdfWorker() as worker:
        assert worker.pages(tmp_path / "out" / page)[0].width == 102


FAULTS = {
    "missing": ({"image": "gone.png", "text": "x"}, "image missing"),
    "URL": ({"image": "https://example.org/x.png", "text": "x"}, "image missing"),
    "leaves": ({"image": "../../x.png", "text": "x"}, "image missing"),
    "no path": ({"image": None, "text": "x"}, "image missing"),
    "torn": ({"image": "torn.png", "text": "x"}, "page damaged"),
    "no image": ({"image": "notes.txt", "text": "x"}, "page not_a_pdf"),
    "twice": ({"image": "good.png", "text": "x"}, "page twice"),
    "number": ({"image": "b.png", "text": 5}, "text missing"),
    "surrogate": ({"image": "b.png", "text": "\ud800"}, "truth not decoded"),
    "unclosed head": ({"image": "b.png", "text": "---\nprimary_language: en\nis_"}, "truth not decoded"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_faulty_row_costs_no_neighbour(tmp_path: Path, case: str) -> None:
    row, reason = FAULTS[case]
    for name, content in {"good.png": image(1), "b.png": image(2), "torn.png": image(3)[:40]}.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "notes.txt").write_text("no image")
    rows = table(tmp_path / "t.jsonl", [{"image": "good.png", "text": LETTER}, row])
    assert transcript_pairs([rows], tmp_path / "out") == {"kept": 1, "rejected": 1}
    [found] = [each for each in reasons(tmp_path / "out").values() if each]
    assert found == reason
    assert str(tmp_path) not in " ".join(each["reason"] for each in index(tmp_path / "out").values())


def test_images_inside_a_table_of_the_hub(tmp_path: Path) -> None:
    rows = [
        {
            "image": {"bytes": image(shade), "path": None},
            "markdown": f"# Page {shade}\n\n{LETTER}",
            "language": "en",
        }
        | {"doc_id": "one"}
        for shade in (10, 20)
    ]
    table(tmp_path / "set" / "data" / "train-00000-of-00001.parquet", rows)
    unpack(tmp_path / "set", "train", tmp_path / "out")
    found = kept_pages(tmp_path / "out")
    assert [row["group"] for row in found] == ["one", "one"]
    with PdfWorker() as worker:
        shades = {int(worker.render(tmp_path / "out" / row["pdf"], 1, 50)[5, 5, 0]): row for row in found}
    for shade, row in shades.items():
        near = min((10, 20), key=lambda each: abs(each - shade))
        assert f"# Page {near}" in (tmp_path / "out" / row["md"]).read_text()
    assert len(shades) == 2
    with pytest.raises(InputError, match="test"):
        unpack(tmp_path / "set", "test", tmp_path / "out")


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    rows = table(tmp_path / "t.csv", [{"Asset": "a.png", "Transcription": "x"}])
    with pytest.raises(InputError, match=r"'image'.*Asset, Transcription"):
        transcript_pairs([rows], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "fields.yaml").write_text("image: Asset\ntxt: Transcription\n")
    with pytest.raises(ConfigError, match="txt"):
        read_fields(tmp_path / "fields.yaml")
