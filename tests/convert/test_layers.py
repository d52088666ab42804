"""A page's text layer beside the model: fallback, preference, signals; real files, a scripted server."""

from pathlib import Path

import pytest

from scriptorium.convert.layers import ENGINE
from scriptorium.convert.plan import plan_corpus
from scriptorium.convert.shard import convert_shard, settings_of
from scriptorium.files import read_jsonl
from scriptorium.pages.front_matter import FrontMatter, encode
from scriptorium.serve.adapter import load

from ..serve.scripted import ScriptedServer, answer, in_turn

PDFS = Path(__file__).parents[3] / "shared" / "data" / "pdfs"
GOOD, EMPTY = answer(encode(FrontMatter(), "What the page says.")), answer("")
TINY = load("tiny")


def convert(
    folder: Path, names: list[str], reply: object, text_layer: str = "fallback"
) -> tuple[list[dict], int]:
    """The records of the first pages of some sample files, and how many requests were made."""
    if not PDFS.is_dir():
        pytest.skip(f"{PDFS} is missing")
    folder.mkdir()
    plan_corpus([str(PDFS / name) for name in names], 1, folder / "plan.parquet", pages="1")
    adapter = TINY.model_copy(update={"text_layer": text_layer})
    with ScriptedServer(in_turn(reply)) as server:
        convert_shard(folder / "plan.parquet", 0, server.url, adapter, 1, folder / "store", folder / "0.json")
        asked = len(server.requests)
    return [row for path in sorted((folder / "store").rglob("*.jsonl")) for row in read_jsonl(path)], asked


def test_a_garbled_layer_never_becomes_text(tmp_path: Path) -> None:
    rows, _ = convert(tmp_path / "o", ["dolma-page-1.pdf", "edgar.pdf"], EMPTY)
    garbled, good = sorted(rows, key=lambda row: row["status"], reverse=True)
    assert garbled["status"] == "gave_up" and garbled["text"] == ""
    assert "its text layer is garbled" in garbled["reason"] and "layer_fault" in garbled["signals"]
    assert good["status"] == "fallback_text" and "Edward the Martyr" in good["text"]


def test_no_fallback_where_none_is_wanted(tmp_path: Path) -> None:
    rows, _ = convert(tmp_path / "o", ["edgar.pdf"], EMPTY, "never")
    assert [row["status"] for row in rows] == ["gave_up"] and rows[0]["text"] == ""


def test_a_good_layer_is_preferred_and_costs_no_request(tmp_path: Path) -> None:
    names = ["edgar.pdf", "olmo-page-1.pdf", "edgar_image.pdf", "small_page_size.pdf"]
    rows, asked = convert(tmp_path / "o", names, GOOD, "prefer")
    assert len(rows) == 4 and asked == 3, "garbled, without a layer, and a scan's: these are the model's"
    (layer,) = [row for row in rows if row["engine"] == ENGINE]
    assert layer["status"] == "ok" and "Edward the Martyr" in layer["text"] and layer["attempts"] == 0


def test_preferring_layers_is_part_of_the_key(tmp_path: Path) -> None:
    preferring = TINY.model_copy(update={"text_layer": "prefer"})
    one, other = (settings_of("http://127.0.0.1:9/v1#m", adapter) for adapter in (TINY, preferring))
    assert one != other and {**one, "policy": {}} == {**other, "policy": {}}


def test_signals_are_in_the_record(tmp_path: Path) -> None:
    rows, _ = convert(tmp_path / "o", ["edgar.pdf", "edgar_image.pdf"], GOOD)
    image, digital = sorted(rows, key=lambda row: "recall" in row["signals"])
    assert digital["signals"]["recall"] < 0.05 and digital["signals"]["layer_letters"] > 1000
    for row in (image, digital):
        assert 0.05 < row["signals"]["marked"] < 0.3 and row["signals"]["marks"] > 10_000
        assert row["signals"]["characters"] == 16 and row["signals"]["repetition"] == 0
