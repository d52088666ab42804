"""Data sets of the hub into pairs: tarballs with labels, and benches."""

import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.errors import InputError
from scriptorium.files import read_jsonl, sha256_file, sha256_tree
from scriptorium.mix.choice import Choice
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


def many(folder: Path, tarballs: int, pages: int) -> Path:
    """A data set of several tarballs with several pages each, of two languages."""
    names = [[f"{number:04d}/doc-{page}" for page in range(pages)] for number in range(tarballs)]
    labels = [
        label(
            name,
            f"00_documents_eval_{number:05d}",
            primary_language=("en", None)[page % 2],
            is_table=page == 0,
        )
        for number, group in enumerate(names)
        for page, name in enumerate(group)
    ]
    mix(folder, labels, {f"{name}.pdf": pdf() for name in names[0]})
    for number, group in enumerate(names[1:], 1):
        other = mix(folder / f"{number}", [labels[0]], {f"{name}.pdf": pdf() for name in group})
        name = f"00_documents_eval_{number:05d}.tar.gz"
        (other / "pdf_tarballs" / "00_documents_eval_00000.tar.gz").rename(folder / "pdf_tarballs" / name)
    return folder


def test_several_jobs_give_the_same_bytes(tmp_path: Path) -> None:
    fetched = many(tmp_path / "mix", 3, 4)
    unpack(fetched, "eval", tmp_path / "one")
    unpack(fetched, "eval", tmp_path / "two", jobs=2)
    assert sha256_tree(tmp_path / "one") == sha256_tree(tmp_path / "two")
    rows = pq.read_table(tmp_path / "one" / "manifest.parquet").to_pylist()
    assert len(rows) == 12
    row = next(row for row in rows if row["row"] == "0001/doc-2")
    size = (tmp_path / "one" / row["pdf"]).stat().st_size
    assert (row["page_number"], row["bytes"], row["characters"]) == (7, size, len("page of 0001/doc-2"))
    assert (row["primary_language"], row["is_table"], row["rotation_correction"]) == ("en", False, 0)


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    fetched, out = many(tmp_path / "mix", 3, 4), tmp_path / "out"
    unpack(fetched, "eval", tmp_path / "whole")
    code = (
        "import os, sys; from pathlib import Path; from scriptorium.mix import tarballs, hub\n"
        "real = tarballs.unpack_tarball\n"
        "def stopped(job):\n"
        "    if job.name.endswith('2.tar.gz'):\n"
        "        (job.folder / 'pdfs' / 'half').write_bytes(b'x')\n"
        "        os.kill(os.getpid(), 9)\n"
        "    real(job)\n"
        "tarballs.unpack_tarball = stopped\n"
        "hub.unpack(Path(sys.argv[1]), 'eval', Path(sys.argv[2]))\n"
    )
    found = subprocess.run([sys.executable, "-c", code, fetched, out], capture_output=True)
    assert found.returncode == -9
    assert not out.exists()
    [work] = tmp_path.glob(".out.*.part")
    (work / "pdfs" / "half").unlink()
    times = {path: path.stat().st_mtime_ns for path in work.rglob("*.pdf")}
    assert len(times) == 8
    unpack(fetched, "eval", out)
    assert sha256_tree(out) == sha256_tree(tmp_path / "whole")
    again = {work / path.relative_to(out): path.stat().st_mtime_ns for path in out.rglob("*.pdf")}
    assert all(again[path] == time for path, time in times.items())  # none was written twice
    assert not list(tmp_path.glob(".out.*"))


CHOICES = {
    "language": (Choice(languages=("null",)), 6),
    "languages": (Choice(languages=("en", "null")), 12),
    "flag": (Choice(flags={"is_table": True}), 3),
    "no flag": (Choice(languages=("en",), flags={"is_table": False}), 3),
    "tarballs": (Choice(tarballs=2), 8),
    "limit": (Choice(limit=1), 3),
}


