"""Generated documents into pairs: every page gets a verdict, and a bad one costs nobody else."""

from pathlib import Path
from typing import Any

import pytest

from scriptorium.bench.tests import load_tests
from scriptorium.errors import InputError
from scriptorium.files import read_jsonl, sha256_file, sha256_tree
from scriptorium.mix.index import split_pages
from scriptorium.synth.shard import make_shard

from .made import HEADER, TEXT, index, pdf, present, reasons, shard, truth, widths


def test_every_page_becomes_a_pair(tmp_path: Path) -> None:
    rows = [truth("a", 1), truth("a", 2, HEADER), truth("b", 1, group="easy")]
    source = shard(tmp_path / "0", {"a": pdf(2), "b": pdf()}, rows)
    out = tmp_path / "out"
    split_pages([source], out)
    assert reasons(out) == {"a_pg1": "", "a_pg2": "", "b_pg1": ""}
    assert [widths(out / "pdfs" / f"{name}.pdf") for name in ("a_pg1", "a_pg2", "b_pg1")] == [
        [101],
        [102],
        [101],
    ]
    assert (out / "pdfs" / "a_pg1.md").read_text() == TEXT
    assert (out / "pdfs" / "a_pg2.md").read_text() == HEADER
    assert index(out)["b_pg1"] == {
        "id": "b_pg1",
        "document": "b",
        "page": 1,
        "pdf": "pdfs/b_pg1.pdf",
        "md": "pdfs/b_pg1.md",
        "source": f"{source.as_posix()}/documents/b.pdf",
        "sha256": sha256_file(source / "documents" / "b.pdf"),
        "verdict": "kept",
        "reason": "",
        "group": "easy",
    }


def test_tests_go_to_their_category_as_the_bench_reads_them(tmp_path: Path) -> None:
    tests = [present("x"), present("y", "more", max_diffs=2), present("z")]
    out = tmp_path / "out"
    split_pages(
        [shard(tmp_path / "0", {"a": pdf(2)}, [truth("a", 2, tests=tests), truth("a", 1, tests=[])])], out
    )
    assert read_jsonl(out / "text.jsonl") == [
        {"pdf": "a_pg2.pdf", "page": 1, "id": "x", "type": "present", "text": "ink"},
        {"pdf": "a_pg2.pdf", "page": 1, "id": "z", "type": "present", "text": "ink"},
    ]
    assert [test["max_diffs"] for test in load_tests(out / "more.jsonl")] == [2]
    assert reasons(out) == {"a_pg1": "", "a_pg2": ""}


BAD: dict[str, tuple[list[Any], dict[str, str]]] = {
    "no truth": ([], {"a_pg2": "truth missing"}),
    "two truths": ([truth("a", 2), truth("a", 2, HEADER)], {"a_pg2": "truth twice"}),
    "no front matter": ([truth("a", 2, "plain")], {"a_pg2": "truth not decoded"}),
    "no such page": ([truth("a", 2), truth("a", 9)], {"a_pg2": "", "a_pg9": "page missing"}),
    "no such document": ([truth("a", 2), truth("c", 1)], {"a_pg2": "", "c_pg0": "document missing"}),
    "not JSON": (
        [b'{"document": "a", "pa'],
        {"a_pg2": "truth missing", "0-pages.jsonl-3_pg0": "truth not readable"},
    ),
    "not UTF-8": ([b'"\xff"'], {"a_pg2": "truth missing", "0-pages.jsonl-3_pg0": "truth not readable"}),
    "page 0": ([truth("a", 0)], {"a_pg2": "truth missing", "0-pages.jsonl-3_pg0": "truth not readable"}),
    "half a surrogate": (
        [truth("a", 2, TEXT + "\ud800")],
        {"a_pg2": "truth missing", "0-pages.jsonl-3_pg0": "truth not readable"},
    ),
    "leaves the folder": (
        [truth("../a", 2)],
        {"a_pg2": "truth missing", "0-pages.jsonl-3_pg0": "truth not readable"},
    ),
    "unknown test": ([truth("a", 2, tests=[present("x", type="sound")])], {"a_pg2": "test not usable"}),
    "no category": ([truth("a", 2, tests=[present("x", "../x")])], {"a_pg2": "test not usable"}),
    "test used twice": ([truth("a", 2, tests=[present("a-1")])], {"a_pg2": "test not usable"}),
    "tests no list": ([truth("a", 2, tests={})], {"a_pg2": "test not usable"}),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_page_costs_no_neighbour(tmp_path: Path, case: str) -> None:
    rows, expected = BAD[case]
    out = tmp_path / "out"
    split_pages([shard(tmp_path / "0", {"a": pdf(3)}, [truth("a", 1), truth("a", 3), *rows])], out)
    assert reasons(out) == {"a_pg1": "", "a_pg3": ""} | expected
    kept = {f"{name}{end}" for name, reason in reasons(out).items() if not reason for end in (".md", ".pdf")}
    assert {path.name for path in (out / "pdfs").iterdir()} == kept
    assert {"pdfs/" + test["pdf"] for test in read_jsonl(out / "text.jsonl")} == {
        row["pdf"] for row in index(out).values() if row["verdict"] == "kept"
    }


def test_a_document_that_cannot_be_opened_has_one_row(tmp_path: Path) -> None:
    documents = {"a": pdf(), "broken": b"%PDF-1.7 and no more", "empty": b"", "letter": b"Dear Sir"}
    rows = [truth(name, page) for name in documents for page in (1, 2)]
    rows.remove(truth("a", 2))
    out = tmp_path / "out"
    split_pages([shard(tmp_path / "0", documents, rows)], out)
    assert reasons(out) == {
        "a_pg1": "",
        "broken_pg0": "document damaged",
        "empty_pg0": "document not_a_pdf",
        "letter_pg0": "document not_a_pdf",
    }


def test_a_name_in_two_shards_is_taken_once(tmp_path: Path) -> None:
    shards = [
        shard(tmp_path / str(k), {"a": pdf(k + 1)}, [truth("a", n + 1) for n in range(k + 1)]) for k in (0, 1)
    ]
    out = tmp_path / "out"
    split_pages(shards, out)
    assert reasons(out) == {"a_pg0": "document twice", "a_pg1": ""}


def test_a_shard_without_truths_stops_the_job_and_leaves_nothing(tmp_path: Path) -> None:
    folder = shard(tmp_path / "0", {"a": pdf()}, [])
    (folder / "pages.jsonl").unlink()
    with pytest.raises(InputError, match=r"pages\.jsonl.*anew"):
        split_pages([folder], tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0"]


def test_the_generator_s_own_shards_are_kept_whole_and_give_the_same_bytes(tmp_path: Path) -> None:
    make_shard("primer", "primer", "dev", 0, 12, 1, tmp_path / "0")
    for name in ("x", "y"):
        split_pages([tmp_path / "0"], tmp_path / name)
    assert set(reasons(tmp_path / "x").values()) == {""}
    assert len(reasons(tmp_path / "x")) == 12
    assert sum(len(load_tests(path)) for path in (tmp_path / "x").glob("*.jsonl")) == sum(
        len(row["tests"]) for row in read_jsonl(tmp_path / "0" / "pages.jsonl")
    )
    assert sha256_tree(tmp_path / "x") == sha256_tree(tmp_path / "y")
