"""The viewer's folder, and what is made of marks: pairs that `mix` reads, folders that the bench reads."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from scriptorium.bench.lint.folder import lint
from scriptorium.bench.outputs import read_candidate
from scriptorium.convert.plan import read_plan
from scriptorium.convert.viewer.bench import write_bench
from scriptorium.convert.viewer.data import facts, text_sha256
from scriptorium.convert.viewer.pairs import write_pairs
from scriptorium.convert.viewer.pictures import MOST_BYTES, Wanted, chosen, encoded
from scriptorium.convert.viewer.runs import open_runs, side_by_side
from scriptorium.convert.viewer.targets import Mark, read_marks
from scriptorium.convert.viewer.texts import rendered
from scriptorium.convert.viewer.write import MARKER, write_viewer
from scriptorium.errors import ConfigError, InputError
from scriptorium.mix.pairs import kept_pages
from scriptorium.mix.rows import pack
from scriptorium.pages.front_matter import decode
from scriptorium.pages.pdf import PdfWorker
from tests.convert.viewer.corpora import FRONT, convert, make_sources
from tests.faults.world import COMMAND

RECORDS: dict[tuple[str, int], dict[str, Any]] = {
    ("letter.pdf", 1): {"status": "ok", "text": "one"},
    ("letter.pdf", 2): {"status": "fallback_text", "text": "layer", "front": None},
    ("letter.pdf", 3): {"status": "blank", "text": "", "front": None},
    ("report.pdf", 1): {"status": "ok_rotated", "text": "turned", "rotation": 90},
    ("report.pdf", 2): {"status": "salvaged", "text": "half", "finish_reason": "length"},
    ("photo.png", 1): {"status": "ok", "text": "a photo"},
}
SETTINGS = {"weights": "one"}


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("corpus")
    return convert(make_sources(root), root / "out", SETTINGS, RECORDS)


def mark(out: Path, name: str, page: int, kind: str = "right", **more: Any) -> dict[str, Any]:
    """A mark on a page, as the viewer exports it."""
    run = open_runs([out])[0]
    row = next(row for row in run.rows() if Path(row["source"]).name == name and row["page"] == page)
    told = {"mark": kind, "document": row["document"], "page": page, "settings": run.id}
    return told | {"text_sha256": text_sha256(row.get("text") or "")} | more


def verdicts(folder: Path) -> dict[str, str]:
    """What became of the marked pages, by id: "" for those that were kept."""
    return {row["id"]: row["reason"] for row in pq.read_table(folder / "pages.parquet").to_pylist()}


def test_right_and_fixed_pages_become_pairs_that_mix_reads(out, tmp_path):
    fix = {"text": "by hand", "front": FRONT | {"primary_language": "de"}}
    marks = [
        mark(out, "letter.pdf", 1),
        mark(out, "letter.pdf", 2),
        mark(out, "letter.pdf", 3),
        mark(out, "report.pdf", 1),
        mark(out, "report.pdf", 2, "fixed", **fix),
        mark(out, "photo.png", 1, "fixed", **fix),
    ]
    done = write_pairs([Mark(**each) for each in marks], open_runs([out]), tmp_path / "pairs", out / "cache")
    assert done == (5, 1, 0)
    assert "text layer" in verdicts(tmp_path / "pairs")["letter_pg2"]
    kept = {row["id"]: row for row in kept_pages(tmp_path / "pairs")}
    assert sorted(kept) == ["deep/report_pg1", "deep/report_pg2", "letter_pg1", "letter_pg3", "photo.png_pg1"]
    texts = {name: decode((tmp_path / "pairs" / row["md"]).read_text()) for name, row in kept.items()}
    assert texts["letter_pg1"][1] == "one" and texts["deep/report_pg2"][1] == "by hand"
    assert (texts["letter_pg3"][0].primary_language, texts["letter_pg3"][1]) == (None, None)
    assert texts["photo.png_pg1"][0].primary_language == "de"
    with PdfWorker() as pdf:
        sizes = {name: pdf.pages(tmp_path / "pairs" / row["pdf"]) for name, row in kept.items()}
    assert {len(each) for each in sizes.values()} == {1}
    assert sizes["letter_pg1"][0] == (160, 80) and sizes["deep/report_pg1"][0] == (80, 160)
    pack(tmp_path / "pairs", tmp_path / "rows.parquet", 200)
    rows = pq.read_table(tmp_path / "rows.parquet").to_pylist()
    assert [row["id"] for row in rows] == sorted(kept) and all(row["image"] for row in rows)


def test_the_same_marks_in_any_order_make_the_same_bytes(out, tmp_path):
    marks = [Mark(**mark(out, name, 1)) for name in ("letter.pdf", "photo.png", "report.pdf")]
    write_pairs(marks, open_runs([out]), tmp_path / "one", out / "cache")
    write_pairs(marks[::-1], open_runs([out]), tmp_path / "other", out / "cache")
    files = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()]
    assert len(files) == 7
    assert all(
        (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes() for name in files
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"text_sha256": "0" * 64}, "text has changed"),
        ({"settings": "0" * 64}, "other settings"),
        ({"document": "0" * 64}, "no such page"),
        ({"mark": "fixed", "text": "x"}, "no front matter"),
        (
            {"mark": "fixed", "text": "x", "front": FRONT | {"primary_language": "English"}},
            "primary_language",
        ),
        ({"mark": "fixed", "text": "\ud800", "front": FRONT}, "not UTF-8"),
    ],
)
def test_a_mark_that_cannot_be_used_has_a_row_that_says_why(out, tmp_path, change, reason):
    marks = [Mark(**mark(out, "letter.pdf", 1) | change), Mark(**mark(out, "report.pdf", 1))]
    assert write_pairs(marks, open_runs([out]), tmp_path / "pairs", out / "cache")[:2] == (1, 1)
    assert any(reason in each for each in verdicts(tmp_path / "pairs").values())
    assert [row["id"] for row in kept_pages(tmp_path / "pairs")] == ["deep/report_pg1"]
    assert sorted(path.suffix for path in (tmp_path / "pairs/pdfs").rglob("*.*")) == [".md", ".pdf"]


def test_marks_of_which_none_can_be_learnt_from_are_refused(out, tmp_path):
    with pytest.raises(InputError, match="nothing to learn from"):
        write_pairs([Mark(**mark(out, "letter.pdf", 1, "wrong"))], open_runs([out]), tmp_path / "pairs")
    assert not (tmp_path / "pairs").exists()


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"mark": "right"}', '{"mark": "fine", "document": "", "page": 0}']
)
def test_a_line_that_is_no_mark_is_named(tmp_path, line):
    file = tmp_path / "marks.jsonl"
    file.write_text(f"\n{line}\n")
    with pytest.raises(InputError, match=r"marks.jsonl:2: not a mark"):
        read_marks(file)


def test_of_several_marks_on_a_page_the_last_counts(out, tmp_path):
    file = tmp_path / "marks.jsonl"
    lines = [mark(out, "letter.pdf", 1), mark(out, "letter.pdf", 3), mark(out, "letter.pdf", 1, "wrong")]
    file.write_text("".join(json.dumps(each) + "\n" for each in lines))
    assert [(each.page, each.mark) for each in read_marks(file)] == [(3, "right"), (1, "wrong")]


def test_a_bench_folder_has_single_pages_and_outputs_that_the_bench_reads_and_lints(out, tmp_path):
    done = write_bench(open_runs([out]), tmp_path / "bench", "all", out / "cache")
    assert done == (6, 0)
    outputs = read_candidate(tmp_path / "bench", "out")
    found = {page: (each[0].state, each[0].text) for page, each in outputs.items()}
    assert found == {
        "letter_pg1": ("ok", "one"),
        "letter_pg2": ("ok", "layer"),
        "letter_pg3": ("empty", ""),
        "deep/report_pg1": ("ok", "turned"),
        "deep/report_pg2": ("truncated", "half"),
        "photo.png_pg1": ("ok", "a photo"),
    }
    with PdfWorker() as pdf:
        assert all(len(pdf.pages(path)) == 1 for path in (tmp_path / "bench" / "pdfs").rglob("*.pdf"))
    test = {"pdf": "letter_pg1.pdf", "page": 1, "id": "a", "type": "present", "text": "one"}
    (tmp_path / "bench" / "words.jsonl").write_text(json.dumps(test) + "\n")
    findings = lint(tmp_path / "bench")
    assert all(found.severity != "error" for found in findings), findings


def test_the_viewer_is_written_over_a_viewer_and_nothing_else(out, tmp_path):
    runs = open_runs([out])
    first = write_viewer(runs, tmp_path / "site", "all", cache=out / "cache")
    pictures = {path: path.stat().st_mtime_ns for path in (tmp_path / "site/pictures").iterdir()}
    assert (first.pages, first.pictures, first.faults, len(pictures)) == (7, 6, 0, 6)
    turned = next(path for path in pictures if "-90-" in path.name)
    with Image.open(turned) as image:
        assert image.width < image.height
    again = write_viewer(runs, tmp_path / "site", "worst:2", cache=out / "cache")
    kept = list((tmp_path / "site/pictures").iterdir())
    assert (
        again.pictures == 2
        and all(path.stat().st_mtime_ns == pictures[path] for path in kept)
        and len(kept) == 2
    )
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="no viewer"):
        write_viewer(runs, tmp_path / "other")
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["mine.txt"]
    assert (tmp_path / "site" / MARKER).is_file()


def test_a_source_that_is_gone_costs_its_picture_and_no_text(tmp_path):
    out = convert(make_sources(tmp_path), tmp_path / "out", SETTINGS, RECORDS)
    (tmp_path / "in/letter.pdf").unlink()
    done = write_viewer(open_runs([out]), tmp_path / "site", "all", cache=out / "cache")
    assert (done.pages, done.pictures, done.faults) == (7, 3, 3)
    assert "gone or changed" in (tmp_path / "site/data/index.js").read_text()
    assert "one" in (tmp_path / "site/data/pages/00000.js").read_text()


def test_an_earlier_run_over_the_same_store_is_compared_by_its_settings(tmp_path):
    sources = make_sources(tmp_path)
    out = convert(sources, tmp_path / "out", SETTINGS, RECORDS)
    before = tmp_path / "before.json"
    before.write_text(json.dumps({"settings": SETTINGS}))
    convert(sources, out, {"weights": "two"}, {("letter.pdf", 1): {"status": "ok", "text": "uno"}})
    runs = open_runs([out, before])
    assert [run.name for run in runs] == ["out", "before"]
    found = {(row["source"], row["page"]): (row, other) for row, other in side_by_side(runs)}
    row, other = found[str(sources / "letter.pdf"), 1]
    assert (row["text"], other["text"]) == ("uno", "one")
    assert len(found) == len(read_plan(out / "plan.parquet"))


def test_pages_that_only_one_run_has_are_there(tmp_path):
    sources = make_sources(tmp_path)
    one = convert(sources, tmp_path / "one", SETTINGS, RECORDS)
    (sources / "letter.pdf").rename(tmp_path / "letter.pdf")
    other = convert(sources, tmp_path / "two", SETTINGS, RECORDS)
    assert sum(row is None for row, _ in side_by_side(open_runs([other, one]))) == 3
    assert sum(row is None for _, row in side_by_side(open_runs([one, other]))) == 3


@pytest.mark.parametrize("wrong", ["some", "worst", "worst:-1", "sample:x", ""])
def test_a_wrong_choice_of_pages_is_refused_before_the_work(out, tmp_path, wrong):
    with pytest.raises(ConfigError, match="--pages"):
        write_viewer(open_runs([out]), tmp_path / "site", wrong)
    assert not (tmp_path / "site").exists()


def test_the_command_makes_a_viewer_and_says_by_its_exit_code_what_could_not_be_used(out, tmp_path):
    def run(*words: object) -> tuple[int, str, str]:
        done = subprocess.run(
            [*COMMAND, "viewer", *map(str, words)], capture_output=True, text=True, timeout=100
        )
        return done.returncode, done.stdout, done.stderr

    cache = ("--cache", out / "cache")
    code, said, _ = run(out, "--to", tmp_path / "site", "--pages", "all", *cache)
    assert code == 0 and said.startswith("7 pages, 6 pictures, ")
    file = tmp_path / "marks.jsonl"
    lines = [mark(out, "letter.pdf", 1), mark(out, "letter.pdf", 2), mark(out, "letter.pdf", 3, "wrong")]
    file.write_text("".join(json.dumps(each) + "\n" for each in lines))
    code, said, error = run(out, "--pairs", file, "--to", tmp_path / "pairs", *cache)
    assert code == 3 and said.startswith("1 pairs") and "1 pages are only marked wrong" in said
    assert "pages.parquet says why" in error
    for words in ([out, "--pairs", file], [out, out, out], [tmp_path], [out, "--bench", "--pairs", file]):
        code, _, error = run(*words)
        assert code == 2 and error.startswith("error: "), words


def test_the_worst_pages_come_first_and_a_sample_is_always_the_same():
    pages = [Wanted(number, 0, {}, 0, (number % 4, 1.0, 0)) for number in range(100)]
    assert [page.number for page in chosen(pages, "worst:3")] == [0, 4, 8]
    assert chosen(pages, "sample:7") == chosen(pages, "sample:7") != chosen(pages, "worst:7")
    assert len(chosen(pages, "sample:1000")) == len(chosen(pages, "all")) == 100
    assert chosen(pages, "none") == []


def test_a_picture_of_noise_stays_small():
    import numpy as np

    noise = np.random.default_rng(0).integers(0, 255, (1280, 1000, 3), np.uint8)
    assert len(encoded(noise)) <= MOST_BYTES


@given(
    st.dictionaries(
        st.text(max_size=5), st.recursive(st.none() | st.floats() | st.text(max_size=5), st.lists)
    )
)
def test_signals_of_any_kind_can_be_shown(values):
    assert all(isinstance(name, str) and isinstance(value, str) for name, value in facts(values))


@given(st.text(alphabet="$\\()[]<>&\"'`ab1 \n|-_*", max_size=60))
def test_rendered_text_holds_no_tag_that_is_not_allowed(text):
    assert "<a" not in rendered(text) and "<script" not in rendered(text)


def test_dollars_are_formulas_and_prices_are_not():
    assert '<span class="formula">\\(x^2\\)</span>' in rendered("so $x^2$ is")
    for text in ("from $5 to $6", "$5", "`$x$`", "a $ b $ c", "\\$x$"):
        assert "formula" not in rendered(text), text
