"""Pairs out of converted corpora and workspaces: only whole answers of a model, upright."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scriptorium.errors import ConfigError, InputError
from scriptorium.files import sha256_file
from scriptorium.mix.pairs import kept_pages
from scriptorium.mix.store_pairs import store_pairs, workspace_pairs
from scriptorium.pages import front_matter
from scriptorium.pages.pdf import PdfWorker
from scriptorium.pages.store import Store, content_key

from .made import index, pdf, reasons

SETTINGS = {"prompt": "p", "weights": "w"}
FRONT = {
    "primary_language": "en",
    "is_rotation_valid": True,
    "rotation_correction": 0,
    "is_table": False,
    "is_diagram": False,
}


def corpus(folder: Path, source: Path, records: list[dict[str, Any] | None]) -> Path:
    """A converted corpus of one document; a record that is None is a page that is still pending."""
    document = sha256_file(source)
    rows = [
        {"document": document, "source": str(source), "page": page, "status": "pending", "member": ""}
        for page in range(1, len(records) + 1)
    ]
    (folder / "shards").mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / "plan.parquet")
    (folder / "shards" / "00000.json").write_text(json.dumps({"settings": SETTINGS}))
    with Store(folder / "store").writer("x") as writer:
        for page, record in enumerate(records, 1):
            if record:
                told = {"text": "ink", "front": FRONT, "rotation": 0, "mean_logprob": None} | record
                writer.append(content_key(document, page, SETTINGS), told.pop("status"), told)
    return folder


def test_only_whole_answers_of_the_model_are_learnt(tmp_path: Path) -> None:
    source = tmp_path / "two words.pdf"
    source.write_bytes(pdf(8))
    records = [
        {"status": "ok", "text": "ink\r\non paper "},
        {"status": "blank", "text": "", "front": None},
        {"status": "fallback_text"},
        {"status": "salvaged", "reason": "cut off (length)"},
        {"status": "gave_up", "reason": "no text"},
        None,
        {"status": "ok", "front": None},
        {"status": "ok_rotated", "rotation": 90},
    ]
    found = store_pairs(corpus(tmp_path / "corpus", source, records), tmp_path / "out")
    assert found == {"kept": 3, "rejected": 5}
    name = f"two_words-{sha256_file(source)[:8]}"
    rows = index(tmp_path / "out")
    assert {key for key, row in rows.items() if row["verdict"] == "kept"} == {
        f"{name}_pg{n}" for n in (1, 2, 8)
    }
    said = [rows[f"{name}_pg{page}"]["reason"] for page in (3, 4, 5, 6, 7)]
    assert [reason.partition(":")[0] for reason in said] == [
        "status fallback_text",
        "status salvaged",
        "status gave_up",
        "status pending",
        "status ok",
    ]
    assert "cut off" in said[1]
    text = (tmp_path / "out" / "pdfs" / f"{name}_pg1.md").read_text()
    assert front_matter.decode(text)[1] == "ink\non paper" and text.endswith("paper")
    with PdfWorker() as worker:
        [size] = worker.pages(tmp_path / "out" / "pdfs" / f"{name}_pg8.pdf")
        assert (size.width, size.height) == (50, 108)  # it was 108 wide and 50 high
        [size] = worker.pages(tmp_path / "out" / "pdfs" / f"{name}_pg1.pdf")
        assert (size.width, size.height) == (101, 50)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_page_is_turned_the_way_it_was_read(tmp_path: Path, degrees: int) -> None:
    typst = pytest.importorskip("typst")
    source = tmp_path / "x.pdf"
    source.write_bytes(typst.compile(b"#set page(width: 90pt, height: 60pt)\n= F", format="pdf"))
    store_pairs(
        corpus(tmp_path / "corpus", source, [{"status": "ok_rotated", "rotation": degrees}]), tmp_path / "out"
    )
    [row] = kept_pages(tmp_path / "out")
    with PdfWorker() as worker:
        seen = worker.render(source, 1, 90)
        made = worker.render(tmp_path / "out" / row["pdf"], 1, 90)
    expected = np.rot90(seen, degrees // 90)
    assert made.shape == expected.shape
    right, upside_down = (np.abs(image.astype(int) - expected).mean() for image in (made, np.rot90(made, 2)))
    assert right < upside_down / 2


def test_confidence(tmp_path: Path) -> None:
    source = tmp_path / "x.pdf"
    source.write_bytes(pdf(4))
    records: list[dict[str, Any] | None] = [
        {"status": "ok", "mean_logprob": value} for value in (-0.1, -0.9, None)
    ]
    folder = corpus(tmp_path / "corpus", source, [*records, {"status": "blank", "front": None, "text": ""}])
    store_pairs(folder, tmp_path / "out", -0.5)
    assert sorted(reasons(tmp_path / "out").values()) == ["", "", "confidence missing", "confidence too low"]


def test_a_document_that_changed_or_went_is_no_pair(tmp_path: Path) -> None:
    source = tmp_path / "x.pdf"
    source.write_bytes(pdf())
    folder = corpus(tmp_path / "corpus", source, [{"status": "ok"}])
    source.write_bytes(pdf(2))
    store_pairs(folder, tmp_path / "one")
    source.unlink()
    store_pairs(folder, tmp_path / "two")
    assert [*reasons(tmp_path / "one").values(), *reasons(tmp_path / "two").values()] == [
        "document changed",
        "document missing",
    ]
    with pytest.raises(ConfigError, match="is there already"):
        store_pairs(folder, tmp_path / "one")
    with pytest.raises(InputError, match="shards"):
        store_pairs(tmp_path, tmp_path / "three")


def record(source: str, texts: list[str], fallbacks: int = 0, **more: Any) -> dict[str, Any]:
    spans, text = [], ""
    for page, each in enumerate(texts, 1):
        piece = each + ("\n" if page < len(texts) else "")
        spans.append([len(text), len(text) + len(piece), page])
        text += piece
    attributes = {"pdf_page_numbers": spans} | {key: [value] * len(texts) for key, value in FRONT.items()}
    metadata = {"Source-File": source, "total-fallback-pages": fallbacks}
    return {"id": "1", "text": text, "metadata": metadata, "attributes": attributes | more}


def test_a_workspace_gives_its_pages_and_no_fallbacks(tmp_path: Path) -> None:
    for name, count in {"a.pdf": 2, "b.pdf": 1, "c.pdf": 2}.items():
        (tmp_path / name).write_bytes(pdf(count) + name.encode())
    lines = [
        record(str(tmp_path / "a.pdf"), ["old", "old"]),
        record("s3://bucket/deep/b.pdf", ["the same text"], 1),
        record("c.pdf", ["the same text", "more"], 1, page_status=["ok", "fallback_text"]),
        record("s3://bucket/gone.pdf", ["x"]),
        record(str(tmp_path / "a.pdf"), ["first", ""]),
    ]
    (tmp_path / "work" / "results").mkdir(parents=True)
    (tmp_path / "work" / "results" / "o.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = workspace_pairs(tmp_path / "work", tmp_path / "out", tmp_path)
    assert found == {"kept": 3, "rejected": 3}
    rows = kept_pages(tmp_path / "out")
    texts = [(row["page"], (tmp_path / "out" / row["md"]).read_text()) for row in rows]
    assert [(page, front_matter.decode(text)[1]) for page, text in texts] == [
        (1, "first"),
        (2, None),
        (1, "the same text"),
    ]
    assert sorted(filter(None, reasons(tmp_path / "out").values())) == [
        "document missing",
        "fallback",
        "status fallback_text",
    ]
