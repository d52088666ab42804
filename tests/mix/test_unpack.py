"""Data sets of the hub into pairs: tarballs with labels, and benches."""

import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.errors import InputError
from scriptorium.files import read_jsonl, sha256_file, sha256_tree
from scriptorium.mix.hub import unpack
from scriptorium.mix.pairs import is_safe
from scriptorium.mix.rows import pack
from scriptorium.mix.truths import truth
from scriptorium.pages import front_matter
from scriptorium.pages.front_matter import FrontMatter, FrontMatterError

from .made import TEXT, bench, index, label, mix, pdf, present, reasons, widths

SCRIPT = Path(__file__).parents[2] / "workflow" / "scripts" / "unpack.py"
SAMPLE = Path(__file__).parents[2].parent / "shared" / "data" / "bench-sample"


def test_labels_and_members_become_pairs(tmp_path: Path) -> None:
    labels = [label("0000/abc-1"), label("mss:1-8", natural_text=None, primary_language=None), label("c")]
    members = {"mss:1-8.pdf": pdf(), "./0000/abc-1.pdf": pdf(), "c.pdf": pdf()}
    fetched, out = mix(tmp_path / "mix", labels, members), tmp_path / "out"
    unpack(fetched, "eval", out)
    first = "00_documents/0000/abc-1_pg1"
    assert reasons(out) == {first: "", "00_documents/c_pg1": "", "00_documents/mss:1-8_pg1": ""}
    assert (out / "pdfs" / f"{first}.md").read_text().endswith("\n---\npage of 0000/abc-1")
    blank = (out / "pdfs" / "00_documents" / "mss:1-8_pg1.md").read_text()
    assert front_matter.decode(blank) == (FrontMatter(primary_language=None), None)
    assert blank.endswith("\n---")
    assert widths(out / "pdfs" / f"{first}.pdf") == [101]
    row = index(out)[first]
    assert row["source"] == "pdf_tarballs/00_documents_eval_00000.tar.gz:0000/abc-1.pdf"
    assert row["sha256"] == sha256_file(out / row["pdf"])
    pack(out, tmp_path / "rows.parquet", 32)
    assert len(pq.read_table(tmp_path / "rows.parquet")) == 3


