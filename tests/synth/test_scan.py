"""Scans as PDFs, and pages that lie on their side: PDF, label and boxes say the same."""

import datetime
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2")
pytest.importorskip("typst")

import pypdfium2
import typst

from scriptorium.errors import InputError
from scriptorium.pages import front_matter
from scriptorium.pages.pdf import PdfWorker
from scriptorium.pages.rotation import rotate
from scriptorium.synth.degrade import degrade
from scriptorium.synth.scan import scan_pdf, scanned, turned_boxes, turned_label, turned_pdf

TRUTH = front_matter.encode(front_matter.FrontMatter("en"), "Some text.\n\n---\n\nMore of it.")


@pytest.fixture(scope="module")
def sheet() -> np.ndarray:
    rng = np.random.default_rng(5)
    image = np.full((644, 456, 3), 255, np.uint8)
    image[60:200:5, 40:200] = rng.integers(0, 200, (28, 160, 1))
    return image


@pytest.mark.parametrize("turned", front_matter.ROTATIONS)
def test_the_label_of_a_turned_scan_turns_it_upright(sheet: np.ndarray, turned: int, tmp_path: Path) -> None:
    made = degrade(sheet, [], 3, 0.6, "scan")
    path = tmp_path / "scan.pdf"
    path.write_bytes(scan_pdf(made.jpeg, 595.0, 840.3, turned))
    with PdfWorker() as worker:
        (size,) = worker.pages(path)
        seen = worker.render(path, 1, 644)
        assert worker.text(path, 1) == ""
    assert (size.width, size.height) == pytest.approx((595.0, 840.3) if turned % 180 == 0 else (840.3, 595.0))
    front, text = front_matter.decode(turned_label(TRUTH, turned))
    assert text == front_matter.decode(TRUTH)[1]
    assert front.is_rotation_valid == (turned == 0)
    upright = rotate(seen, front.rotation_correction)
    assert upright.shape == made.image.shape
    assert np.abs(upright.astype(int) - made.image).mean() < 2


def test_same_bytes_for_the_same_scan(sheet: np.ndarray) -> None:
    jpeg = degrade(sheet, [], 3, 0.6, "scan").jpeg
    assert str(datetime.date.today().year).encode() not in scan_pdf(jpeg, 595.0, 842.0).replace(jpeg, b"")
    assert scan_pdf(jpeg, 595.0, 842.0) == scan_pdf(jpeg, 595.0, 842.0)
    assert jpeg in scan_pdf(jpeg, 595.0, 842.0), "the JPEG is not coded again"


@pytest.mark.parametrize("turned", (90, 180, 270))
def test_words_of_a_turned_pdf_lie_in_the_turned_boxes(turned: int, tmp_path: Path) -> None:
    source = (
        b'#set page(width: 300pt, height: 200pt)\n#set text(font: "DejaVu Sans Mono")\nfirst second\n\nthird'
    )
    upright, side = tmp_path / "upright.pdf", tmp_path / "side.pdf"
    upright.write_bytes(typst.compile(source, timestamp=0))
    side.write_bytes(turned_pdf(upright.read_bytes(), turned))
    with PdfWorker() as worker:
        boxes = [tuple(word[1:]) for word in worker.words(upright, 1)]
        found = {word.text: word[1:] for word in worker.words(side, 1)}
        names = [word.text for word in worker.words(upright, 1)]
    assert sorted(found) == sorted(names)
    for name, box in zip(names, turned_boxes(boxes, turned), strict=True):
        assert found[name] == pytest.approx(box, abs=0.01)


def test_turns_add_up() -> None:
    assert turned_label(turned_label(TRUTH, 90), 270) == TRUTH
    assert turned_label(turned_label(TRUTH, 90), 90) == turned_label(TRUTH, 180)
    box = (0.1, 0.2, 0.3, 0.5)
    assert turned_boxes(turned_boxes([box], 90), 270)[0] == pytest.approx(box)


def test_another_angle_is_refused() -> None:
    with pytest.raises(InputError, match="turned by 45"):
        turned_label(TRUTH, 45)


SOURCE = b"""#set page(width: 420pt, height: 300pt)
#set text(font: "DejaVu Sans Mono")
#box(rect(fill: black, width: 90pt, height: 40pt))

some words of a page"""


@pytest.mark.parametrize("turned", (0, 90, 180, 270))
def test_a_scanned_page_is_a_picture_of_the_same_size_and_its_boxes_hold_their_blocks(
    turned: int, tmp_path: Path
) -> None:
    pdf = typst.compile(SOURCE, timestamp=0)
    with pypdfium2.PdfDocument(pdf) as document:
        image = document[0].render(scale=2).to_numpy().min(2)
    rows, columns = np.nonzero(image[: image.shape[0] // 2] < 60)
    height, width = image.shape
    box = (columns.min() / width, rows.min() / height, (columns.max() + 1) / width, (rows.max() + 1) / height)
    made = scanned(pdf, 4, 0.5, "photo", behind=pdf, boxes=[box], turned=turned)
    assert made == scanned(pdf, 4, 0.5, "photo", behind=pdf, boxes=[box], turned=turned)
    path = tmp_path / "scan.pdf"
    path.write_bytes(made.pdf)
    with PdfWorker() as worker:
        assert worker.text(path, 1) == ""
        assert worker.picture(path, 1) > 0.98
        (size,) = worker.pages(path)
        seen = worker.render(path, 1, 1288).mean(2)
    assert (size.width, size.height) == pytest.approx((420, 300) if turned % 180 == 0 else (300, 420))
    tall, wide = seen.shape
    ((left, top, right, bottom),) = made.boxes
    inside = seen[
        round(top * tall) + 6 : round(bottom * tall) - 6, round(left * wide) + 6 : round(right * wide) - 6
    ]
    assert inside.mean() < 110 < np.median(seen)


def test_words_that_are_guarded_are_those_of_the_text_layer(tmp_path: Path) -> None:
    faint = SOURCE.replace(b"#box", b"#set text(fill: luma(60%), size: 6pt)\n#box")
    severities = [scanned(typst.compile(faint, timestamp=0), seed, 1.0, "fax").severity for seed in range(4)]
    assert min(severities) < 1
