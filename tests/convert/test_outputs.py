"""Outputs and report, from a store that was filled by hand."""

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scriptorium.convert.outputs.options import parse
from scriptorium.convert.outputs.write import write_outputs
from scriptorium.convert.plan import schema, shard_of
from scriptorium.convert.report import MOST_PROBLEMS, read_rows, write_report
from scriptorium.errors import InputError
from scriptorium.pages.store import Store, content_key

from .outputs.corpus import make

SHARDS = 2
SETTINGS = {"weights": "w", "prompt": "p"}
DOCUMENTS = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("a", "b", "c", "d")}
FRONT = {"primary_language": "en", "is_rotation_valid": True, "rotation_correction": 0}
FRONT |= {"is_table": False, "is_diagram": False}


def row(
    name: str, source: str, page: int, pages: int, status: str = "pending", reason: str = ""
) -> dict[str, Any]:
    shard = shard_of(DOCUMENTS[name], max(page, 1), SHARDS)
    found = {"document": DOCUMENTS[name], "source": source, "page": page, "pages": pages, "shard": shard}
    return found | {"status": status, "reason": reason}


ROWS = [
    *(row("a", "corpus/x/a.pdf", page, 4) for page in (1, 2, 3, 4)),
    row("b", "corpus/x/a.PDF", 1, 1),
    row("c", "corpus/blank.pdf", 1, 1),
    row("d", "corpus/lost.pdf", 1, 1),
    row("d", "corpus/locked.pdf", 0, 0, "unreadable", "encrypted: it wants a password"),
]
READ = [
    ("a", 1, "ok", "One é."),
    ("a", 2, "blank", ""),
    ("a", 3, "gave_up", ""),
    ("a", 4, "fallback_text", "Four."),
    ("b", 1, "ok_rotated", "Other."),
    ("c", 1, "blank", ""),
    ("d", 1, "gave_up", ""),
]


@pytest.fixture
def world(tmp_path: Path) -> dict[str, Any]:
    plan, store = tmp_path / "plan.parquet", tmp_path / "store"
    table = pa.Table.from_pylist(ROWS, schema=schema().with_metadata({"corpus": "corpus"}))
    pq.write_table(table, plan)
    with Store(store).writer("00000") as writer:
        for name, page, status, text in READ:
            measures = {"prompt_tokens": 10, "tokens": 5, "seconds": 0.5, "attempts": 1, "rotation": 0}
            record = {"document": DOCUMENTS[name], "page": page, "text": text, "front": FRONT, **measures}
            writer.append(
                content_key(DOCUMENTS[name], page, SETTINGS), status, {**record, "reason": f"{status}!"}
            )
    receipts = [tmp_path / f"{shard}.json" for shard in range(SHARDS)]
    for path in receipts:
        path.write_text(json.dumps({"settings": SETTINGS}))
    return {"plan": plan, "store": store, "receipts": receipts}


def outputs(world: dict[str, Any], folder: Path, **options: Any) -> dict[str, bytes]:
    write_outputs(**world, folder=folder, options=parse(options, "test"))
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def records(files: dict[str, bytes]) -> dict[str, dict[str, Any]]:
    lines = [
        line for name, data in files.items() if "dolma" in name for line in gzip.decompress(data).splitlines()
    ]
    return {record["metadata"]["Source-File"]: record for record in map(json.loads, lines)}


def test_markdown_has_the_pages_that_were_read(world: dict[str, Any], tmp_path: Path) -> None:
    files = outputs(world, tmp_path / "out")
    assert files["markdown/x/a.md"].decode() == "One é.\n\n<!-- page 3: gave_up -->\n\nFour.\n"
    assert files[f"markdown/x/a-{DOCUMENTS['b'][:8]}.md"].decode() == "Other.\n"
    assert files["markdown/blank.md"] == b""
    assert not any("lost" in name or "locked" in name for name in files)


