"""Pairs into training rows."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from scriptorium.errors import InputError
from scriptorium.files import read_jsonl
from scriptorium.mix import rows as rows_module
from scriptorium.mix.index import split_pages
from scriptorium.mix.rows import pack
from scriptorium.pages.image import decode_png
from scriptorium.pages.pdf import PdfWorker
from scriptorium.synth.shard import make_shard

from .made import HEADER, TEXT, pdf, present, shard, truth

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """Pages `b_pg1`, `b_pg2` (blank) and `b_pg10`, kept, and a rejected one."""
    truths = [truth("b", 10, group="late", tests=[present("y", "z"), present("x")]), truth("b", 2, HEADER)]
    split_pages([shard(tmp_path / "0", {"b": pdf(10)}, [*truths, truth("b", 1)])], tmp_path / "pages")
    return tmp_path / "pages"


def read(path: Path) -> list[dict[str, Any]]:
    return pq.read_table(path).to_pylist()


def test_rows_hold_kept_pages_sorted_by_id(pages: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.parquet"
    pack(pages, out, 64)
    found = read(out)
    assert [row["id"] for row in found] == ["b_pg1", "b_pg10", "b_pg2"]
    assert list(found[0]) == ["id", "document", "page", "image", "text", "tests", "group"]
    assert [row["page"] for row in found] == [1, 10, 2]
    assert [row["text"] for row in found] == [TEXT, TEXT, HEADER]
    assert [row["group"] for row in found] == ["", "late", ""]
    tests = [*read_jsonl(pages / "text.jsonl"), *read_jsonl(pages / "z.jsonl")]
    assert json.loads(found[1]["tests"]) == [test for test in tests if test["pdf"] == "b_pg10.pdf"]
    assert [test["id"] for test in json.loads(found[1]["tests"])] == ["x", "y"]


def test_a_test_may_hold_any_line_end(tmp_path: Path) -> None:
    text = "one\u2028two\x85three\nfour"
    rows = [truth("a", 1, tests=[present("x", text=text)])]
    split_pages([shard(tmp_path / "0", {"a": pdf()}, rows)], tmp_path / "pages")
    pack(tmp_path / "pages", tmp_path / "rows.parquet", 32)
    assert [test["text"] for test in json.loads(read(tmp_path / "rows.parquet")[0]["tests"])] == [text]


def test_images_are_the_rendered_pages(tmp_path: Path) -> None:
    make_shard("primer", "primer", "dev", 0, 3, 1, tmp_path / "0")
    split_pages([tmp_path / "0"], tmp_path / "pages")
    pack(tmp_path / "pages", tmp_path / "rows.parquet", 96)
    with PdfWorker() as worker:
        for row in read(tmp_path / "rows.parquet"):
            image = decode_png(row["image"])
            assert max(image.shape[:2]) == 96
            expected = worker.render(tmp_path / "0" / "documents" / f"{row['document']}.pdf", row["page"], 96)
            assert np.array_equal(image, expected)
            assert image.min() < 128


def test_the_same_pages_are_the_same_bytes_and_row_groups_are_bounded(
    pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows_module, "GROUP_ROWS", 2)
    for name in ("a", "b"):
        pack(pages, tmp_path / name, 32)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    metadata = pq.ParquetFile(tmp_path / "a").metadata
    assert [metadata.row_group(k).num_rows for k in range(metadata.num_row_groups)] == [2, 1]


@pytest.mark.parametrize("harm", ["pdf", "md", "gone"])
def test_a_page_that_went_bad_is_left_out_and_named(
    pages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], harm: str
) -> None:
    target = pages / "pdfs" / ("b_pg2.md" if harm == "md" else "b_pg2.pdf")
    target.unlink() if harm == "gone" else target.write_bytes(b"%PDF nonsense")
    pack(pages, tmp_path / "rows.parquet", 32)
    assert [row["id"] for row in read(tmp_path / "rows.parquet")] == ["b_pg1", "b_pg10"]
    assert "left out b_pg2" in capsys.readouterr().err


def test_no_page_is_an_error(tmp_path: Path) -> None:
    split_pages([shard(tmp_path / "0", {"a": b"no PDF"}, [])], tmp_path / "pages")
    with pytest.raises(InputError, match="no page is kept"):
        pack(tmp_path / "pages", tmp_path / "rows.parquet", 32)
    with pytest.raises(InputError, match=r"pages\.parquet"):
        pack(tmp_path / "0", tmp_path / "rows.parquet", 32)
    assert not (tmp_path / "rows.parquet").exists()


def test_pages_that_all_fail_to_render_are_an_error(pages: Path, tmp_path: Path) -> None:
    for path in pages.glob("pdfs/*.pdf"):
        path.write_bytes(b"")
    with pytest.raises(InputError, match="none of 3"):
        pack(pages, tmp_path / "rows.parquet", 32)
    assert not (tmp_path / "rows.parquet").exists()


def test_a_broken_test_file_is_an_error_that_names_it(pages: Path, tmp_path: Path) -> None:
    (pages / "text.jsonl").write_text('{"id": "x"}\n')
    with pytest.raises(InputError, match=r"text\.jsonl"):
        pack(pages, tmp_path / "rows.parquet", 32)


def test_the_scripts_do_the_same(pages: Path, tmp_path: Path) -> None:
    steps = [
        ["split_pages.py", "--shard", tmp_path / "0", "--out", tmp_path / "again"],
        ["pack.py", "--pages", tmp_path / "again", "--side", "32", "--out", tmp_path / "script.parquet"],
    ]
    for script, *arguments in steps:
        subprocess.run([sys.executable, SCRIPTS / script, *arguments], check=True)
    pack(pages, tmp_path / "rows.parquet", 32)
    assert read(tmp_path / "script.parquet") == read(tmp_path / "rows.parquet")
    empty = subprocess.run(
        [sys.executable, SCRIPTS / "pack.py", "--pages", tmp_path, "--side", "32", "--out", tmp_path / "no"],
        capture_output=True,
        text=True,
    )
    assert empty.returncode == 2
    assert empty.stderr.startswith("error: ")
