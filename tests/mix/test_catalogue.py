"""The index of a folder of pairs: whole, in order, and made anew only where something changed."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from scriptorium.errors import InputError
from scriptorium.mix import catalogue
from scriptorium.mix.catalogue import index
from scriptorium.mix.rows import pack

from .made import TEXT, pdf, reasons


def pair(folder: Path, name: str, text: str | bytes | None = TEXT, content: bytes | None = None) -> None:
    path = folder / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    if content != b"":
        path.with_suffix(".pdf").write_bytes(content or pdf())


def test_every_pair_has_a_verdict_and_can_be_packed(tmp_path: Path) -> None:
    names = ["a", "a/b", "a/b-1", "a!", "A/z", "mss:1-8"]
    for name in names:
        pair(tmp_path, name)
    pair(tmp_path, "no text", None)
    pair(tmp_path, "no pdf", TEXT, b"")
    pair(tmp_path, "two", TEXT, pdf(2))
    pair(tmp_path, "torn", TEXT, b"%PDF-1.7 end")
    pair(tmp_path, "unclosed", "---\nprimary_language: en\n")
    pair(tmp_path, "latin", b"caf\xe9")
    counts = index(tmp_path)
    assert (counts["kept"], counts["rejected"], counts["known"]) == (6, 6, 0)
    assert reasons(tmp_path) == {f"{name}_pg1": "" for name in names} | {
        "no text_pg1": "file missing",
        "no pdf_pg1": "file missing",
        "two_pg1": "not one page",
        "torn_pg1": "document damaged",
        "unclosed_pg1": "truth not decoded",
        "latin_pg1": "truth not decoded",
    }
    pack(tmp_path, tmp_path / "rows.parquet", 32)
    assert len(pq.read_table(tmp_path / "rows.parquet")) == 6


def test_only_what_changed_is_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "BATCH", 2)
    for name in ("a/x", "a", "b", "c/d/e", "f"):
        pair(tmp_path, name)
    index(tmp_path)
    first = (tmp_path / "pages.parquet").read_bytes()
    assert index(tmp_path)["known"] == 5
    assert (tmp_path / "pages.parquet").read_bytes() == first
    pair(tmp_path, "b", "nothing")
    (tmp_path / "f.pdf").unlink()
    (tmp_path / "a.pdf").unlink()
    (tmp_path / "a.md").unlink()
    pair(tmp_path, "a/y")
    counts = index(tmp_path)
    assert (counts["known"], counts["kept"], counts["rejected"]) == (2, 3, 2)
    assert reasons(tmp_path) == {
        "a/x_pg1": "",
        "a/y_pg1": "",
        "b_pg1": "truth not decoded",
        "c/d/e_pg1": "",
        "f_pg1": "file missing",
    }
    (tmp_path / "index.parquet").write_bytes(b"PAR1 torn")
    assert index(tmp_path)["known"] == 0


def test_a_folder_without_pairs_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no pair"):
        index(tmp_path)
    assert not list(tmp_path.iterdir())
