"""Linting: every fault named with file and line, nothing else named, repairs that touch nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from scriptorium.bench.lint import CODES, Finding, lint
from scriptorium.bench.lint.language import language
from scriptorium.bench.lint.repair import apply, plan
from scriptorium.bench.tests import load_tests
from scriptorium.errors import InputError
from scriptorium.files import sha256_tree

from .shared import sample

LONG = "a text that is long enough to be found"


def test(name: str, kind: str = "present", **fields: object) -> dict:
    place = {"pdf": "a.pdf", "page": 1, "id": name, "type": kind}
    return place | ({"text": LONG} if kind in ("present", "absent") else {}) | fields


test.__test__ = False  # type: ignore[attr-defined]


def order(name: str, before: str, after: str, **fields: object) -> dict:
    return test(name, "order", before=before, after=after, **fields)


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    root = tmp_path / "bench"
    for name, pages in {"a": 1, "b": 2}.items():
        (root / "pdfs").mkdir(parents=True, exist_ok=True)
        image = Image.new("RGB", (60, 80), "white")
        image.save(
            root / f"pdfs/{name}.pdf", format="PDF", save_all=True, append_images=[image] * (pages - 1)
        )
    return root


def written(root: Path, *tests: dict | str, name: str = "facts") -> Path:
    lines = [one if isinstance(one, str) else json.dumps(one) for one in tests]
    (root / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8", errors="surrogateescape")
    return root


def found(root: Path, *codes: str) -> list[tuple[str, int | None, str | None]]:
    return [(f.code, f.line, f.id) for f in lint(root) if f.code in codes or not codes]


def only(root: Path) -> list[Finding]:
    """The findings but for those on pages that these small benches leave alone."""
    return [f for f in lint(root) if f.code not in ("page_untested", "null_passes")]


def test_a_good_bench_has_nothing_to_name(bench: Path) -> None:
    fine = [test("t1"), order("t2", "one thing here", "another place"), test("t3", pdf="b.pdf")]
    assert lint(written(bench, *fine, test("t4", pdf="b.pdf", page=2, text="other words"))) == []


def test_every_broken_line_is_named_and_every_field_of_it(bench: Path) -> None:
    deep = "[" * 100_000
    bad = test("t5", max_diffs=-1, colour="red", case_sensitive="no")
    bare = '{"type": "present"}'
    written(
        bench, "{broken", "", '"text"', "\udcff{}", deep, '{"a": "\\ud800"}', bad, test("t6", "riddle"), bare
    )
    told = [(f.code, f.line, f.message.split(":")[0]) for f in lint(bench) if f.line]
    assert told == [
        ("not_json", 1, "is not JSON"),
        ("bad_test", 3, "a test is a JSON object"),
        ("not_json", 4, "is not UTF-8 text"),
        ("not_json", 5, "is not JSON"),
        (
            "not_json",
            6,
            "holds half a surrogate pair, which no text can; write the character; mend the line by hand",
        ),
        ("bad_test", 7, "case_sensitive"),
        ("bad_test", 7, "colour"),
        ("bad_test", 7, "max_diffs"),
        ("bad_test", 8, "type"),
        ("bad_test", 9, "id"),
        ("bad_test", 9, "page"),
        ("bad_test", 9, "pdf"),
        ("bad_test", 9, "text"),
    ]


def test_values_nested_to_any_depth_or_of_any_length_are_named(bench: Path) -> None:
    depths = [*range(900, 1010, 5), 50_000]
    nested = [
        json.dumps(test(f"t{depth}", text="@")).replace('"@"', "[" * depth + "]" * depth) for depth in depths
    ]
    written(bench, *nested, json.dumps(test("long", max_diffs="9" * 1_000_000)))
    told = [f for f in lint(bench) if f.line]
    assert {f.line for f in told} == set(range(1, len(depths) + 2))
    assert {f.code for f in told} == {"not_json", "bad_test"}
    assert max(len(f.message) for f in told) < 300


def test_a_test_file_that_is_a_folder_is_named(bench: Path) -> None:
    (bench / "odd.jsonl").mkdir()
    written(bench, test("t1"))
    assert found(bench, "unreadable_file") == [("unreadable_file", None, None)]
    with pytest.raises(InputError, match=r"odd.jsonl: may name a PDF"):
        plan(bench, unused=True)


def test_ids_are_unique_in_the_bench_and_keys_in_a_line(bench: Path) -> None:
    twice = json.dumps(test("t3"))[:-1] + ', "text": "other"}'
    written(bench, test("t1"), test("t1"), test("t2"), twice)
    written(bench, test("t2", text="other"), test("a.pdf_baseline", text="more"), name="more")
    codes = ("exact_duplicate", "id_twice", "id_automatic", "key_twice")
    assert [(f.file, f.code, f.line) for f in lint(bench) if f.code in codes] == [
        ("facts.jsonl", "exact_duplicate", 2),
        ("facts.jsonl", "key_twice", 4),
        ("more.jsonl", "id_twice", 1),
        ("more.jsonl", "id_automatic", 2),
    ]


def test_an_explicit_baseline_test_may_have_the_automatic_id(bench: Path) -> None:
    assert not found(written(bench, test("a.pdf_baseline", "baseline")), "id_automatic")


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (test("t", max_diffs=len(LONG)), "constant"),
        (test("t", max_diffs=len(LONG) - 1), "max_diffs"),
        (test("t", max_diffs=2), None),
        (test("t", first_n=10), "constant"),
        (test("t", "absent", last_n=0), "constant"),
        (test("t", first_n=100), None),
        (test("t", text="1136.50", max_diffs=1), "fuzzy_number"),
        (test("t", "table", cell="12 345", max_diffs=1), "fuzzy_number"),
        (test("t", "table", cell="", up=None), "constant"),
        (test("t", "table", cell="", up="Total"), None),
        (order("t", "alpha beta gamma", "alpha beta gamma"), "confusable"),
        (order("t", "alpha beta gamma 1", "alpha beta gamma 2", max_diffs=1), "confusable"),
        (order("t", "alpha beta gamma 1", "alpha beta gamma 2"), None),
        (order("t", "beta gamma", "alpha beta gamma delta"), "contained"),
        (test("t", checked="rejected"), "rejected"),
        (test("t", checked="perhaps"), "checked_unknown"),
        (test("t", checked="verified"), None),
        (test("t", "math", math="\\frac{a}{b} + c"), None),
        (test("t", "math", math="\\frac{a"), "formula_error"),
        (test("t", "math", math="\\quad"), "formula_blank"),
        (test("t", pdf="c.pdf"), "pdf_missing"),
        (test("t", pdf="../pdfs/a.pdf"), "pdf_missing"),
        (test("t", pdf="b.pdf", page=3), "page_missing"),
    ],
)  # fmt: skip
def test_a_fault_of_one_test(bench: Path, record: dict, code: str | None) -> None:
    told = only(written(bench, "", record))
    assert [(f.code, f.line, f.id) for f in told] == ([(code, 2, "t")] if code else [])


@pytest.mark.parametrize(
    ("tests", "lines"),
    [
        ([test("t1"), test("t2", "absent")], [2]),
        ([test("t1"), test("t2", "absent", text="long enough")], [2]),
        ([test("t1", max_diffs=2), test("t2", "absent", text="long enough")], []),
        ([test("t1"), test("t2", "absent", first_n=200)], []),
        ([test("t1", first_n=100), test("t2", "absent", first_n=200)], [2]),
        ([test("t1", text=LONG.upper()), test("t2", "absent")], []),
        ([test("t1", text=LONG.upper()), test("t2", "absent", case_sensitive=False)], [2]),
        ([test("t1", case_sensitive=False), test("t2", "absent")], []),
        ([test("t1"), test("t2", "absent", page=2, pdf="b.pdf")], []),
        ([test("t1"), test("t2", "absent", checked="rejected")], []),
        ([order("t1", "one two", "three"), order("t2", "three", "one  two")], [1]),
        ([order("t1", "one", "two"), order("t2", "two", "three"), order("t3", "one", "three")], []),
        ([order("t1", "one", "two"), order("t2", "two", "three"), order("t3", "three", "one")], [1]),
        ([test("t1", "chain", items=["one", "two", "three"]), order("t2", "three", "one")], [1]),
        ([test("t1", "baseline", max_length=5), test("t2")], [1]),
        ([test("t1", "table", cell="Total profit"), test("t2", "absent", text="profit")], [2]),
        ([test("t1", "list", items=["one", "two"]), test("t2", "absent", text="two")], [2]),
        ([order(f"t{n}", f"item {n}", f"item {n + 1}") for n in range(300)], []),
        ([test("t1", "count", text="x yz", times=2), test("t2", "count", text="x yz", times=3)], [2]),
    ],
)
def test_contradictions_are_named_once(bench: Path, tests: list[dict], lines: list[int]) -> None:
    assert [line for _, line, _ in found(written(bench, *tests), "contradiction")] == lines


def test_the_same_fact_asked_twice(bench: Path) -> None:
    near = LONG.replace("found", "fount")
    written(bench, test("t1"), test("t2", text=f"**{LONG}**"), test("t3", text=near), test("t4", pdf="b.pdf"))
    assert found(bench, "duplicate", "near_duplicate") == [
        ("duplicate", 2, "t2"), ("near_duplicate", 3, "t3")
    ]  # fmt: skip


def test_pdfs_that_cannot_be_used_and_pages_without_tests(bench: Path) -> None:
    (bench / "pdfs/broken.pdf").write_bytes(b"%PDF-1.4 broken")
    (bench / "pdfs/other.PDF").write_bytes(b"")
    written(bench, test("t1", pdf="b.pdf", page=2), test("t2", pdf="broken.pdf"))
    told = {(f.code, f.file) for f in lint(bench)}
    assert told == {
        ("pdf_unreadable", "pdfs/broken.pdf"),
        ("pdf_ending", "pdfs/other.PDF"),
        ("page_untested", "pdfs/a.pdf"),
        ("page_untested", "pdfs/b.pdf"),
    }


def test_a_folder_without_tests_or_pdfs_is_an_error_not_a_crash(tmp_path: Path) -> None:
    assert [f.code for f in lint(tmp_path)] == ["no_tests"]
    with pytest.raises(InputError, match="no such folder"):
        lint(tmp_path / "nowhere")


def candidate(root: Path, name: str, **files: str | bytes) -> None:
    for stem, text in files.items():
        path = root / name / f"{stem}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def test_files_of_candidates_that_do_not_count(bench: Path) -> None:
    written(bench, test("t1"), test("t2", pdf="b.pdf"), test("t3", pdf="b.pdf", page=2))
    candidate(bench, "tool", a_pg1_repeat1=LONG, b_pg1_repeat1=b"\xff", b_pg3_repeat1="x", a_pg0_repeat1="x")
    candidate(bench, "tool", c_pg1_repeat1="x", notes="x")
    (bench / "tool/a_pg1_repeat1.json").write_text("{")
    candidate(bench, "strange", README="x")
    (bench / ".hidden").mkdir()
    told = [(f.code, f.file) for f in lint(bench) if f.code not in ("null_passes", "none_passes", "all_pass")]
    assert told == [
        ("folder_unmatched", "strange"),
        ("pages_missing", "tool"),
        ("output_no_page", "tool/a_pg0_repeat1.md"),
        ("sidecar", "tool/a_pg1_repeat1.md"),
        ("output_unreadable", "tool/b_pg1_repeat1.md"),
        ("output_no_page", "tool/b_pg3_repeat1.md"),
        ("output_no_page", "tool/c_pg1_repeat1.md"),
        ("output_misnamed", "tool/notes.md"),
    ]
    assert [f.code for f in lint(bench, ["nobody"]) if f.file == "nobody"] == ["candidate_missing"]


def test_outputs_without_measure_are_named_and_judged(bench: Path) -> None:
    written(bench, test("t1"), test("t2", "table", cell="none of these"), test("t3", "baseline"))
    candidate(bench, "loop", a_pg1_repeat1="spam and eggs " * 750_000)
    candidate(bench, "cells", a_pg1_repeat1="<table>" + "<tr><td>x</td></tr>" * 100_000 + "</table>")
    candidate(bench, "nested", a_pg1_repeat1="<table><tr><td>" * 3000 + "$" + "{" * 3000)
    told = found(bench, "output_large", "judge_error", "none_passes")
    assert [each[0] for each in told].count("output_large") == 2
    assert ("none_passes", 1, "t1") in told
    assert "judge_error" not in [each[0] for each in told]


def test_tests_that_tell_no_candidates_apart(bench: Path) -> None:
    written(
        bench,
        test("t1"),
        test("t2", text="not there"),
        test("t3", text="only in one"),
        test("t4", "absent", pdf="b.pdf"),
    )
    candidate(bench, "one", a_pg1_repeat1=f"{LONG} only in one")
    assert not found(bench, "all_pass", "none_passes")
    candidate(bench, "two", a_pg1_repeat1=LONG, a_pg1_repeat2=f"{LONG} only in one")
    codes = found(bench, "all_pass", "none_passes")
    assert [each for each in codes if each[2] != "t4"] == [("all_pass", 1, "t1"), ("none_passes", 2, "t2")]


def test_what_an_empty_output_passes(bench: Path) -> None:
    blank = test("t3", "baseline", pdf="b.pdf", page=2, max_length=0)
    written(bench, test("t1", "absent"), blank, test("t2", "absent", pdf="b.pdf"))
    assert found(bench, "null_passes") == [("null_passes", 3, "t2")]


def test_a_page_in_another_language_is_hinted_at(bench: Path) -> None:
    english = "It was the best of times, it was the worst of times, and this is for all that it is."
    german = (
        "Der Mensch ist frei geschaffen, ist frei, und wird er auch in Ketten von der Welt nicht gesehen."
    )
    tests = [
        test("t1", text=english),
        test("t2", pdf="b.pdf", text=english),
        test("t3", pdf="b.pdf", page=2, text=german),
    ]
    assert found(written(bench, *tests), "language") == [("language", 3, "t3")]
    assert (language(english), language(german), language("12 345")) == ("English", "German", None)


def test_every_code_has_a_severity_and_reads_well(bench: Path) -> None:
    written(bench, "{", test("t1", colour=1))
    lines = [str(finding) for finding in lint(bench)]
    assert lines[0].startswith("facts.jsonl:1: error not_json: is not JSON")
    assert lines[1].startswith("facts.jsonl:2: error bad_test: t1: colour: ")
    assert set(CODES.values()) == {"error", "warning", "note"}


def test_the_sample_has_no_errors() -> None:
    assert [str(f) for f in lint(sample()) if f.severity == "error"] == []


def run(*options: object) -> subprocess.CompletedProcess[str]:
    program = "from scriptorium.cli import main; main()"
    command = [sys.executable, "-c", program, "bench", "lint", *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_the_command_says_what_it_found_and_exits_by_it(bench: Path, tmp_path: Path) -> None:
    twin = json.dumps(test("t1"))
    written(bench, twin, twin, test("t2", pdf="b.pdf", checked="rejected"))
    first = run(bench, "--json", tmp_path / "found.json")
    assert first.returncode == 2
    report = json.loads((tmp_path / "found.json").read_text())
    assert report["counts"]["error"] == 1
    assert {"severity": "error", "code": "exact_duplicate", "line": 2}.items() <= report["findings"][
        0
    ].items()
    before = sha256_tree(bench)
    assert run(bench, "--drop-unused").returncode == 2
    assert sha256_tree(bench) == before
    second = run(bench, "--fix", "--drop-rejected", "--drop-unused")
    assert second.returncode == 0, second.stdout
    assert "facts.jsonl:2: dropped, the same test stands in facts.jsonl:1" in second.stdout
    assert "facts.jsonl:3: dropped, test t2 was rejected" in second.stdout
    assert "pdfs/b.pdf: dropped, no test names it" in second.stdout
    assert (bench / "facts.jsonl").read_text() == twin
    assert not (bench / "pdfs/b.pdf").exists()


def test_unused_pdfs_stay_where_a_line_cannot_be_read(bench: Path) -> None:
    written(bench, test("t1"), '{"pdf": "b.pdf", broken')
    with pytest.raises(InputError, match=r"facts.jsonl:2: may name a PDF"):
        plan(bench, unused=True)
    assert plan(bench) == []


LINE = st.sampled_from(
    [
        *(json.dumps(test(name)) for name in ("t1", "t2")),
        json.dumps(test("t3", checked="rejected")),
        '{"id":  "t1", "broken',
        "",
        " ",
        "\r",
        json.dumps(test("t1")) + "\r",
        json.dumps(test("é", text="é"), ensure_ascii=False),
    ]
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(LINE, max_size=8))
def test_repairs_only_ever_take_out_lines(tmp_path: Path, lines: list[str]) -> None:
    root = tmp_path
    (root / "pdfs").mkdir(exist_ok=True)
    (root / "facts.jsonl").write_bytes("\n".join(lines).encode())
    repairs = plan(root, rejected=True)
    apply(root, repairs)
    kept = (root / "facts.jsonl").read_bytes().decode().split("\n")
    gone = {repair.line for repair in repairs}
    assert kept == ([line for number, line in enumerate(lines, 1) if number not in gone] or [""])
    assert plan(root, rejected=True) == []
    ids = [json.loads(line)["id"] for line in kept if line.strip() and "broken" not in line]
    assert len(ids) == len(set(ids))
    assert "t3" not in ids


def test_without_repairs_nothing_is_written(bench: Path) -> None:
    written(bench, test("t1"), test("t1", text="other"))
    before = sha256_tree(bench)
    apply(bench, plan(bench))
    assert sha256_tree(bench) == before
    with pytest.raises(InputError):
        load_tests(bench / "facts.jsonl")