def test_dolma_spans_cover_the_text(world: dict[str, Any], tmp_path: Path) -> None:
    files = outputs(world, tmp_path / "out")
    assert [name for name in files if "dolma" in name] == ["dolma/00000.jsonl.gz"]
    found = records(files)
    assert set(found) == {"corpus/x/a.pdf", "corpus/x/a.PDF", "corpus/blank.pdf"}
    record = found["corpus/x/a.pdf"]
    assert record["text"] == "One é.\nFour."
    spans = record["attributes"]["pdf_page_numbers"]
    assert [record["text"][start:end] for start, end, _ in spans] == ["One é.\n", "", "", "Four."]
    assert [page for _, _, page in spans] == [1, 2, 3, 4]
    assert record["attributes"]["page_status"] == ["ok", "blank", "gave_up", "fallback_text"]
    assert record["attributes"]["primary_language"] == ["en"] * 4
    meta = record["metadata"]
    assert (meta["pdf-total-pages"], meta["total-fallback-pages"]) == (4, 1)
    assert (meta["total-input-tokens"], meta["total-output-tokens"]) == (40, 20)
    assert len({record["id"] for record in found.values()}) == 3


def test_outputs_have_the_same_bytes_again(world: dict[str, Any], tmp_path: Path) -> None:
    assert outputs(world, tmp_path / "one") == outputs(world, tmp_path / "two")


def test_outputs_replace_old_ones(world: dict[str, Any], tmp_path: Path) -> None:
    stale = tmp_path / "out" / "markdown" / "stale.md"
    stale.parent.mkdir(parents=True)
    stale.write_text("old")
    assert "markdown/stale.md" not in outputs(world, tmp_path / "out")


def test_report_has_a_row_for_everything(world: dict[str, Any], tmp_path: Path) -> None:
    report = write_report(**world, out=tmp_path / "report.json")
    assert report == json.loads((tmp_path / "report.json").read_text())
    rows = list(read_rows(tmp_path / "report.json"))
    assert len(rows) == len(ROWS)
    assert report["statuses"] == {
        "blank": 2,
        "fallback_text": 1,
        "gave_up": 2,
        "ok": 1,
        "ok_rotated": 1,
        "unreadable": 1,
    }
    assert (report["files"], report["pages"]) == (5, 7)
    assert rows[2]["reason"] == "gave_up!"
    assert rows[-1]["reason"] == "encrypted: it wants a password"
    assert report["problems"] == [rows[2], *rows[-2:]]
    assert report["first"]["gave_up"] == rows[2] and report["first"]["ok"] == rows[0]
    assert (report["tokens"], report["prompt_tokens"], report["seconds"]) == (35, 70, 3.5)


def test_a_report_stays_small_and_its_rows_are_all_there(tmp_path: Path) -> None:
    made = make(tmp_path / "c", [(f"corpus/{n}.pdf", [("gave_up", ""), ("ok", "x")]) for n in range(300)])
    report = write_report(
        made / "plan.parquet", made / "store", [made / "shards" / "00000.json"], tmp_path / "report.json"
    )
    assert (report["files"], report["pages"]) == (300, 600)
    assert report["statuses"] == {"gave_up": 300, "ok": 300}
    assert len(report["problems"]) == MOST_PROBLEMS
    assert sum(1 for _ in read_rows(tmp_path / "report.json")) == 600


def test_a_file_that_is_named_thrice_counts_thrice(world: dict[str, Any], tmp_path: Path) -> None:
    """As in the estimate: what is told before a run and after it agrees."""
    twins = [row("a", "corpus/a.pdf", 0, 4, "duplicate", "same bytes as corpus/a.pdf")] * 2
    plan = tmp_path / "twins.parquet"
    rows = [row("a", "corpus/a.pdf", 1, 4), *twins]
    pq.write_table(pa.Table.from_pylist(rows, schema=schema()), plan)
    report = write_report(**world | {"plan": plan}, out=tmp_path / "report.json")
    assert (report["files"], report["pages"]) == (3, 1)


def test_a_page_without_a_result_is_pending(world: dict[str, Any], tmp_path: Path) -> None:
    for path in world["receipts"]:
        path.write_text(json.dumps({"settings": {"weights": "other"}}))
    report = write_report(**world, out=tmp_path / "report.json")
    assert report["statuses"] == {"pending": 7, "unreadable": 1}


def test_shards_read_with_different_settings_are_refused(world: dict[str, Any], tmp_path: Path) -> None:
    world["receipts"][1].write_text(json.dumps({"settings": {"weights": "other"}}))
    with pytest.raises(InputError, match=r"1\.json"):
        write_outputs(**world, folder=tmp_path / "out")