def linked(name: str, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info


FAULTS: dict[str, tuple[list[dict[str, Any]], dict[str, Any], dict[str, str]]] = {
    "two pages": ([label("x")], {"x.pdf": pdf(2)}, {"00_documents/x_pg1": "not one page"}),
    "no PDF": ([label("x")], {"x.pdf": b"Dear Sir"}, {"00_documents/x_pg1": "document not_a_pdf"}),
    "damaged": ([label("x")], {"x.pdf": b"%PDF-1.7 end"}, {"00_documents/x_pg1": "document damaged"}),
    "no member": ([label("x")], {}, {"00_documents/x_pg0": "member missing"}),
    "no label": ([], {"x.pdf": pdf()}, {"x.pdf_pg0": "label missing"}),
    "a link": (
        [label("x")],
        {"x.pdf": linked("x.pdf", "../outside")},
        {"00_documents/x_pg1": "member not usable"},
    ),
    "traversal": ([], {"../../x.pdf": pdf()}, {"../../x.pdf_pg0": "member not usable"}),
    "traversal, absolute": ([], {"/x.pdf": pdf()}, {"/x.pdf_pg0": "member not usable"}),
    "traversal with a label": (
        [label("x", pdf_relpath="pdf_tarballs/00_documents_eval_00000.tar.gz:../x.pdf")],
        {"../x.pdf": pdf()},
        {"00_documents/x_pg0": "pdf_relpath not usable", "../x.pdf_pg0": "member not usable"},
    ),
    "tarball elsewhere": (
        [label("x", pdf_relpath="../pdf_tarballs/00_documents_eval_00000.tar.gz:x.pdf")],
        {},
        {"00_documents/x_pg0": "pdf_relpath not usable"},
    ),
    "id leaves the folder": (
        [label("../../x", pdf_relpath="pdf_tarballs/00_documents_eval_00000.tar.gz:x.pdf")],
        {},
        {"00_documents/../../x_pg0": "id not usable"},
    ),
    "no tarball": ([label("x", "00_documents_eval_00001")], {}, {"00_documents/x_pg0": "tarball missing"}),
    "no relpath": ([label("x", pdf_relpath=None)], {}, {"00_documents/x_pg0": "pdf_relpath not usable"}),
    "language": (
        [label("x", primary_language="?")],
        {"x.pdf": pdf()},
        {"00_documents/x_pg1": "truth not decoded"},
    ),
    "rotation": (
        [label("x", rotation_correction=45)],
        {"x.pdf": pdf()},
        {"00_documents/x_pg1": "truth not decoded"},
    ),
    "extras": ([label("x", extras="{")], {"x.pdf": pdf()}, {"00_documents/x_pg1": "truth not decoded"}),
    "surrogate": (
        [label("x", extras='{"natural_text": "\\ud800"}')],
        {"x.pdf": pdf()},
        {"00_documents/x_pg1": "truth not decoded"},
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_faulty_page_costs_no_neighbour_and_nothing_is_written_elsewhere(tmp_path: Path, case: str) -> None:
    labels, members, expected = FAULTS[case]
    home = tmp_path / "a" / "b"
    fetched = mix(home / "mix", [label("good"), *labels], {**members, "good.pdf": pdf()})
    unpack(fetched, "eval", home / "out")
    assert reasons(home / "out") == {"00_documents/good_pg1": ""} | expected
    files = {
        path.relative_to(home / "out").as_posix() for path in (home / "out").rglob("*") if path.is_file()
    }
    assert files == {
        "pages.parquet",
        "manifest.parquet",
        *(f"pdfs/00_documents/good_pg1{end}" for end in (".pdf", ".md")),
    }
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert sorted(path.name for path in home.iterdir()) == ["mix", "out"]


def test_twice_is_taken_once(tmp_path: Path) -> None:
    other = "pdf_tarballs/00_documents_eval_00000.tar.gz:other.pdf"
    labels = [label("x", natural_text="first"), label("x", pdf_relpath=other), label("y", pdf_relpath=other)]
    labels.append(label("z", pdf_relpath=other))
    unpack(mix(tmp_path / "mix", labels, {"x.pdf": pdf(), "other.pdf": pdf()}), "eval", tmp_path / "out")
    assert reasons(tmp_path / "out") == {
        "00_documents/x_pg0": "id twice",
        "00_documents/x_pg1": "",
        "00_documents/y_pg1": "",
        "00_documents/z_pg0": "pdf_relpath twice",
    }
    assert (tmp_path / "out" / "pdfs" / "00_documents" / "x_pg1.md").read_text().endswith("first")


@pytest.mark.parametrize("harm", ["cut", "flipped", "no gzip"])
def test_a_damaged_tarball_costs_only_its_own_pages(tmp_path: Path, harm: str) -> None:
    labels = [label("good"), label("x", "00_documents_eval_00001"), label("y", "00_documents_eval_00001")]
    fetched = mix(tmp_path / "mix", labels, {"good.pdf": pdf()})
    whole = (
        mix(tmp_path / "two", [label("x")], {"x.pdf": pdf(), "y.pdf": pdf(40)}) / "pdf_tarballs"
    ).iterdir()
    content = bytearray(next(whole).read_bytes())
    if harm == "cut":
        del content[len(content) // 2 :]
    elif harm == "flipped":
        content[len(content) // 2] ^= 255
    else:
        content[:] = b"not found"
    (fetched / "pdf_tarballs" / "00_documents_eval_00001.tar.gz").write_bytes(content)
    unpack(fetched, "eval", tmp_path / "out")
    found = reasons(tmp_path / "out")
    assert found.pop("00_documents/good_pg1") == ""
    assert "tarball damaged" in found.values()
    assert {"00_documents/x", "00_documents/y"} <= {name.partition("_pg")[0] for name in found}


def test_the_same_data_set_gives_the_same_bytes_wherever_it_is_written(tmp_path: Path) -> None:
    labels = [label("good"), label("bad"), label("gone")]
    fetched = mix(tmp_path / "mix", labels, {"good.pdf": pdf(), "bad.pdf": b"%PDF-1.7 end"})
    for name in ("x", "y"):
        unpack(fetched, "eval", tmp_path / name)
    assert sha256_tree(tmp_path / "x") == sha256_tree(tmp_path / "y")


def test_labels_are_turned_to_front_matter() -> None:
    row = label("x", rotation_correction=90, is_rotation_valid="no", is_table="True", is_diagram=None)
    row |= {"extras": '{"primary_language": "fr-CA"}', "natural_text": "  text \n"}
    front, text = front_matter.decode(truth(row))
    assert front == FrontMatter("fr", False, 270, True, False)
    assert text == "text"
    with pytest.raises(FrontMatterError, match="is_table"):
        truth(label("x", is_table="perhaps"))


def test_a_split_or_layout_that_is_not_there_is_named(tmp_path: Path) -> None:
    fetched = mix(tmp_path / "mix", [label("x")], {"x.pdf": pdf()})
    with pytest.raises(InputError, match=r"'train'.*00_documents_eval"):
        unpack(fetched, "train", tmp_path / "out")
    with pytest.raises(InputError, match="bench_data"):
        unpack(tmp_path, "eval", tmp_path / "out")
    (fetched / "01_books_eval.parquet").write_bytes(b"PAR?")
    with pytest.raises(InputError, match=r"01_books_eval\.parquet"):
        unpack(fetched, "eval", tmp_path / "out")
    found = subprocess.run(
        [sys.executable, SCRIPT, "--fetched", fetched, "--split", "eval", "--out", tmp_path / "out"],
        capture_output=True,
        text=True,
    )
    assert found.returncode == 2
    assert not (tmp_path / "out").exists()


def test_a_bench_becomes_pairs_with_its_tests(tmp_path: Path) -> None:
    maths = {"pdf": "maths/a.pdf", "page": 1, "id": "m", "type": "math", "math": "x^2", "url": None}
    tests = [present("t", pdf="more/b.pdf", page=2), present("u", pdf="maths/a.pdf", page=1)]
    for test in tests:
        del test["category"]
    pdfs = {"maths/a.pdf": pdf(), "more/b.pdf": pdf(3), "more/c.pdf": pdf()}
    fetched, out = bench(tmp_path / "set", {"maths": [maths], "text": tests}, pdfs), tmp_path / "out"
    truths = fetched / "bench_data" / "claude_original" / "maths"
    truths.mkdir(parents=True)
    (truths / "a_pg1_repeat1.md").write_text(TEXT)
    unpack(fetched, "test", out)
    assert reasons(out) == {"maths/a_pg1": "", "more/b_pg2": "", "more/c_pg1": ""}
    assert (out / "pdfs" / "maths" / "a_pg1.pdf").read_bytes() == pdfs["maths/a.pdf"]
    assert widths(out / "pdfs" / "more" / "b_pg2.pdf") == [102]
    assert read_jsonl(out / "maths.jsonl") == [maths | {"pdf": "maths/a_pg1.pdf"}]
    assert read_jsonl(out / "text.jsonl") == [
        tests[1] | {"pdf": "maths/a_pg1.pdf"},
        tests[0] | {"pdf": "more/b_pg2.pdf", "page": 1},
    ]
    pack(out, tmp_path / "rows.parquet", 32)
    assert [row["text"] for row in pq.read_table(tmp_path / "rows.parquet").to_pylist()] == [TEXT, None, None]


def test_a_category_of_a_bench_is_a_split(tmp_path: Path) -> None:
    tests = {name: [{"pdf": f"{name}.pdf", "page": 1, "id": name}] for name in ("a", "b")}
    fetched = bench(tmp_path / "set", tests, {"a.pdf": pdf(), "b.pdf": pdf()})
    unpack(fetched, "b", tmp_path / "out")
    assert reasons(tmp_path / "out") == {"b_pg1": ""}
    with pytest.raises(InputError, match="train, test, a, b"):
        unpack(fetched, "c", tmp_path / "out")


def test_a_faulty_bench_page_costs_no_neighbour(tmp_path: Path) -> None:
    rows = [
        {"pdf": "a.pdf", "page": 1, "id": "good"},
        {"pdf": "a.pdf", "page": 2, "id": "no such page"},
        {"pdf": "gone.pdf", "page": 1, "id": "no such document"},
        {"pdf": "bad.pdf", "page": 1, "id": "no PDF"},
        {"pdf": "../a.pdf", "page": 1, "id": "elsewhere"},
        {"pdf": "a.pdf", "page": "1", "id": "not a number"},
        b"{",
    ]
    fetched = bench(tmp_path / "set", {"x": rows}, {"a.pdf": pdf(), "bad.pdf": b"Dear Sir", "b.pdf": pdf()})
    truths = fetched / "bench_data" / "claude_original"
    truths.mkdir()
    (truths / "b_pg1_repeat1.md").write_bytes(b"\xff")
    unpack(fetched, "train", tmp_path / "out")
    assert reasons(tmp_path / "out") == {
        "a_pg1": "",
        "a_pg2": "page missing",
        "gone_pg0": "document missing",
        "bad_pg0": "document not_a_pdf",
        "b_pg1": "truth not decoded",
        "x-5_pg0": "test not readable",
        "x-6_pg0": "test not readable",
        "x-7_pg0": "test not readable",
    }
    assert [test["id"] for test in read_jsonl(tmp_path / "out" / "x.jsonl")] == ["good"]


def test_a_real_sample_of_the_bench_is_unpacked(tmp_path: Path) -> None:
    if not SAMPLE.is_dir():
        pytest.skip(f"{SAMPLE.name} is not beside the project")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "bench_data").symlink_to(SAMPLE)
    unpack(tmp_path / "set", "test", tmp_path / "out")
    tests = [test for path in SAMPLE.glob("*.jsonl") for test in read_jsonl(path)]
    kept = [test for path in (tmp_path / "out").glob("*.jsonl") for test in read_jsonl(path)]
    assert sorted(test["id"] for test in kept) == sorted(test["id"] for test in tests)
    assert all((tmp_path / "out" / "pdfs" / test["pdf"]).is_file() for test in kept)


@given(st.text(st.sampled_from("a./\\\0é"), max_size=12))
def test_a_safe_name_stays_below_its_folder(name: str) -> None:
    root = Path("/the/top/of/all")
    if is_safe(name):
        assert "\0" not in name
        path = root / name
        assert path.is_relative_to(root)
        assert ".." not in path.parts
        assert path != root
    else:
        odd = {"\0", "\\"} & set(name) or {"", ".", ".."} & set(name.split("/"))
        assert odd
