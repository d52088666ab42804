"""Bench folders and candidates' outputs: what is read, what is refused, what is said to be odd."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scriptorium.bench import TestError, load_bench, score
from scriptorium.bench.folder import candidates
from scriptorium.bench.outputs import read_candidate
from scriptorium.bench.rules import OLMOCR, RULES, STRICT
from scriptorium.errors import InputError

from .benches import laid_out, present


def test_only_folders_with_outputs_of_the_bench_are_candidates(tmp_path: Path) -> None:
    outputs = {
        "good/d/a_pg1_repeat1.md": "x",
        "strays/readme.md": "x",
        "other_bench/b_pg1_repeat1.md": "x",
        "suffixed/d/a_pg1_repeat1.md.md": "x",
        "prefixed/x/d/a_pg1_repeat1.md": "x",
        "page_two/d/a_pg2_repeat07.md": "x",
        "pdfs/d/a_pg1_repeat1.md": "x",
    }
    folder = laid_out(tmp_path, {"x.jsonl": [present("d/a.pdf", 1)]}, outputs, ["d/a.pdf"])
    assert candidates(folder) == ["good", "page_two"]


def test_names_with_a_page_of_their_own(tmp_path: Path) -> None:
    """The published set has PDFs called `x_pg2.pdf`: only the last `_pgN_repeatM` is the page."""
    outputs = {
        "c/x_pg2_pg1_repeat1.md": "one",
        "c/x_pg2_repeat1.md": "two",
        "c/x_pg2_repeat1_pg1_repeat1.md": "",
    }
    folder = laid_out(tmp_path, {"x.jsonl": []}, outputs, ["x_pg2.pdf", "x.pdf"])
    read = read_candidate(folder, "c")
    assert {page: output.text for page, (output,) in read.items()} == {
        "x_pg2": "one",
        "x#2": "two",
        "x_pg2_repeat1": "",
    }


def test_repeats_come_by_number(tmp_path: Path) -> None:
    outputs = {f"c/a_pg1_repeat{n}.md": str(n) for n in (10, 2, 1)}
    folder = laid_out(tmp_path, {"x.jsonl": []}, outputs, ["a.pdf"])
    assert [output.text for output in read_candidate(folder, "c")["a"]] == ["1", "2", "10"]


SIDECARS = [
    ("words", None, "ok", "words"),
    ("", None, "empty", ""),
    (" \n", None, "empty", " \n"),
    ("", {"state": "ok"}, "ok", ""),
    ("words", {"finish_reason": "length"}, "truncated", "words"),
    ("words", {"state": "truncated"}, "truncated", "words"),
    ("words", {"state": "error", "error": "500"}, "error", None),
    ("", {"error": "timeout"}, "error", None),
    ("", {"state": "missing"}, "missing", None),
    ("words", {"state": "strange", "tokens": 3}, "ok", "words"),
    ("words", ["no object"], "ok", "words"),
]


@pytest.mark.parametrize(("text", "sidecar", "state", "read"), SIDECARS)
def test_states(tmp_path: Path, text: str, sidecar: object, state: str, read: str | None) -> None:
    laid_out(tmp_path, {"x.jsonl": []}, {"c/a_pg1_repeat1.md": text}, ["a.pdf"])
    if sidecar is not None:
        (tmp_path / "c" / "a_pg1_repeat1.json").write_text(json.dumps(sidecar))
    (output,) = read_candidate(tmp_path, "c")["a"]
    assert (output.state, output.text) == (state, read)


def test_damaged_outputs(tmp_path: Path) -> None:
    """One byte that is no UTF-8 costs its page; a damaged sidecar costs nothing and is spoken of."""
    tests = [present(f"{name}.pdf", 1) for name in "abc"]
    laid_out(tmp_path, {"x.jsonl": tests}, {"c/a_pg1_repeat1.md": "alpha"}, ["a.pdf", "b.pdf", "c.pdf"])
    (tmp_path / "c" / "a_pg1_repeat1.json").write_text("{torn")
    (tmp_path / "c" / "b_pg1_repeat1.md").write_bytes(b"alpha \xff")
    (tmp_path / "c" / "c_pg1_repeat1.md").mkdir()
    scored = score(tmp_path, "c")
    assert scored.incomplete == {"b": "error", "c": "missing"}
    assert scored.states | {"ok": 1, "error": 1, "missing": 1} == scored.states
    assert {row["id"]: row["rules"][STRICT]["counts"] for row in scored.rows if row["category"] == "x"} == {
        "a.pdf-1": True,
        "b.pdf-1": False,
        "c.pdf-1": False,
    }
    lost = next(row for row in scored.rows if row["id"] == "b.pdf-1")
    assert lost["state"] == lost["rules"][OLMOCR]["code"] == "error"
    assert "0xff" in lost["rules"][OLMOCR]["error"]
    assert any("1 sidecars that cannot be read: a_pg1_repeat1.json" in line for line in scored.warnings)


def test_a_sidecar_alone_says_how_its_page_failed(tmp_path: Path) -> None:
    laid_out(tmp_path, {"x.jsonl": []}, {"c/a_pg1_repeat1.md": "x"}, ["a.pdf"])
    for page, sidecar in (
        (2, {"state": "error", "error": "503"}),
        (3, {"state": "missing"}),
        (4, {"state": "ok"}),
    ):
        (tmp_path / "c" / f"a_pg{page}_repeat1.json").write_text(json.dumps(sidecar))
    (tmp_path / "c" / "candidate.json").write_text("{}")
    read = read_candidate(tmp_path, "c")
    assert {page: each[0].state for page, each in read.items()} == {
        "a": "ok",
        "a#2": "error",
        "a#3": "missing",
        "a#4": "missing",
    }
    assert read["a#2"][0].sidecar["error"] == "503"


def test_line_ends_are_read_as_newlines(tmp_path: Path) -> None:
    laid_out(tmp_path, {"x.jsonl": []}, {}, ["a.pdf"])
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "a_pg1_repeat1.md").write_bytes(b"a\r\nb\rc\n")
    assert read_candidate(tmp_path, "c")["a"][0].text == "a\nb\nc\n"


def test_no_candidate(tmp_path: Path) -> None:
    laid_out(tmp_path, {"x.jsonl": [present("a.pdf", 1)]}, {"c/notes.md": "x"}, ["a.pdf"])
    with pytest.raises(InputError, match="repeat"):
        score(tmp_path, "c")


def test_blank_lines_and_odd_line_breaks(tmp_path: Path) -> None:
    laid_out(tmp_path, {}, {}, ["a.pdf"])
    lines = ["", json.dumps(present("a.pdf", 1, "one\u2028two"), ensure_ascii=False), "  ", ""]
    (tmp_path / "x.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert load_bench(tmp_path).tests == 2


BROKEN = {
    "torn": ('{"pdf": "a.pdf", ', "x.jsonl:2", None),
    "list": ("[1]", "x.jsonl:2", None),
    "field": (json.dumps(present("a.pdf", 2, colour="red")), "x.jsonl:2: colour", "colour"),
    "value": (json.dumps(present("a.pdf", 2, max_diffs="many")), "x.jsonl:2: max_diffs", "max_diffs"),
    "twice": (json.dumps(present("a.pdf", 1)), "x.jsonl:2: id", "id"),
    "ghost": (json.dumps(present("z.pdf", 2)), "x.jsonl:2: pdf", "pdf"),
    "page": (json.dumps(present("a.pdf", 2, page=0)), "x.jsonl:2: page", "page"),
    "nested": ("[" * 100_000, "x.jsonl:2", None),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_bad_test_is_refused_by_file_line_and_field(tmp_path: Path, name: str) -> None:
    line, place, field = BROKEN[name]
    laid_out(tmp_path, {}, {}, ["a.pdf"])
    (tmp_path / "x.jsonl").write_text(json.dumps(present("a.pdf", 1)) + "\n" + line + "\n")
    with pytest.raises(TestError) as caught:
        load_bench(tmp_path)
    assert place in str(caught.value)
    assert (caught.value.line, caught.value.field) == (2, field)


def test_an_id_twice_across_files_names_the_other_file(tmp_path: Path) -> None:
    tests = {"x.jsonl": [present("a.pdf", 1)], "y.jsonl": [present("a.pdf", 2), present("a.pdf", 1)]}
    laid_out(tmp_path, tests, {}, ["a.pdf"])
    with pytest.raises(TestError, match=r"y\.jsonl:2: id: 'a\.pdf-1' is used in x\.jsonl too"):
        load_bench(tmp_path)


@pytest.mark.parametrize("parts", [{}, {"x.jsonl": [present("a.pdf", 1)]}])
def test_what_is_no_bench_is_refused(tmp_path: Path, parts: dict) -> None:
    laid_out(tmp_path, parts, {}, [])
    with pytest.raises(InputError, match="not a bench folder"):
        load_bench(tmp_path)


def test_automatic_baselines(tmp_path: Path) -> None:
    """Page 1 of every PDF without a baseline test; under our rules its further pages with tests too."""
    own = {"pdf": "b.pdf", "page": 1, "id": "own", "type": "baseline"}
    tests = [present("a.pdf", 1, page=3), own, present("b.pdf", 1, page=2)]
    outputs = {
        f"c/{pdf}_pg{page}_repeat1.md": "alpha" for pdf, page in (("a", 1), ("a", 3), ("b", 1), ("b", 2))
    }
    folder = laid_out(tmp_path, {"x.jsonl": tests}, outputs, ["a.pdf", "b.pdf", "c.pdf"])
    bench = load_bench(folder)
    found = {
        test["id"]: (test["pdf"], test["page"])
        for rows in bench.pages.values()
        for c, test in rows
        if c == "baseline"
    }
    assert found == {
        "a.pdf_baseline": ("a.pdf", 1),
        "c.pdf_baseline": ("c.pdf", 1),
        "a.pdf_pg3_baseline": ("a.pdf", 3),
    }
    scored = score(folder, "c")
    tests_by_rules = {name: scored.rules[name]["categories"]["baseline"]["tests"] for name in RULES}
    assert tests_by_rules == {OLMOCR: 2, STRICT: 3}
    assert len(score(folder, "c", OLMOCR).rows) == 5


def test_rejected_tests_are_never_scored(tmp_path: Path) -> None:
    tests = [present("a.pdf", 1), present("a.pdf", 2, "ghost", checked="rejected")]
    laid_out(tmp_path, {"x.jsonl": tests}, {"c/a_pg1_repeat1.md": "alpha"}, ["a.pdf"])
    scored = score(tmp_path, "c")
    assert scored.rejected == 1
    assert [row["id"] for row in scored.rows] == ["a.pdf-1", "a.pdf_baseline"]
    assert scored.rules[STRICT]["overall"] == 100.0


def test_odd_outputs_are_spoken_of(tmp_path: Path) -> None:
    outputs = {"c/a_pg1_repeat1.md": "alpha", "c/a_pg2_repeat1.md": "x", "c/q_pg1_repeat1.md": "x"}
    laid_out(tmp_path, {"x.jsonl": [present("a.pdf", 1)]}, outputs, ["a.pdf"])
    warnings = score(tmp_path, "c").warnings
    assert warnings == ["1 outputs of pages without a test: a#2", "1 outputs of no PDF of the bench: q"]


@contextmanager
def without_root() -> Iterator[None]:
    """Nobody's rights for a while: root's cover everything."""
    mine = os.geteuid()
    os.seteuid(65534 if mine == 0 else mine)
    try:
        yield
    finally:
        os.seteuid(mine)


@pytest.mark.parametrize("rights", [0o000, 0o444])
def test_a_folder_that_may_not_be_read_is_refused(rights: int) -> None:
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o755)
        folder = laid_out(Path(home), {"x.jsonl": []}, {"c/a_pg1_repeat1.md": "x"}, ["a.pdf"])
        (folder / "c").chmod(rights)
        with without_root():
            for read in (lambda: candidates(folder), lambda: read_candidate(folder, "c")):
                with pytest.raises(InputError, match="cannot be read"):
                    read()
        (folder / "c").chmod(0o755)


def test_a_sidecar_of_no_known_state_is_spoken_of(tmp_path: Path) -> None:
    outputs = {"c/a_pg1_repeat1.md": "words", "c/a_pg1_repeat1.json": '{"state": "weird"}'}
    folder = laid_out(tmp_path, {"x.jsonl": []}, outputs, ["a.pdf"])
    (output,) = read_candidate(folder, "c")["a"]
    assert output.state == "ok"
    assert "a_pg1_repeat1.json: state: must be one of" in output.sidecar["sidecar_error"]
