"""Candidates and benches made of others: what is written, what is refused, sources left as they are."""

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from rapidfuzz.distance import Levenshtein
from typer.testing import CliRunner

from scriptorium.bench.folder import load_bench
from scriptorium.bench.outputs import read_candidate
from scriptorium.bench.prepare.decontaminate import decontaminate, plain_url, shingles
from scriptorium.bench.prepare.degrade import Damage, degrade
from scriptorium.bench.prepare.medoid import medoid, middle
from scriptorium.bench.prepare.rotate import choose, rotate
from scriptorium.bench.prepare.split_tables import split_tables
from scriptorium.bench.prepare.workspace import from_workspace
from scriptorium.bench.tests import TestError, load_tests
from scriptorium.cli import app
from scriptorium.errors import ConfigError, InputError
from scriptorium.files import sha256_tree
from scriptorium.pages.pdf import PdfError, PdfWorker

from .shared import sample

TEXT = "the quick brown fox jumps over the lazy dog while seven wizards brew a potion of ink and paper"


def drawn(path: Path, pages: int = 1, word: str = "Hello") -> None:
    """A PDF of pages with a word in the upper left."""
    images = []
    for number in range(1, pages + 1):
        image = Image.new("RGB", (200, 300), "white")
        ImageDraw.Draw(image).text((20, 20), f"{word} {number}", fill="black")
        images.append(image)
    path.parent.mkdir(parents=True, exist_ok=True)
    images[0].save(path, format="PDF", save_all=True, append_images=images[1:])


def write_tests(path: Path, *tests: dict) -> None:
    path.write_text("".join(json.dumps(test) + "\n" for test in tests))


def present(pdf: str, page: int, name: str, text: str = "alpha", **more: object) -> dict:
    return {"pdf": pdf, "page": page, "id": name, "type": "present", "text": text, **more}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Path]:
    root = tmp_path / "bench"
    drawn(root / "pdfs/sub/a.pdf")
    drawn(root / "pdfs/b.pdf", pages=2)
    write_tests(root / "facts.jsonl", present("sub/a.pdf", 1, "t1"), present("b.pdf", 2, "t2"))
    before = sha256_tree(root / "pdfs"), (root / "facts.jsonl").read_bytes()
    yield root
    assert (sha256_tree(root / "pdfs"), (root / "facts.jsonl").read_bytes()) == before


def document(source: str, text: str, **attributes: object) -> dict:
    return {"text": text, "metadata": {"Source-File": source}, "attributes": attributes}


def workspace(folder: Path, *documents: dict) -> Path:
    (folder / "results").mkdir(parents=True, exist_ok=True)
    write_tests(folder / "results/output_1.jsonl", *documents)
    return folder


def test_a_workspace_becomes_a_candidate_page_by_page(bench: Path, tmp_path: Path) -> None:
    two = document("s3://x/pdfs/b.pdf", "one\ntwo", pdf_page_numbers=[[0, 4, 1], [4, 7, 2]])
    other = document("/elsewhere/pdfs/strange.pdf", "?")
    folder = workspace(tmp_path / "w", document("/data/pdfs/sub/a.pdf", "alpha"), two, other)
    done = from_workspace(folder, bench, "tool")
    assert (done.written, done.missing, done.unknown) == (3, 0, ["/elsewhere/pdfs/strange.pdf"])
    texts = {page: [o.text for o in each] for page, each in read_candidate(bench, "tool").items()}
    assert texts == {"sub/a": ["alpha"], "b": ["one"], "b#2": ["two"]}


def test_pages_that_a_workspace_lacks_stay_missing(bench: Path, tmp_path: Path) -> None:
    gone = document("b.pdf", "x", pdf_page_numbers=[[0, 1, 1], [1, 1, 2]], page_status=["ok", "gave_up"])
    done = from_workspace(workspace(tmp_path / "w", gone), bench, "tool")
    assert (done.written, done.missing) == (1, 2)
    assert sorted(path.name for path in (bench / "tool").rglob("*.md")) == ["b_pg1_repeat1.md"]
    assert json.loads((bench / "tool/sub/a_pg1_repeat1.json").read_text())["state"] == "missing"
    assert json.loads((bench / "tool/b_pg2_repeat1.json").read_text())["state"] == "error"


def test_repeats_are_kept_apart_and_never_overwritten(bench: Path, tmp_path: Path) -> None:
    for repeat in (1, 3):
        text = f"text {repeat}"
        from_workspace(workspace(tmp_path / "w", document("pdfs/sub/a.pdf", text)), bench, "tool", repeat)
    assert [output.text for output in read_candidate(bench, "tool")["sub/a"]] == ["text 1", "text 3"]
    with pytest.raises(ConfigError, match="has repeat 3 already"):
        from_workspace(tmp_path / "w", bench, "tool", 3)


