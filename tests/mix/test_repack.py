"""Pairs packed into the hub's format and unpacked again: equal to the byte."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.errors import InputError
from scriptorium.files import read_jsonl, sha256_tree, write_jsonl
from scriptorium.mix.hub import unpack
from scriptorium.mix.repack import export, repack, row_of_truth
from scriptorium.mix.truths import truth
from scriptorium.pages import front_matter
from scriptorium.pages.front_matter import FrontMatter

from .made import TEXT, pdf

SAMPLE = Path(__file__).parents[2].parent / "shared" / "data" / "mix-sample"
BLANK = front_matter.encode(FrontMatter(None, False, 90), None)


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def pairs(folder: Path, texts: dict[str, str]) -> Path:
    for name, text in texts.items():
        path = folder / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        path.with_suffix(".pdf").write_bytes(pdf())
    return folder


def around(folder: Path, scratch: Path, **more: int) -> Path:
    """The pairs of a folder after they were packed and unpacked."""
    repack(folder, scratch / "hub", "00_set", "eval", strict=True, **more)
    unpack(scratch / "hub", "eval", scratch / "pages")
    export(scratch / "pages", scratch / "again")
    return scratch / "again"


@pytest.mark.skipif(not SAMPLE.is_dir(), reason="the sample of the mix is not here")
def test_the_sample_comes_back_to_the_byte(tmp_path: Path) -> None:
    found, expected = files(around(SAMPLE, tmp_path)), files(SAMPLE)
    urls = [content.pop("urls.jsonl").splitlines() for content in (found, expected)]
    assert urls[0] == urls[1]  # its last line has no end there, and one here
    assert found == expected
    assert len(found) == 6


def test_nested_ids_colons_and_blanks_come_back_to_the_byte(tmp_path: Path) -> None:
    texts = {"mss:1-8": TEXT, "a/b/c-12": BLANK, "a/b/c.tar.gz:d": TEXT + " \n\n", "ü/ x": TEXT + "\r\nline"}
    folder = pairs(tmp_path / "mine", texts)
    write_jsonl(folder / "urls.jsonl", [{"id": "a/b/c-12", "url": "https://example.org/ü"}])
    assert files(around(folder, tmp_path, largest=3000)) == files(folder)
    assert len(list((tmp_path / "hub" / "pdf_tarballs").iterdir())) > 1
    table = pq.read_table(tmp_path / "hub" / "00_set_eval.parquet").to_pylist()
    assert {row["id"]: row["page_number"] for row in table}["a/b/c-12"] == 12


@given(
    st.builds(
        FrontMatter,
        st.sampled_from(["en", "no", None]),
        st.booleans(),
        st.sampled_from([0, 90, 180, 270]),
        st.booleans(),
        st.booleans(),
    ),
    st.text(st.characters(exclude_categories=["Cs"])),
)
def test_a_truth_and_its_row_are_each_others_inverse(front: FrontMatter, text: str) -> None:
    document = front_matter.encode(front, text)
    if not document.startswith("---\n") or "\r\n" in document[: document.rindex("---")]:
        return
    assert truth(row_of_truth(document)) == document


def test_the_same_pairs_are_packed_to_the_same_bytes(tmp_path: Path) -> None:
    folder = pairs(tmp_path / "mine", {"x": TEXT, "y": BLANK})
    for name in ("one", "two"):
        repack(folder, tmp_path / name, "00_set", "eval")
    assert sha256_tree(tmp_path / "one") == sha256_tree(tmp_path / "two")


BAD = {
    "no PDF": (TEXT, None, "PDF missing"),
    "two pages": (TEXT, pdf(2), "not one page"),
    "damaged": (TEXT, b"%PDF-1.7 end", "document damaged"),
    "byte order mark": ("\ufeff" + TEXT, pdf(), "byte order mark"),
    "CRLF": (TEXT.replace("\n", "\r\n"), pdf(), "CRLF"),
    "unclosed": ("---\nprimary_language: en\n", pdf(), "no block"),
    "other case": (TEXT.replace("True", "true"), pdf(), "to the byte"),
    "too large": (TEXT, pdf() + b" " * 9000, "too large"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_would_not_come_back_is_said(tmp_path: Path, case: str) -> None:
    text, content, reason = BAD[case]
    folder = pairs(tmp_path / "mine", {"good": TEXT, "bad": text})
    (folder / "bad.pdf").unlink()
    if content is not None:
        (folder / "bad.pdf").write_bytes(content)
    repack(folder, tmp_path / "hub", "00_set", "eval", largest=8000)
    [row] = read_jsonl(tmp_path / "hub" / "rejected.jsonl")
    assert row["id"] == "bad" and reason in row["reason"]
    with pytest.raises(InputError, match=r"bad\.md"):
        repack(folder, tmp_path / "hub", "00_set", "eval", largest=8000, strict=True)