@pytest.mark.parametrize("case", CHOICES)
def test_a_choice_leaves_the_rest_out_without_a_word(tmp_path: Path, case: str) -> None:
    choice, count = CHOICES[case]
    unpack(many(tmp_path / "mix", 3, 4), "eval", tmp_path / "out", choice)
    rows = pq.read_table(tmp_path / "out" / "manifest.parquet").to_pylist()
    assert len(rows) == count
    assert {row["verdict"] for row in rows} == {"kept"}


def test_one_subset_or_all(tmp_path: Path) -> None:
    fetched = mix(tmp_path / "mix", [label("x")], {"x.pdf": pdf()})
    other = mix(tmp_path / "more", [label("x", "01_books_eval_00000")], {"x.pdf": pdf()})
    (other / "00_documents_eval.parquet").rename(fetched / "01_books_eval.parquet")
    (other / "pdf_tarballs" / "00_documents_eval_00000.tar.gz").rename(
        fetched / "pdf_tarballs" / "01_books_eval_00000.tar.gz"
    )
    unpack(fetched, "01_books_eval", tmp_path / "one")
    assert set(reasons(tmp_path / "one")) == {"01_books/x_pg1"}
    unpack(fetched, "eval", tmp_path / "all")
    assert set(reasons(tmp_path / "all")) == {"00_documents/x_pg1", "01_books/x_pg1"}


def test_labels_as_the_first_mix_has_them(tmp_path: Path) -> None:
    response = {
        "primary_language": "no",
        "rotation_correction": 90,
        "is_rotation_valid": False,
        "natural_text": "ja",
    }
    rows = [
        {"id": "abcd1234", "url": "https://example.org", "page_number": 3, "response": json.dumps(response)},
        {"id": "gone5678", "url": None, "page_number": 1, "response": "{}"},
        {"id": "half9999", "url": None, "page_number": 1, "response": '{"natural_text": "ha'},
    ]
    fetched = mix(tmp_path / "mix", [label("x")], {"abcd1234.pdf": pdf(), "half9999.pdf": pdf()})
    (fetched / "00_documents_eval.parquet").unlink()
    pq.write_table(pa.Table.from_pylist(rows), fetched / "eval-s2pdf.parquet")
    unpack(fetched, "eval", tmp_path / "out")
    assert reasons(tmp_path / "out") == {
        "s2pdf/abcd1234_pg1": "",
        "s2pdf/gone5678_pg0": "member missing",
        "s2pdf/half9999_pg1": "truth not decoded",
    }
    text = (tmp_path / "out" / "pdfs" / "s2pdf" / "abcd1234_pg1.md").read_text()
    assert front_matter.decode(text) == (FrontMatter("no", False, 270), "ja")


def test_too_many_rejects_are_an_exit_code_of_their_own(tmp_path: Path) -> None:
    fetched = mix(tmp_path / "mix", [label("x"), label("y")], {"x.pdf": pdf(), "y.pdf": pdf(2)})
    command = [sys.executable, SCRIPT, "--fetched", fetched, "--split", "eval", "--out", tmp_path / "out"]
    strict = subprocess.run([*command, "--most-rejected", "0.4"], capture_output=True, text=True)
    assert strict.returncode == 4
    assert "1 of 2 pages are rejected" in strict.stderr and "not one page" in strict.stderr
    assert reasons(tmp_path / "out")["00_documents/y_pg1"] == "not one page"
    assert subprocess.run([*command, "--most-rejected", "0.5"], capture_output=True).returncode == 0


def test_a_full_disk_is_said_and_nothing_is_left_as_if_whole(tmp_path: Path) -> None:
    fetched = mix(tmp_path / "mix", [label("x")], {"x.pdf": pdf() + b" " * 400_000})
    code = (
        "import resource, sys; from pathlib import Path; from scriptorium.errors import reported\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from scriptorium.mix.hub import unpack\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "with reported(): unpack(Path(sys.argv[1]), 'eval', Path(sys.argv[2]))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, fetched, tmp_path / "out"], capture_output=True, text=True
    )
    assert found.returncode == 6, found.stderr
    assert not (tmp_path / "out").exists()
    unpack(fetched, "eval", tmp_path / "out")
    assert reasons(tmp_path / "out") == {"00_documents/x_pg1": ""}
