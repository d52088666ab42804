"""Images made to hurt: refused with a reason, within the child's limits; the other kinds of images."""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scriptorium.pages.document import DocumentWorker
from scriptorium.pages.pdf import PdfError

from ..convert.samples import BLUE, RED, encoded, picture
from . import hostile
from .test_document import ends, near


@pytest.fixture(scope="module")
def worker() -> Iterator[DocumentWorker]:
    with DocumentWorker(memory=600 << 20, cpu_seconds=10) as worker:
        yield worker


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    """A grey PNG of 8 bits."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IEND", b"")


def deflated(size: int) -> bytes:
    """So many zero bytes, deflated."""
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(size >> 20)) + packer.flush()


def text_bomb() -> bytes:
    """A PNG of one pixel with comments that unpack to 2 GB."""
    comment = b"Comment\0\0" + deflated(64 << 20)
    return png(1, 1, *[chunk(b"zTXt", comment)] * 32, chunk(b"IDAT", zlib.compress(b"\0\0")))


def profile_bomb() -> bytes:
    """A PNG of one pixel with a colour profile that unpacks to 256 MB."""
    return png(1, 1, chunk(b"iCCP", b"p\0\0" + deflated(256 << 20)), chunk(b"IDAT", zlib.compress(b"\0\0")))


def tiff(entries: list[tuple[int, int, int]], frames: int, ring: bool = False) -> bytes:
    """A TIFF whose `frames` directories have the same entries: tag, type (3 or 4), value."""
    size = 2 + 12 * len(entries) + 4
    out = io.BytesIO()
    out.write(struct.pack("<2sHI", b"II", 42, 8))
    for number in range(frames):
        out.write(struct.pack("<H", len(entries)))
        for tag, kind, value in entries:
            out.write(struct.pack("<HHII", tag, kind, 1, value))
        last = number == frames - 1
        out.write(struct.pack("<I", (8 if ring else 0) if last else 8 + size * (number + 1)))
    return out.getvalue()


def plain(width: int, height: int, compression: int = 1) -> list[tuple[int, int, int]]:
    """The entries of a bilevel picture that lies at the start of the file."""
    tags = {256: width, 257: height, 258: 1, 259: compression, 262: 1, 273: 8, 277: 1, 278: height, 279: 8}
    return [(tag, 4, value) for tag, value in tags.items()]


def gif_bomb() -> bytes:
    """A GIF that says it is 65,535 x 65,535."""
    screen = b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0x80, 0, 0) + bytes(6)
    return screen + b"," + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0) + b"\x02\x02\x4c\x01\x00;"


def bmp_bomb() -> bytes:
    head = struct.pack("<2sIHHI", b"BM", 100, 0, 0, 54)
    return head + struct.pack("<IiiHHIIiiII", 40, 100_000, 100_000, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(46)


def jpeg_bomb() -> bytes:
    """A JPEG whose head says 65,500 x 65,500."""
    data = bytearray(encoded(picture(), "jpeg"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", 65500, 65500)
    return bytes(data)


def webp_bomb() -> bytes:
    """A WebP of 16,383 x 16,383 pixels, all alike, in a few kilobytes."""
    canvas = struct.pack("<I", 0)[:4] + struct.pack("<I", 16382)[:3] + struct.pack("<I", 16382)[:3]
    body = b"WEBPVP8X" + struct.pack("<I", 10) + canvas
    return b"RIFF" + struct.pack("<I", len(body)) + body


def jp2_bomb() -> bytes:
    """JPEG 2000 whose head says 2^31 x 2^31."""
    data = bytearray(encoded(picture(), "jpeg2000", no_jp2=True))
    at = data.index(b"\xff\x51") + 6
    data[at : at + 8] = struct.pack(">II", 1 << 31, 1 << 31)
    return bytes(data)


BOMBS: dict[str, Callable[[], bytes]] = {
    "pixels that are not there": lambda: png(100_000, 100_000, chunk(b"IDAT", zlib.compress(b"\0"))),
    "comments of 2 GB": text_bomb,
    "a colour profile of 256 MB": profile_bomb,
    "GIF": gif_bomb,
    "BMP": bmp_bomb,
    "JPEG": jpeg_bomb,
    "WebP": webp_bomb,
    "JPEG 2000": jp2_bomb,
    "TIFF of 100,000 x 100,000": lambda: tiff(plain(100_000, 100_000), 1),
    "TIFF with 100,001 pictures": lambda: tiff(plain(1, 1), 100_001),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if "100,001" in name else []) for name in BOMBS]
)
def test_a_bomb_is_refused_with_a_reason(worker: DocumentWorker, tmp_path: Path, name: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(BOMBS[name]())
    with pytest.raises(PdfError) as error:
        worker.look(path)
        drawn = worker.render(path, 1, 500)
        if name in ("comments of 2 GB", "a colour profile of 256 MB"):  # the picture itself is sound
            raise PdfError("memory", f"drawn, {drawn.shape}")
    assert error.value.reason in ("memory", "damaged", "bad_page", "timeout")
    path.write_bytes(encoded(picture(), "png"))
    assert worker.render(path, 1, 500).shape == (60, 40, 3)


def test_many_small_pictures_are_many_pages(worker: DocumentWorker, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(tiff(plain(8, 8), 1000))
    kind, sizes = worker.look(path)
    assert (kind, len(sizes)) == ("tiff", 1000)
    assert worker.render(path, 1000, 100).shape == (8, 8, 3)


def test_a_ring_of_pictures_ends(worker: DocumentWorker, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(tiff(plain(8, 8), 3, ring=True))
    try:
        assert len(worker.look(path)[1]) == 3
    except PdfError as error:
        assert error.reason in ("damaged", "bad_page", "timeout")


def test_jbig2_in_a_pdf_has_a_bound(worker: DocumentWorker, tmp_path: Path) -> None:
    """A page that says it is 2^31 x 2^31 pixels of JBIG2: drawn without it, or refused."""
    head = struct.pack(">IBBBI", 0, 48, 0, 1, 19)
    data = head + struct.pack(">IIIIBH", (1 << 31) - 1, (1 << 31) - 1, 0, 0, 0, 0)
    entries = b"/Type/XObject/Subtype/Image/ColorSpace/DeviceGray/BitsPerComponent 1/Filter/JBIG2Decode"
    entries += b"/Width 2147483647/Height 2147483647"
    path = tmp_path / "x.pdf"
    path.write_bytes(
        hostile.one_page(
            b"/MediaBox[0 0 100 100]/Resources<</XObject<</I 5 0 R>>>>",
            hostile.stream(b"", b"100 0 0 100 0 0 cm /I Do"),
            hostile.stream(entries, data),
        )
    )
    assert len(worker.pages(path)) == 1
    try:
        assert worker.render(path, 1, 200).shape == (200, 200, 3)
    except PdfError as error:
        assert error.reason in ("memory", "damaged", "bad_page", "timeout")


@pytest.mark.parametrize("options", [{}, {"no_jp2": True}], ids=["in its box", "bare"])
def test_jpeg_2000(worker: DocumentWorker, tmp_path: Path, options: dict[str, bool]) -> None:
    (tmp_path / "x").write_bytes(encoded(picture(), "jpeg2000", **options))
    assert worker.look(tmp_path / "x") == ("jp2", [(40, 60)])
    top, bottom = ends(worker.render(tmp_path / "x", 1, 500))
    assert near(top, RED) and near(bottom, BLUE)


def test_heic(worker: DocumentWorker, tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # its writer turns the picture itself, and must not be turned once more
    heif.from_pillow(picture(64, 96)).save(file, quality=90, exif=exif.tobytes())
    (tmp_path / "x").write_bytes(file.getvalue())
    kind, _ = worker.look(tmp_path / "x")
    drawn = worker.render(tmp_path / "x", 1, 500)
    assert kind == "heic" and sorted(drawn.shape[:2]) == [64, 96]
    (tmp_path / "torn").write_bytes(file.getvalue()[:300])
    with pytest.raises(PdfError):
        worker.look(tmp_path / "torn")
        worker.render(tmp_path / "torn", 1, 500)


def test_heic_without_its_package_says_what_mends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pillow_heif.py").write_text("raise ImportError('not here')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "x").write_bytes(b"\x00\x00\x00\x18ftypheic" + bytes(100))
    with DocumentWorker() as worker, pytest.raises(PdfError, match=r"pip install '\.\[heic\]'") as error:
        worker.look(tmp_path / "x")
    assert error.value.reason == "damaged"


def test_colours_of_cmyk_and_alpha_of_sixteen_bits(worker: DocumentWorker, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(encoded(picture(mode="CMYK"), "tiff"))
    top, bottom = ends(worker.render(tmp_path / "x", 1, 500))
    assert near(top, RED) and near(bottom, BLUE)
    clear = np.zeros((4, 4, 4), np.uint8)
    (tmp_path / "x").write_bytes(encoded(Image.fromarray(clear), "webp", lossless=True))
    assert (worker.render(tmp_path / "x", 1, 500) == 255).all()
