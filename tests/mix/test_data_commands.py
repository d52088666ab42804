"""`scriptorium data`: anyone's pairs validated and reported, in a process of its own."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scriptorium.mix.facts import count
from scriptorium.pages.front_matter import FrontMatter, encode

from .made import pdf
from .pairs_made import folder_of, printed, prose

SAMPLE = Path(__file__).parents[2].parent / "shared" / "data" / "mix-sample"


def run(*words: object) -> subprocess.CompletedProcess[str]:
    code = "from scriptorium.cli import main; main()"
    command = [sys.executable, "-c", code, "data", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True)


def pair(
    folder: Path, name: str, text: str | None, content: bytes | None = None, front: FrontMatter | None = None
) -> None:
    path = folder / f"{name}.pdf"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(printed(text or "") if content is None else content)
    path.with_suffix(".md").write_text(encode(front or FrontMatter("en" if text else None), text), "utf-8")


def test_pairs_of_any_depth_are_validated_by_page(tmp_path: Path) -> None:
    pair(tmp_path, "a/fine", prose(1))
    pair(tmp_path, "a/blank", None)
    pair(tmp_path, "b/two", prose(2), pdf(2))
    pair(tmp_path, "b/again", prose(1))
    pair(tmp_path, "b/broken", prose(3), b"nothing")
    pair(tmp_path, "b/maths", r"a formula \(\frac{a\) here")
    pair(tmp_path, "b/dollars", "so $x$ is")
    pair(tmp_path, "b/turned", prose(4), front=FrontMatter("en", False, 90))
    (tmp_path / "b" / "alone.md").write_text(encode(FrontMatter("en"), "x"))
    (tmp_path / "b" / "silent.pdf").write_bytes(printed("x"))
    (tmp_path / "b" / "headless.md").write_text("no front matter")
    (tmp_path / "b" / "headless.pdf").write_bytes(printed("no front matter"))
    (tmp_path / "README.md").write_text("about these pages")
    done = run("validate", tmp_path, "--json", tmp_path / "found.jsonl")
    assert done.returncode == 2, done.stderr
    lines = [json.loads(line) for line in (tmp_path / "found.jsonl").read_text().splitlines()]
    assert {(line["id"], line["level"], line["rule"]) for line in lines} == {
        ("b/again", "warning", "duplicates"),
        ("a/fine", "warning", "duplicates"),
        ("b/alone", "error", "pdf"),
        ("b/broken", "error", "pdf"),
        ("b/dollars", "warning", "repair delimiters"),
        ("b/headless", "error", "truth"),
        ("b/maths", "warning", "formulas"),
        ("b/silent", "error", "truth"),
        ("b/turned", "warning", "rotated"),
        ("b/two", "error", "pdf"),
    } - {("a/fine", "warning", "duplicates")}
    assert "11 pages, 5 with errors" in done.stdout
    assert "b/two: 2 pages; a pair has one: split the document" in done.stdout


def test_tests_of_a_bench_layout_are_validated_too(tmp_path: Path) -> None:
    test = {"pdf": "a_pg1.pdf", "page": 1, "id": "1", "type": "present", "text": "x"}
    bad = [test | {"id": "2", "pdf": "z.pdf"}, test | {"id": "3", "type": "presnt"}]
    pages = folder_of(tmp_path / "in", {"a": prose(1)}, tests={"text": [test]})
    assert run("validate", pages).returncode == 0
    pages = folder_of(tmp_path / "bad", {"a": prose(1)}, tests={"text": [test, *bad]})
    done = run("validate", pages)
    assert done.returncode == 2
    assert "line 2: z.pdf is not in pdfs/" in done.stdout
    assert "error tests: 2" in done.stdout


def test_a_folder_without_pages_is_refused(tmp_path: Path) -> None:
    done = run("validate", tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and "no page in it" in done.stderr


def test_the_report_counts_and_shows_pages_offline(tmp_path: Path) -> None:
    pages = folder_of(
        tmp_path / "in",
        {
            "a": "<script>alert(1)</script> the first page of words",
            "b": None,
            "c": "let x ∈ A be",
            "d": r"\(a\) " * 6 + "<table><tr><td>1</td></tr></table>",
        },
        fronts={"d": FrontMatter("de")},
    )
    assert run("filter", pages, "--out", tmp_path / "out", "--filter", "rules").returncode == 0
    done = run(
        "report", tmp_path / "out", "--out", tmp_path / "report", "--title", "Mine", "--licence", "cc0-1.0"
    )
    assert done.returncode == 0, done.stderr
    facts = json.loads((tmp_path / "report" / "report.json").read_text())
    assert (facts["pages"], facts["documents"], facts["formulas"], facts["tables"]) == (3, 3, 6, 1)
    assert facts["kinds"] == {"blank": 1, "formulas": 1, "text": 1}
    assert facts["rejected"] == {"unicode-maths": 1}
    assert facts["languages"] == {"de": 1, "en": 1, "none": 1}
    html = (tmp_path / "report" / "report.html").read_text()
    assert html.count("data:image/png;base64,") == 3
    assert "<math" in html and "<script" not in html
    assert not re.search(r"(src|href)=\"(?!data:)", html)
    card = (tmp_path / "report" / "README.md").read_text()
    assert card.startswith("---\nlicense: cc0-1.0\n")
    assert "- de\n- en\n---\n# Mine\n" in card
    again = run(
        "report", tmp_path / "out", "--out", tmp_path / "again", "--title", "Mine", "--licence", "cc0-1.0"
    )
    assert again.returncode == 0
    assert (tmp_path / "again" / "report.html").read_bytes() == html.encode()


def test_samples_are_of_every_kind(tmp_path: Path) -> None:
    texts: dict[str, str | None] = {f"t{number}": prose(number) for number in range(20)}
    facts = count(folder_of(tmp_path / "in", texts | {"blank": None}), 4)
    assert sorted(name for name, _ in facts.samples) == ["blank", "text", "text", "text"]
    assert dict(facts.histogram)["none"] == 1
    assert sum(number for _, number in facts.histogram) == 21


def test_the_sample_of_olmocr_s_mix_is_valid() -> None:
    if not SAMPLE.is_dir():
        pytest.skip("shared/data/mix-sample is not here")
    done = run("validate", SAMPLE)
    assert done.returncode == 0, done.stdout
    assert "3 pages, 0 with errors" in done.stdout
