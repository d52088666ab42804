"""The audited step: every drop and every repair has a reason, and what stays is whole."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from scriptorium.errors import ConfigError, InputError, ThresholdError
from scriptorium.files import read_jsonl, sha256_tree
from scriptorium.mix.audit import AUDIT, SUMMARY, audit
from scriptorium.mix.filters import Filters, parse
from scriptorium.mix.rows import pack
from scriptorium.pages import front_matter
from scriptorium.pages.front_matter import FrontMatter
from scriptorium.pages.pdf import PdfWorker
from scriptorium.pages.rotation import rotate

from .made import reasons
from .pairs_made import folder_of, prose

SCRIPT = Path(__file__).parents[2] / "workflow" / "scripts" / "filter_pairs.py"
ENGLISH = (
    "The committee met on the first Monday of the month and heard the report of the treasurer, who explained that "
    "the harbour dues had fallen since the winter and that the old bridge would have to be repaired before spring."
)
GERMAN = (
    "Der Ausschuss trat am ersten Montag des Monats zusammen und hörte den Bericht des Schatzmeisters, der erklärte, "
    "dass die Einnahmen seit dem Winter gesunken seien und die alte Brücke vor dem Frühling zu erneuern sei."
)


def test_each_filter_drops_its_page_with_its_reason(tmp_path: Path) -> None:
    pages = folder_of(
        tmp_path / "in",
        {
            "blank": None,
            "fine": ENGLISH,
            "german": GERMAN,
            "loop": "the same eight words come again and again " * 20,
            "maths": r"a formula \(\frac{a\) that does not render, after words enough to be long",
            "other": prose(1),
            "rotated": prose(2),
            "short": "tiny",
            "told": GERMAN.replace("Der", "Ein"),
        },
        fronts={
            "german": FrontMatter("de"),
            "rotated": FrontMatter("en", False, 90),
        },
        layers={"other": prose(3)},
    )
    told = ["rotated", "rules", "language=en", "language-agrees", "length=10-", "repetition", "layer"]
    summary = audit(pages, tmp_path / "out", parse(told))
    found = reasons(tmp_path / "out")
    assert {name.removesuffix("_pg1"): reason for name, reason in found.items()} == {
        "blank": "",
        "fine": "",
        "german": "language",
        "loop": "repetition",
        "maths": "formulas",
        "other": "layer",
        "rotated": "rotated",
        "short": "length",
        "told": "language-agrees",
    }
    assert summary["read"] == 9
    assert summary["kept"] == 2
    dropped = ["formulas", "language", "language-agrees", "layer", "length", "repetition", "rotated"]
    assert summary["dropped"] == dict.fromkeys(dropped, 1)
    lines = {line["id"]: line for line in read_jsonl(tmp_path / "out" / AUDIT)}
    assert lines["told_pg1"]["reason"].startswith("labelled en, reads as de")
    assert lines["rotated_pg1"] == {
        "id": "rotated_pg1", "action": "dropped", "rule": "rotated", "reason": "by 90 degrees, upright: False"
    }  # fmt: skip
    assert json.loads((tmp_path / "out" / SUMMARY).read_text())["kept"] == 2


def test_what_is_left_out_leaves_no_file_and_no_test(tmp_path: Path) -> None:
    tests = [
        {"pdf": f"{name}_pg1.pdf", "page": 1, "id": name, "type": "present", "text": "x"} for name in "ab"
    ]
    pages = folder_of(
        tmp_path / "in", {"a": "x ∈ A", "b": prose(1)}, tests={"text": tests, "more": tests[:1]}
    )
    audit(pages, tmp_path / "out", parse(["rules"]))
    names = {
        path.relative_to(tmp_path / "out").as_posix()
        for path in (tmp_path / "out").rglob("*")
        if path.is_file()
    }
    assert names == {"pages.parquet", SUMMARY, AUDIT, "text.jsonl", "pdfs/b_pg1.pdf", "pdfs/b_pg1.md"}
    assert read_jsonl(tmp_path / "out" / "text.jsonl") == tests[1:]
    row = pq.read_table(tmp_path / "out" / "pages.parquet").to_pylist()[0]
    assert (row["pdf"], row["md"], row["verdict"]) == ("", "", "rejected")
    assert row["reason"] == "unicode-maths: ∈"
    pack(tmp_path / "out", tmp_path / "rows.parquet", 64)
    assert len(pq.read_table(tmp_path / "rows.parquet")) == 1


def test_repairs_come_before_rules_and_are_logged(tmp_path: Path) -> None:
    pages = folder_of(
        tmp_path / "in", {"a": "| p | q |\n|---|---|\n| $x$ | $5 |", "b": "$a$ and $b$", "c": "words"}
    )
    summary = audit(pages, tmp_path / "out", parse(["repair", "rules"]))
    assert summary["dropped"] == {"markdown-tables": 1}  # a dollar alone in a cell: no repair is sure of it
    assert summary["repaired"] == {"delimiters": {"pages": 1, "places": 2}}
    text = (tmp_path / "out" / "pdfs" / "b_pg1.md").read_text()
    assert front_matter.decode(text) == (FrontMatter("en"), r"\(a\) and \(b\)")
    before, after = (tmp_path / name / "pdfs" / "c_pg1.md" for name in ("in", "out"))
    assert after.read_bytes() == before.read_bytes()
    assert (tmp_path / "in" / "pdfs" / "b_pg1.md").read_text().endswith("$a$ and $b$")


def test_a_page_turned_anew_says_how_to_turn_it_back(tmp_path: Path) -> None:
    pages = folder_of(tmp_path / "in", {f"p{number:02}": prose(number) for number in range(12)})
    summary = audit(pages, tmp_path / "out", parse(["rotate=1.0"]))
    assert summary["repaired"]["rotate"]["pages"] == 12
    seen = set()
    with PdfWorker() as worker:
        for number in range(12):
            name = f"pdfs/p{number:02}_pg1"
            front, text = front_matter.decode((tmp_path / "out" / f"{name}.md").read_text())
            assert not front.is_rotation_valid
            assert text == prose(number)
            turned = worker.render(tmp_path / "out" / f"{name}.pdf", 1, 400)
            upright = worker.render(pages / f"{name}.pdf", 1, 400)
            back = rotate(turned, front.rotation_correction).astype(int)
            assert back.shape == upright.shape
            assert (
                np.abs(back - upright.astype(int)).mean()
                < np.abs(back[::-1, ::-1] - upright.astype(int)).mean()
            )
            seen.add(front.rotation_correction)
    assert seen == {90, 180, 270}


def test_near_duplicates_stay_once(tmp_path: Path) -> None:
    first = prose(1, 300)
    pages = {
        "a": first,
        "b": first + " and a few words more",
        "c": prose(2, 300),
        "d": first,
        "e": None,
        "f": None,
    }
    folder = folder_of(tmp_path / "in", pages, layers={"d": prose(9)})
    audit(folder, tmp_path / "text", parse(["duplicates=0.8"]))
    assert {name[0]: reason for name, reason in reasons(tmp_path / "text").items()} == {
        "a": "", "b": "duplicates", "c": "", "d": "duplicates", "e": "", "f": ""
    }  # fmt: skip
    lines = read_jsonl(tmp_path / "text" / AUDIT)
    assert [line["reason"] for line in lines] == ["98% of a_pg1", "100% of a_pg1"]
    folder = folder_of(tmp_path / "more", {"a": prose(1, 300), "b": prose(2, 300), "c": prose(3, 300)},
                       layers={"c": prose(1, 300)})  # fmt: skip
    audit(folder, tmp_path / "image", parse(["image-duplicates"]))
    assert reasons(tmp_path / "image") == {"a_pg1": "", "b_pg1": "", "c_pg1": "image-duplicates"}


def bench_with(folder: Path, text: str, printed: str) -> Path:
    return folder_of(folder, {"measured": text}, layers={"measured": printed})


@pytest.mark.parametrize("known", ["truth", "layer", "test", "image"])
def test_a_page_known_to_the_bench_fails_the_step(tmp_path: Path, known: str) -> None:
    shared = prose(5, 300)
    tests = [{"pdf": "measured_pg1.pdf", "page": 1, "id": "t", "type": "present", "text": shared}]
    bench = folder_of(
        tmp_path / "bench",
        {"measured": shared if known == "truth" else prose(6, 60)},
        layers={"measured": shared if known in ("layer", "image") else prose(7, 60)},
        tests={"text": tests} if known == "test" else None,
    )
    pages = folder_of(
        tmp_path / "in",
        {"clean": prose(8, 60), "leak": prose(9, 60) if known == "image" else prose(3) + " " + shared},
        layers={"leak": shared} if known == "image" else None,
    )
    with pytest.raises(ThresholdError, match=r"1 of 2 pages are known .*leak_pg1"):
        audit(pages, tmp_path / "out", Filters(), [bench])
    assert not (tmp_path / "out").exists()
    audit(pages, tmp_path / "out", parse(["contamination=drop"]), [bench])
    assert reasons(tmp_path / "out") == {"clean_pg1": "", "leak_pg1": "contamination"}
    audit(pages, tmp_path / "off", parse(["contamination=off"]), [bench])
    assert reasons(tmp_path / "off") == {"clean_pg1": "", "leak_pg1": ""}


def test_twelve_words_in_common_are_no_contamination(tmp_path: Path) -> None:
    shared = prose(5, 12)
    bench = folder_of(tmp_path / "bench", {"measured": f"{prose(6)} {shared} {prose(7)}"})
    pages = folder_of(tmp_path / "in", {"a": f"{prose(8)} {shared} {prose(9)}"})
    assert audit(pages, tmp_path / "out", Filters(), [bench])["kept"] == 1


def test_a_deny_list_by_id_address_domain_and_hash(tmp_path: Path) -> None:
    pages = folder_of(tmp_path / "in", {name: prose(number) for number, name in enumerate("abcdefg")})
    rows = {row["document"]: row for row in pq.read_table(pages / "pages.parquet").to_pylist()}
    urls = {
        "a": "https://x.example.com/1.pdf",
        "b": "https://example.org/2.pdf",
        "c": "http://notexample.com/3",
    }
    lines = "".join(json.dumps({"id": name, "url": url}) + "\n" for name, url in urls.items())
    (pages / "urls.jsonl").write_text(lines)
    deny = tmp_path / "deny.txt"
    listed = ["# not wanted", "", "domain: *.example.com # all", "url: https://example.org/2.pdf", "id: d_pg*",
              "id: e", f"sha256: {rows['f']['sha256'].upper()}"]  # fmt: skip
    deny.write_text("\n".join(listed))
    audit(pages, tmp_path / "out", parse([f"deny={deny}"]))
    left = [name for name, reason in reasons(tmp_path / "out").items() if not reason]
    assert left == ["c_pg1", "g_pg1"]
    assert (tmp_path / "out" / "audit" / "urls.jsonl").read_text() == lines
    deny.write_text("id: a\nwhatever\n")
    with pytest.raises(ConfigError, match=r"deny.txt:2: 'whatever'; expected id: …"):
        audit(pages, tmp_path / "out", parse([f"deny={deny}"]))


def test_too_few_pages_left_is_an_error_and_leaves_what_was_there(tmp_path: Path) -> None:
    pages = folder_of(tmp_path / "in", {"a": "x ∈ A", "b": prose(1)})
    audit(pages, tmp_path / "out", Filters())
    was = sha256_tree(tmp_path / "out")
    with pytest.raises(ThresholdError, match=r"1 of 2 pages are left, keep=0.6"):
        audit(pages, tmp_path / "out", parse(["rules", "keep=0.6"]))
    with pytest.raises(ThresholdError, match="0 of 2"):
        audit(pages, tmp_path / "out", parse(["length=90000-"]))
    assert sha256_tree(tmp_path / "out") == was
    audit(pages, tmp_path / "again", Filters())
    assert sha256_tree(tmp_path / "again") == was


def test_faulty_pages_are_dropped_and_faulty_folders_refused(tmp_path: Path) -> None:
    pages = folder_of(tmp_path / "in", {"a": prose(1), "b": prose(2), "c": prose(3)})
    (pages / "pdfs" / "a_pg1.md").write_text("---\nprimary_language: en\nno end")
    (pages / "pdfs" / "b_pg1.pdf").write_bytes(b"%PDF-1.4 nothing")
    audit(pages, tmp_path / "out", parse(["layer"]))
    assert reasons(tmp_path / "out") == {"a_pg1": "truth", "b_pg1": "pdf", "c_pg1": ""}
    with pytest.raises(InputError, match="no pdfs/ in it"):
        audit(pages, tmp_path / "out", Filters(), [tmp_path])
    with pytest.raises(InputError, match="name a folder of pairs"):
        audit(tmp_path, tmp_path / "out", Filters())


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ("rotatedd", "did you mean rotated"),
        ("rotated=1", "has no value"),
        ("language", "no value; write language=VALUE"),
        ("language=english", "two letters"),
        ("rules=formula", "did you mean formulas"),
        ("duplicates=2", "a share from 0 to 1"),
        ("image-duplicates=8", "from 0 to 7"),
        ("length=9-3", "characters from-to"),
        ("contamination=maybe", "fail, drop or off"),
    ],
)
def test_a_filter_that_cannot_be_understood_says_what_can(told: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse([told])


def test_filters_of_olmocr_and_of_one_s_own() -> None:
    found = parse(["olmocr", "rotate=0.5", "rules=html,formulas", "length=20-30"])
    assert found.rotated and found.repair
    assert found.rotate == 0.5
    assert found.rules == ("html", "formulas")
    assert found.length == (20, 30)


def test_the_script_ends_with_the_error_s_code(tmp_path: Path) -> None:
    pages = folder_of(tmp_path / "in", {"a": prose(1)})
    bench = folder_of(tmp_path / "bench", {"m": prose(1)})
    command = [sys.executable, SCRIPT, "--pages", pages, "--out", tmp_path / "out", "--against", bench]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 4
    assert "contaminated a_pg1" in done.stderr
    done = subprocess.run([*command, "--filter", "contamination=off"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "1 of 1 pages kept" in done.stderr
