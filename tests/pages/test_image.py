"""Images: nothing is lost, Pillow agrees, and blank means blank."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from pypdf import PdfWriter

from scriptorium.errors import InputError
from scriptorium.pages.image import data_url, decode_png, encode_png, ink, is_blank
from scriptorium.pages.pdf import PdfWorker
from scriptorium.pages.rotation import rotate

SHARED = Path(__file__).parents[2].parent / "shared" / "data"

sizes = st.tuples(st.integers(1, 40), st.integers(1, 40))
colour = sizes.flatmap(lambda size: arrays(np.uint8, (*size, 3)))
gray = sizes.flatmap(lambda size: arrays(np.uint8, size))


@given(colour)
def test_colour_comes_back(image: np.ndarray) -> None:
    assert np.array_equal(decode_png(encode_png(image)), image)


@given(gray)
def test_gray_comes_back_and_costs_one_channel(image: np.ndarray) -> None:
    png = encode_png(image)
    assert Image.open(io.BytesIO(png)).mode == "L"
    assert np.array_equal(decode_png(png), np.stack([image] * 3, axis=2))
    assert encode_png(decode_png(png)) == png


def test_one_coloured_pixel_makes_a_page_coloured() -> None:
    for place in ((0, 0), (7, 3), (99, 79)):
        image = np.full((100, 80, 3), 200, np.uint8)
        image[place] = (200, 200, 201)
        assert np.array_equal(decode_png(encode_png(image)), image)
    assert np.array_equal(decode_png(encode_png(image[::2, ::-1])), image[::2, ::-1])


def test_only_whole_images_are_taken() -> None:
    for wrong in (np.zeros((4, 4), np.float32), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4), np.uint8)):
        with pytest.raises(ValueError, match="image"):
            encode_png(wrong)
    png = encode_png(np.arange(30000, dtype=np.uint8).reshape(100, 100, 3))
    jpeg = io.BytesIO()
    Image.new("RGB", (4, 4)).save(jpeg, "JPEG")
    for damaged in (b"", b"PNG", png[:-40], jpeg.getvalue()):
        with pytest.raises(InputError, match="PNG"):
            decode_png(damaged)
    assert data_url(b"\x00\x01") == "data:image/png;base64,AAE="


def test_ink_and_blank() -> None:
    page = np.full((200, 100, 3), 255, np.uint8)
    assert is_blank(page) and ink(page) == 0
    assert is_blank(np.full_like(page, (240, 230, 190))) and is_blank(page[..., 0])
    page[10:20, 10:60] = 0
    assert not is_blank(page) and ink(page) == pytest.approx(500 / 20000)
    dot = np.full((200, 100, 3), 255, np.uint8)
    dot[11, 13] = 200
    assert not is_blank(dot)


@pytest.mark.parametrize(
    ("degrees", "transpose"),
    [(90, Image.Transpose.ROTATE_90), (180, Image.Transpose.ROTATE_180), (270, Image.Transpose.ROTATE_270)],
)
def test_rotation_is_counter_clockwise(degrees: int, transpose: Image.Transpose) -> None:
    image = np.full((60, 40, 3), 255, np.uint8)
    image[:10, 30:] = (200, 0, 0)  # the upper right corner
    turned = rotate(image, degrees)
    assert np.array_equal(turned, np.array(Image.fromarray(image).transpose(transpose)))
    corner = {90: turned[0, 0], 180: turned[-1, 0], 270: turned[-1, -1]}[degrees]
    assert corner.tolist() == [200, 0, 0]
    assert np.array_equal(rotate(turned, 360 - degrees), image)
    assert turned.flags["C_CONTIGUOUS"]


def test_only_right_angles() -> None:
    image = np.zeros((2, 3), np.uint8)
    assert np.array_equal(rotate(image, 0), image)
    for degrees in (45, -90, 360):
        with pytest.raises(InputError, match="counter-clockwise"):
            rotate(image, degrees)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared sample PDFs are not there")
def test_a_page_on_its_side_is_turned_upright_by_its_correction(tmp_path: Path) -> None:
    """A real page laid on its side by its file: `/Rotate 90` shows it turned clockwise by 90 degrees."""
    upright = SHARED / "bench-sample" / "pdfs" / "earnings.pdf"
    with PdfWorker() as worker:
        image = worker.render(upright, 1, 700)
        for clockwise in (90, 270):
            writer = PdfWriter(clone_from=upright)
            writer.pages[0].rotate(clockwise)
            turned = tmp_path / f"{clockwise}.pdf"
            writer.write(turned)
            found = rotate(worker.render(turned, 1, 700), clockwise)
            assert found.shape == image.shape
            right, wrong = (np.abs(each.astype(int) - image).mean() for each in (found, rotate(found, 180)))
            assert right < wrong / 2