def test_our_own_gzip_outputs_are_read_too(bench: Path, tmp_path: Path) -> None:
    (tmp_path / "w/dolma").mkdir(parents=True)
    with gzip.open(tmp_path / "w/dolma/00000.jsonl.gz", "wt") as file:
        file.write(json.dumps(document("a.pdf", "alpha")))
    assert from_workspace(tmp_path / "w", bench, "tool").written == 1


@pytest.mark.parametrize(
    ("content", "told"), [("{", "not JSON lines"), ("{}", ":1: not a document"), (None, "no results")]
)
def test_a_workspace_that_is_none_is_refused(
    bench: Path, tmp_path: Path, content: str | None, told: str
) -> None:
    (tmp_path / "w/results").mkdir(parents=True)
    if content:
        (tmp_path / "w/results/x.jsonl").write_text(content)
    with pytest.raises(InputError, match=told):
        from_workspace(tmp_path / "w", bench, "tool")
    assert not (bench / "tool").exists()
    with pytest.raises(ConfigError, match="--name"):
        from_workspace(tmp_path / "w", bench, "../tool")


def outputs(folder: Path, stem: str, *texts: str | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(texts, 1):
        path = folder / f"{stem}_repeat{number}.md"
        path.write_bytes(b"\xff" if text is None else text.encode())


def test_the_medoid_is_the_text_most_like_the_others(bench: Path) -> None:
    outputs(bench / "tool/sub", "a_pg1", "alpha beta", "alpha beto", "zzz", "alpha betoo")
    outputs(bench / "tool", "b_pg1", "first", "second")
    outputs(bench / "tool", "b_pg2", None)
    assert medoid(bench, "tool", "middle") == (1, 1, 1)
    found = read_candidate(bench, "middle")
    assert [output.text for output in found["sub/a"]] == ["alpha beto"]
    assert found["sub/a"][0].sidecar["repeat"] == 2
    assert [output.text for output in found["b"]] == ["first"]
    assert [output.state for output in found["b#2"]] == ["error"]
    with pytest.raises(ConfigError, match="is there already"):
        medoid(bench, "tool", "middle")


def test_two_repeats_have_no_medoid(bench: Path) -> None:
    outputs(bench / "tool/sub", "a_pg1", "x", "y")
    with pytest.raises(InputError, match="no page has 3 repeats"):
        medoid(bench, "tool", "middle")


@given(st.lists(st.text("ab \n", max_size=12), min_size=3, max_size=6))
def test_no_other_text_is_nearer_to_all(texts: list[str]) -> None:
    sums = [sum(Levenshtein.normalized_distance(one, other) for other in texts) for one in texts]
    assert sums[middle(texts)] == pytest.approx(min(sums))


def test_table_tests_come_apart_and_all_else_stays_byte_for_byte(bench: Path, tmp_path: Path) -> None:
    table = {
        "pdf": "b.pdf",
        "page": 1,
        "id": "t",
        "type": "table",
        "cell": "5",
        "up": "é",
        "left": "",
        "right": "6",
    }
    single = b'{"pdf":  "b.pdf","page":1,"id":"s","type":"table","cell":"5","up":"4"}'
    (bench / "tables.jsonl").write_bytes(b"\n".join([json.dumps(table).encode(), b"", single, b"{broken"]))
    assert split_tables(bench, tmp_path / "out") == 1
    lines = (tmp_path / "out/tables.jsonl").read_bytes().split(b"\n")
    assert [json.loads(line) for line in lines[:2]] == [
        {"pdf": "b.pdf", "page": 1, "type": "table", "cell": "5", "id": "t_up", "up": "é"},
        {"pdf": "b.pdf", "page": 1, "type": "table", "cell": "5", "id": "t_right", "right": "6"},
    ]
    assert lines[2:] == [b"", single, b"{broken"]
    assert (tmp_path / "out/facts.jsonl").read_bytes() == (bench / "facts.jsonl").read_bytes()
    assert sha256_tree(tmp_path / "out/pdfs") == sha256_tree(bench / "pdfs")
    write_tests(bench / "tables.jsonl", table, table | {"id": "t_up"})
    with pytest.raises(TestError, match="'t_up', which is in use"):
        split_tables(bench, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_turned_pages_have_tests_that_point_at_them(bench: Path, tmp_path: Path) -> None:
    chosen = rotate(bench, tmp_path / "out", share=1.0, seed=4, originals=True)
    assert set(chosen) == {"sub/a.pdf", "b.pdf"}
    tests = load_tests(tmp_path / "out/rotated.jsonl")
    assert [(t["pdf"], t["page"], t["id"]) for t in tests] == [
        ("rotated/sub/a.pdf", 1, "rotated_t1"), ("rotated/b.pdf", 2, "rotated_t2")
    ]  # fmt: skip
    with PdfWorker() as worker:
        for name, degrees in chosen.items():
            upright = worker.render(bench / "pdfs" / name, 1, 300).astype(int)
            turned = worker.render(tmp_path / "out/pdfs/rotated" / name, 1, 300)
            assert np.abs(np.rot90(upright, -degrees // 90) - turned).mean() < 2
            assert len(worker.pages(tmp_path / "out/pdfs/rotated" / name)) == len(
                worker.pages(bench / "pdfs" / name)
            )
    assert load_bench(tmp_path / "out").tests > 4
    rotate(bench, tmp_path / "again", share=1.0, seed=4, originals=True)
    assert sha256_tree(tmp_path / "again") == sha256_tree(tmp_path / "out")


def test_a_share_of_the_pdfs_is_drawn_by_seed() -> None:
    names = [f"{number}.pdf" for number in range(50)]
    assert choose(names, 0.1, 1) == choose(names, 0.1, 1)
    assert len(choose(names, 0.1, 1)) == 5
    assert choose(names, 0.1, 1) != choose(names, 0.1, 2)
    assert set(choose(names, 1.0, 0).values()) == {90, 180, 270}
    assert len(choose(names[:1], 0.1, 0)) == 1


def test_turning_is_refused_where_it_would_mix_or_has_nothing(bench: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--share"):
        rotate(bench, tmp_path / "out", share=0)
    with pytest.raises(ConfigError, match="lies within the bench"):
        rotate(bench, bench / "out")
    with pytest.raises(ConfigError, match="is there already"):
        rotate(bench, tmp_path)
    rotate(bench, tmp_path / "once", share=1.0, originals=True)
    with pytest.raises(InputError, match="turned pages"):
        rotate(tmp_path / "once", tmp_path / "twice", share=1.0, originals=True)


def test_a_broken_pdf_leaves_no_half_bench(bench: Path, tmp_path: Path) -> None:
    path = bench / "pdfs/sub/a.pdf"
    good = path.read_bytes()
    path.write_bytes(b"no pdf")
    for make in (lambda out: rotate(bench, out, 1.0), lambda out: degrade(bench, out, Damage())):
        with pytest.raises(PdfError):
            make(tmp_path / "out")
        assert sorted(each.name for each in tmp_path.iterdir()) == ["bench"]
    path.write_bytes(good)


def test_worse_pictures_are_the_same_each_time_and_keep_the_tests(tmp_path: Path) -> None:
    root = tmp_path / "bench"
    (root / "pdfs").mkdir(parents=True)
    (root / "pdfs/earnings.pdf").write_bytes((sample() / "pdfs/earnings.pdf").read_bytes())
    write_tests(root / "facts.jsonl", present("earnings.pdf", 1, "t1"))
    damage = Damage(dpi=72, blur=1.5, noise=12, grey=True, jpeg=40, seed=3)
    degrade(root, tmp_path / "one", damage)
    degrade(root, tmp_path / "two", damage)
    degrade(root, tmp_path / "three", damage.model_copy(update={"seed": 4}))
    assert sha256_tree(tmp_path / "one") == sha256_tree(tmp_path / "two")
    assert sha256_tree(tmp_path / "one/pdfs") != sha256_tree(tmp_path / "three/pdfs")
    assert (tmp_path / "one/facts.jsonl").read_bytes() == (root / "facts.jsonl").read_bytes()
    old, new = root / "pdfs/earnings.pdf", tmp_path / "one/pdfs/earnings.pdf"
    with PdfWorker() as worker:
        assert worker.text(old, 1).strip()
        assert worker.text(new, 1).strip() == ""
        assert np.allclose(worker.pages(new), worker.pages(old), atol=1.0)
        sharp, worse = (worker.render(path, 1, 700).astype(int) for path in (old, new))
        assert 3 < np.abs(sharp[:540, :540] - worse[:540, :540]).mean() < 60
        assert np.abs(worse[:, :, 0] - worse[:, :, 1]).max() == 0


def test_every_kind_of_damage_alters_the_picture(bench: Path, tmp_path: Path) -> None:
    kinds = [{}, {"blur": 2.0}, {"noise": 20.0}, {"grey": True}, {"jpeg": 10}, {"dpi": 40}, {"jpeg": 95}]
    made = []
    for number, kind in enumerate(kinds):
        degrade(bench, tmp_path / str(number), Damage(**kind))
        made.append(sha256_tree(tmp_path / str(number) / "pdfs"))
    assert len(set(made)) == len(kinds)
    with PdfWorker() as worker:
        assert len(worker.pages(tmp_path / "1/pdfs/b.pdf")) == 2


def test_pages_of_training_texts_are_found_by_words_and_urls(bench: Path, tmp_path: Path) -> None:
    write_tests(
        bench / "more.jsonl",
        present("sub/a.pdf", 1, "w1", TEXT),
        present(
            "b.pdf", 1, "w2", "nothing of this stands in any of the texts that were trained on at all, really"
        ),
        present("b.pdf", 2, "w3", "x", url="https://www.Example.org/paper/#top"),
    )
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "one.md").write_text(f"# Title\n\nSo **{TEXT.replace(' ', chr(10)).upper()}**, they say.")
    write_tests(texts / "two.jsonl", {"text": "nothing", "metadata": {"url": "http://example.org/paper"}})
    found = decontaminate(bench, texts, tmp_path / "report.json", out=tmp_path / "clean")
    assert found == json.loads((tmp_path / "report.json").read_text())
    rows = {(row["pdf"], row["page"]): row for row in found["pages"]}
    assert found["counts"] == {"pages": 3, "overlap": 2, "unchecked": 1}
    assert rows["sub/a.pdf", 1]["share"] == 1.0
    assert rows["sub/a.pdf", 1]["sources"] == ["one.md"]
    assert not rows["b.pdf", 1]["overlaps"]
    assert rows["b.pdf", 2]["urls"] == ["http://example.org/paper"]
    assert [test["id"] for test in load_tests(tmp_path / "clean/more.jsonl")] == ["w2"]
    assert load_tests(tmp_path / "clean/facts.jsonl") == []
    assert sorted(path.name for path in (tmp_path / "clean/pdfs").rglob("*.pdf")) == ["b.pdf"]
    (bench / "more.jsonl").unlink()


def test_texts_that_share_little_do_not_overlap(bench: Path, tmp_path: Path) -> None:
    rng = random.Random(0)
    long = " ".join(f"w{rng.randrange(10**6)}" for _ in range(300))
    write_tests(bench / "more.jsonl", present("sub/a.pdf", 1, "w1", f"{long} {TEXT}"))
    (tmp_path / "one.md").write_text(TEXT)
    found = decontaminate(bench, tmp_path / "one.md", tmp_path / "r.json")
    row = next(row for row in found["pages"] if row["pdf"] == "sub/a.pdf")
    assert 0 < row["share"] < 0.1
    assert not row["overlaps"]
    assert decontaminate(bench, tmp_path / "one.md", tmp_path / "r.json", 0.01)["counts"]["overlap"] == 1
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no \.md"):
        decontaminate(bench, tmp_path / "empty", tmp_path / "r.json")


@given(st.lists(st.text("abcé", min_size=1, max_size=4), max_size=40))
def test_runs_of_words_do_not_depend_on_marks_or_case(words: list[str]) -> None:
    plain = list(shingles(" ".join(words)))
    assert len(plain) == max(0, len(words) - 12)
    assert list(shingles("**" + ",\n".join(words).upper() + "!")) == plain


def test_urls_of_one_page_are_one() -> None:
    same = ["https://www.Example.org/a/", "http://example.org/a#b", " https://example.org/a "]
    assert {plain_url(url) for url in same} == {"example.org/a"}
    assert plain_url("https://example.org/a?x=1") != plain_url("https://example.org/a")


def test_every_command_says_what_it_made(bench: Path, tmp_path: Path) -> None:
    folder = workspace(tmp_path / "w", document("/x/pdfs/sub/a.pdf", TEXT), document("pdfs/no.pdf", ""))
    for repeat in ("1", "2", "3"):
        said = run("workspace", folder, "--bench", bench, "--name", "tool", "--repeat", repeat)
        assert said.splitlines() == [f"{bench / 'tool'}: 1 pages written, 2 missing", NO_PDF]
    said = run("medoid", bench, "--candidate", "tool", "--name", "middle")
    assert said.startswith(f"{bench / 'middle'}: 1 pages by their medoid, 0 with fewer")
    assert "0 table tests" in run("split-tables", bench, "--out", tmp_path / "split")
    assert "1 PDFs turned" in run("rotate", bench, "--out", tmp_path / "rot", "--share", "0.4", "--seed", "7")
    assert "2 PDFs drawn" in run("degrade", bench, "--out", tmp_path / "worse", "--dpi", "50", "--grey")
    options = ("--against", folder, "--report", tmp_path / "r.json", "--drop", tmp_path / "clean")
    assert "2 pages: 0 overlap, 2 have too little text" in run("decontaminate", bench, *options)
    assert all((tmp_path / name / "variant.json").exists() for name in ("split", "rot", "worse", "clean"))


NO_PDF = "1 sources are no PDF of the bench, 'pdfs/no.pdf' first"


def run(*arguments: object) -> str:
    found = CliRunner().invoke(app, ["bench", "prepare", *map(str, arguments)])
    assert found.exit_code == 0, found.output
    return found.stdout
