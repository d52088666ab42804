"""Images as documents: every kind and mode, drawn in the limited child."""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scriptorium.pages.document import DocumentWorker
from scriptorium.pages.pdf import PdfError, PdfWorker

from ..convert.samples import BLUE, RED, encoded, image_files, pdf, picture


@pytest.fixture(scope="module")
def worker() -> Iterator[DocumentWorker]:
    with DocumentWorker() as worker:
        yield worker


def ends(array: np.ndarray) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The colours at the top and at the bottom."""
    middle = array.shape[1] // 2
    return tuple(map(int, array[2, middle])), tuple(map(int, array[-3, middle]))


def near(one: tuple[int, ...], other: tuple[int, ...], by: int = 12) -> bool:
    return all(abs(a - b) <= by for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("kind", sorted(image_files()))
def test_each_kind_is_known_by_its_content(worker: DocumentWorker, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "misleading.pdf"
    path.write_bytes(image_files()[kind])
    found, sizes = worker.look(path)
    assert (found, len(sizes)) == (kind, 3 if kind == "tiff" else 1)
    drawn = worker.render(path, 1, 1000)
    assert drawn.shape == (60, 40, 3)  # never enlarged
    top, bottom = ends(drawn)
    assert near(top, RED) and near(bottom, BLUE)
    assert worker.text(path, 1) == "" and worker.words(path, 1) == []


def test_pages_of_a_tiff(worker: DocumentWorker, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(image_files()["tiff"])
    assert [worker.render(path, page, 500).shape[1] for page in (1, 2, 3)] == [40, 50, 60]
    with pytest.raises(PdfError, match="no such page") as error:
        worker.render(path, 4, 500)
    assert error.value.reason == "bad_page"


def test_a_pdf_is_one_even_behind_junk(worker: DocumentWorker, tmp_path: Path) -> None:
    path = tmp_path / "scan.png"
    path.write_bytes(b"junk from a mail\n" * 20 + pdf(2))
    kind, sizes = worker.look(path)
    assert kind == "pdf" and len(sizes) == 2


@pytest.mark.parametrize("turn", range(1, 9))
def test_orientation_is_applied(worker: DocumentWorker, tmp_path: Path, turn: int) -> None:
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Transpose that undoes the orientation
    image = picture()
    stored = image if turn == 1 else image.transpose(Image.Transpose(back[turn]))
    exif = Image.Exif()
    exif[0x0112] = turn
    (tmp_path / "x").write_bytes(encoded(stored, "png", exif=exif))
    drawn = worker.render(tmp_path / "x", 1, 500)
    assert drawn.shape == (60, 40, 3)
    assert ends(drawn) == (RED, BLUE)
    assert worker.look(tmp_path / "x")[1] == [(40, 60)]


def test_density_gives_the_size_in_points(worker: DocumentWorker, tmp_path: Path) -> None:
    for dpi, size in ((300, (72, 144)), (1, (300, 600))):  # one dot an inch is a mistake
        (tmp_path / "x").write_bytes(encoded(picture(300, 600), "png", dpi=(dpi, dpi)))
        assert worker.look(tmp_path / "x")[1] == [pytest.approx(size, rel=0.001)]


@pytest.mark.parametrize(("mode", "format"), [("P", "png"), ("L", "png"), ("1", "png"), ("CMYK", "jpeg")])
def test_other_modes_are_drawn_as_rgb(worker: DocumentWorker, tmp_path: Path, mode: str, format: str) -> None:
    image = picture(mode=mode)
    (tmp_path / "x").write_bytes(encoded(image, format))
    expected = np.asarray(image.convert("RGB"), int)
    assert np.abs(worker.render(tmp_path / "x", 1, 500) - expected).mean() < 4


def test_transparency_is_white(worker: DocumentWorker, tmp_path: Path) -> None:
    clear = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    palette = Image.new("P", (20, 20), 0)
    for image, options in ((clear, {}), (palette, {"transparency": 0}), (clear.convert("LA"), {})):
        (tmp_path / "x").write_bytes(encoded(image, "png", **options))
        assert (worker.render(tmp_path / "x", 1, 500) == 255).all()


def test_sixteen_bits_keep_their_levels(worker: DocumentWorker, tmp_path: Path) -> None:
    levels = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    for format in ("png", "tiff"):
        (tmp_path / "x").write_bytes(encoded(Image.fromarray(levels), format))
        drawn = worker.render(tmp_path / "x", 1, 500)[..., 0]
        assert np.abs(drawn.astype(int) - (levels // 257).astype(int)).max() <= 1


def test_a_large_image_is_made_smaller(worker: DocumentWorker, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(encoded(picture(2000, 3000), "jpeg"))
    assert worker.render(tmp_path / "x", 1, 300).shape == (300, 200, 3)


def bomb(side: int) -> bytes:
    """A PNG of a few bytes that claims side x side pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def test_bombs_and_torn_images_have_a_reason(worker: DocumentWorker, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bomb(100_000))
    with pytest.raises(PdfError) as error:
        worker.look(tmp_path / "x")
    assert error.value.reason == "memory"
    for kind, data in image_files().items():
        (tmp_path / "x").write_bytes(data[: len(data) // 2])
        with pytest.raises(PdfError) as error:
            worker.look(tmp_path / "x")
            worker.render(tmp_path / "x", 1, 500)
        assert error.value.reason in ("damaged", "bad_page"), kind


def test_a_plain_pdf_worker_opens_no_images(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(image_files()["png"])
    with PdfWorker() as worker, pytest.raises(PdfError) as error:
        worker.pages(tmp_path / "x")
    assert error.value.reason == "not_a_pdf"
