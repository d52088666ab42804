"""What the review app shows of a PDF's page: its words stand where its picture has ink."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from scriptorium.bench.review.pictures import Pictures
from scriptorium.pages.image import decode_png
from scriptorium.pages.pdf import PdfError, PdfWorker
from tests.bench.shared import sample


@pytest.fixture
def pdf() -> Path:
    return sample() / "pdfs" / "earnings.pdf"


def test_words_are_those_of_the_text_layer_and_stand_on_ink(pdf: Path) -> None:
    pictures = Pictures()
    try:
        words, layer = pictures.words(pdf, 1), pictures.layer(pdf, 1)
        page = decode_png(pictures.png(pdf, 1)).min(axis=2)
    finally:
        pictures.close()
    assert [word for word, *_ in words] == layer.split()
    height, width = page.shape
    for word, left, top, right, bottom in words:
        assert 0 <= left < right <= 1 and 0 <= top < bottom <= 1
        box = page[int(top * height) : int(bottom * height) + 1, int(left * width) : int(right * width) + 1]
        assert box.min() < 200, f"{word!r} stands on white"
    covered = np.zeros_like(page, bool)
    for _, left, top, right, bottom in words:
        covered[int(top * height) : int(bottom * height) + 1, int(left * width) : int(right * width) + 1] = (
            True
        )
    dark = page < 100
    assert (dark & covered).sum() > 0.75 * dark.sum(), "most ink belongs to a word"


def single(words: list) -> dict[str, list[float]]:
    """The places of the words that occur once."""
    counts = Counter(word for word, *_ in words)
    return {word: place for word, *place in words if counts[word] == 1}


def test_words_turn_with_the_page_and_follow_its_crop(pdf: Path, tmp_path: Path) -> None:
    pypdf = pytest.importorskip("pypdf")
    writer = pypdf.PdfWriter(clone_from=pdf)
    writer.pages[0].rotate(90)
    writer.write(tmp_path / "turned.pdf")
    writer = pypdf.PdfWriter(clone_from=pdf)
    box = writer.pages[0].mediabox
    writer.pages[0].cropbox = pypdf.generic.RectangleObject((0, 0, box.width, float(box.height) * 0.9))
    writer.write(tmp_path / "cropped.pdf")
    with PdfWorker() as worker:
        upright = worker.words(pdf, 1)
        turned = worker.words(tmp_path / "turned.pdf", 1)
        cropped = worker.words(tmp_path / "cropped.pdf", 1)
    places, turned_places = single(upright), single(turned)
    both = places.keys() & turned_places.keys()
    assert len(both) > 100
    for word in both:
        left, top, right, bottom = places[word]
        assert turned_places[word] == pytest.approx([1 - bottom, left, 1 - top, right], abs=2e-4)
    last, upright_last = cropped[-1], upright[-1]
    assert last[0] == upright_last[0]
    assert last[2] == pytest.approx((upright_last[2] - 0.1) / 0.9, abs=2e-4)


def test_a_scan_has_no_words_and_a_damaged_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-1.4 nothing more")
    with PdfWorker() as worker:
        assert worker.words(sample() / "pdfs" / "lincoln_letter.pdf", 1) == []
        for path, page in (
            (tmp_path / "bad.pdf", 1),
            (sample() / "pdfs" / "earnings.pdf", 99),
            (tmp_path / "no", 1),
        ):
            with pytest.raises(PdfError):
                worker.words(path, page)
