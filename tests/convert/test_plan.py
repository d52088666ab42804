"""The plan: every file gets a row, and the same corpus the same bytes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.convert.plan import PAGE_BLOCK, corpus_of, plan_corpus, read_plan, shard_of
from scriptorium.errors import InputError

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
needs_pdfs = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared sample PDFs are not there")


def pdf(name: str) -> bytes:
    return (SHARED / "malformed" / name).read_bytes()


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A folder with what a folder of PDFs has in it."""
    if not SHARED.is_dir():
        pytest.skip("the shared sample PDFs are not there")
    folder = tmp_path / "corpus"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    good = pdf("pdfminer-six__simple1.pdf")
    (folder / "a.pdf").write_bytes(good)
    (folder / "deep" / "no-suffix").write_bytes(pdf("pdfminer-six__simple3.pdf"))
    (folder / "deep" / "er" / "twin.pdf").write_bytes(good)
    (folder / "locked.pdf").write_bytes(pdf("format-corpus__lorem-ipsum-openprintcopypw.pdf"))
    (folder / "empty.pdf").write_bytes(b"")
    (folder / "notes.txt").write_text("not a PDF")
    (folder / "gone.pdf").symlink_to(folder / "nowhere")
    (folder / ".hidden" / "x.pdf").write_bytes(good)
    return folder


def test_every_file_has_a_row(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "plan.parquet"
    plan_corpus(corpus, 3, out)
    rows = read_plan(out)
    found = {Path(row["source"]).relative_to(corpus).as_posix(): row for row in rows}
    status = {name: (row["status"], row["reason"].partition(":")[0]) for name, row in found.items()}
    assert status["a.pdf"] == status["deep/no-suffix"] == ("pending", "")
    assert status["deep/er/twin.pdf"] == ("duplicate", f"same bytes as {(corpus / 'a.pdf').as_posix()}")
    assert status["empty.pdf"][0] == status["notes.txt"][0] == "unreadable"
    assert status["notes.txt"][1] == "not_a_pdf"
    assert status["locked.pdf"] == ("unreadable", "encrypted")
    assert status["gone.pdf"] == ("unreadable", "missing")
    assert len(found) == 7 and ".hidden/x.pdf" not in found
    assert all((row["page"] > 0) == (row["status"] == "pending") for row in rows)
    assert all(0 <= row["shard"] < 3 for row in rows)
    parts = [row for shard in range(3) for row in read_plan(out, shard)]
    assert sorted(parts, key=str) == sorted(rows, key=str)
    assert corpus_of(out) == corpus.as_posix()


def test_same_corpus_same_bytes_and_growth_moves_no_page(corpus: Path, tmp_path: Path) -> None:
    one, two, grown = (tmp_path / f"{name}.parquet" for name in ("one", "two", "grown"))
    plan_corpus(corpus, 8, one)
    plan_corpus(corpus, 8, two)
    assert one.read_bytes() == two.read_bytes()
    (corpus / "0.pdf").write_bytes(pdf("pypdf__commented.pdf"))
    plan_corpus(corpus, 8, grown)
    before = {(row["source"], row["page"]): row for row in read_plan(one)}
    after = {(row["source"], row["page"]): row for row in read_plan(grown)}
    assert len(after) > len(before)
    assert {place: after[place] for place in before} == before


@needs_pdfs
def test_one_file_is_a_corpus(tmp_path: Path) -> None:
    source = SHARED / "malformed" / "pdfminer-six__simple1.pdf"
    plan_corpus(source, 1, tmp_path / "plan.parquet")
    assert [row["source"] for row in read_plan(tmp_path / "plan.parquet")] == [source.as_posix()]


@needs_pdfs
def test_the_malformed_collection_is_planned_whole(tmp_path: Path) -> None:
    plan_corpus(SHARED / "malformed", 4, tmp_path / "plan.parquet")
    rows = read_plan(tmp_path / "plan.parquet")
    assert {Path(row["source"]) for row in rows} == set((SHARED / "malformed").iterdir())
    assert all(row["reason"] for row in rows if row["status"] == "unreadable")
    locked = [row for row in rows if row["source"].endswith("lorem-ipsum-openprintcopypw.pdf")]
    assert [(row["page"], row["status"], row["reason"].partition(":")[0]) for row in locked] == [
        (0, "unreadable", "encrypted")
    ]


def test_missing_and_empty_folders_are_errors(tmp_path: Path) -> None:
    for corpus, message in ((tmp_path / "nowhere", "no such"), (tmp_path, "no files")):
        with pytest.raises(InputError, match=message):
            plan_corpus(corpus, 1, tmp_path / "out" / "plan.parquet")
    with pytest.raises(InputError, match="shards"):
        plan_corpus(tmp_path, 0, tmp_path / "plan.parquet")
    with pytest.raises(InputError, match="no such file"):
        read_plan(tmp_path / "plan.parquet")


@given(st.text("0123456789abcdef", min_size=64, max_size=64), st.integers(1, 10_000), st.integers(1, 500))
def test_a_block_of_pages_goes_to_one_shard(document: str, page: int, shards: int) -> None:
    shard = shard_of(document, page, shards)
    assert 0 <= shard < shards
    first = (page - 1) // PAGE_BLOCK * PAGE_BLOCK + 1
    assert {shard_of(document, p, shards) for p in (first, first + PAGE_BLOCK - 1)} == {shard}
