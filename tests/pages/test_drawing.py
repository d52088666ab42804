"""Two engines and two boxes: the same marks in the same places, a second chance, both reasons."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from scriptorium.errors import ConfigError
from scriptorium.pages import drawing
from scriptorium.pages.document import DocumentWorker
from scriptorium.pages.drawing import Drawing, draw
from scriptorium.pages.pdf import Drawn, PageSize, PdfError

from ..convert.samples import encoded, picture
from . import hostile

SHARED = Path(__file__).parents[3] / "shared" / "data"
needs_poppler = pytest.mark.skipif(not shutil.which("pdftoppm"), reason="poppler is not installed")
RED = b"1 0 0 rg %d %d 20 10 re f"


@pytest.fixture(scope="module")
def worker() -> Iterator[DocumentWorker]:
    with DocumentWorker() as worker:
        yield worker


@pytest.fixture
def no_poppler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A path without programs."""
    (tmp_path / "empty").mkdir()
    drawing.has_poppler.cache_clear()
    drawing.poppler_version.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    yield
    drawing.has_poppler.cache_clear()
    drawing.poppler_version.cache_clear()


def red(pixels: np.ndarray) -> tuple[int, int, int, int]:
    """Top, left, bottom, right of what is red, in pixels; the ends are part of it."""
    found = np.argwhere((pixels[..., 0] > 200) & (pixels[..., 1] < 60))
    return (*found.min(0).tolist(), *found.max(0).tolist())


def inherited(boxes: bytes, content: bytes) -> bytes:
    """A page whose boxes are those of the node above it."""
    return hostile.pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1%b>>" % boxes,
        b"<</Type/Page/Parent 2 0 R/Contents 4 0 R>>",
        hostile.stream(b"", content),
    )


CROPPED = hostile.drawing(RED % (100, 50), b"[0 0 400 200]", b"/CropBox[100 50 300 150]")
TURNED = hostile.drawing(RED % (100, 50), b"[0 0 400 200]", b"/CropBox[100 50 300 150]/Rotate 90")
FROM_ABOVE = inherited(b"/MediaBox[0 0 400 200]/CropBox[100 50 300 150]/Rotate 90", RED % (100, 50))
BEYOND = hostile.drawing(RED % (300, 150), b"[0 0 400 200]", b"/CropBox[300 150 900 900]")
ELSEWHERE = hostile.drawing(RED % (0, 0), b"[0 0 400 200]", b"/CropBox[900 900 1000 1000]")
NO_AREA = hostile.drawing(RED % (0, 0), b"[0 0 400 200]", b"/CropBox[7 7 7 7]")
FLIPPED = hostile.drawing(RED % (100, 50), b"[400 200 0 0]", b"/CropBox[300 150 100 50]")
SHIFTED = hostile.drawing(RED % (-100, -50), b"[-100 -50 300 150]")

CASES = {
    # box, side, height and width of the image, where the red mark of 20 x 10 points is
    "crop": (CROPPED, "crop", 200, (100, 200), (90, 0, 99, 19)),
    "media": (CROPPED, "media", 400, (200, 400), (140, 100, 149, 119)),
    "turned, crop": (TURNED, "crop", 200, (200, 100), (0, 0, 19, 9)),
    "turned, media": (TURNED, "media", 400, (400, 200), (100, 50, 119, 59)),
    "inherited, crop": (FROM_ABOVE, "crop", 200, (200, 100), (0, 0, 19, 9)),
    "inherited, media": (FROM_ABOVE, "media", 400, (400, 200), (100, 50, 119, 59)),
    "crop beyond media": (BEYOND, "crop", 100, (50, 100), (40, 0, 49, 19)),
    "crop elsewhere": (ELSEWHERE, "crop", 400, (200, 400), (190, 0, 199, 19)),
    "crop without area": (NO_AREA, "crop", 400, (200, 400), (190, 0, 199, 19)),
    "corners in another order": (FLIPPED, "crop", 200, (100, 200), (90, 0, 99, 19)),
    "origin not at nought": (SHIFTED, "media", 400, (200, 400), (190, 0, 199, 19)),
}


@pytest.mark.parametrize(
    ("engine", "case"),
    [
        pytest.param(engine, case, marks=[needs_poppler] if engine == "poppler" else [])
        for engine in drawing.ENGINES
        for case in CASES
        if (engine, case) != ("poppler", "crop beyond media")  # then it takes the media box instead
    ],
)
def test_each_box_is_drawn_where_it_is(
    worker: DocumentWorker, tmp_path: Path, engine: str, case: str
) -> None:
    content, box, side, shape, place = CASES[case]
    (tmp_path / "x.pdf").write_bytes(content)
    drawn = worker.draw(tmp_path / "x.pdf", 1, side, engine=engine, box=box)
    assert drawn.engine == engine
    assert drawn.pixels.shape == (*shape, 3)
    assert np.abs(np.subtract(red(drawn.pixels), place)).max() <= 1


def test_drawing_one_box_does_not_change_the_other(worker: DocumentWorker, tmp_path: Path) -> None:
    path = tmp_path / "x.pdf"
    path.write_bytes(CROPPED)
    first = worker.render(path, 1, 200)
    split = worker.split(path, 1)
    assert worker.draw(path, 1, 200, box="media").pixels.shape == (100, 200, 3)
    assert np.array_equal(worker.render(path, 1, 200), first)
    assert worker.pages(path) == [PageSize(200, 100)]
    assert worker.split(path, 1) == split


def test_a_crop_box_elsewhere_has_the_size_of_the_sheet(worker: DocumentWorker, tmp_path: Path) -> None:
    path = tmp_path / "x.pdf"
    path.write_bytes(ELSEWHERE)
    assert worker.pages(path) == [PageSize(400, 200)]
    split = worker.split(path, 1)
    worker.render(path, 1, 200)
    assert worker.split(path, 1) == split


@needs_poppler
def test_the_largest_scale_and_the_side_hold_for_poppler_too(worker: DocumentWorker, tmp_path: Path) -> None:
    path = tmp_path / "x.pdf"
    for width, height, side, scale, longest in ((56, 28, 224, 1.0, 56), (595.276, 841.89, 1288, None, 1288)):
        path.write_bytes(hostile.drawing(RED % (0, 0), b"[0 0 %g %g]" % (width, height)))
        assert max(worker.draw(path, 1, side, max_scale=scale, engine="poppler").pixels.shape) == longest


@needs_poppler
def test_real_pages_look_alike() -> None:
    """Crop boxes, rotated pages, a scan, a form: quarter-size grey images agree."""
    if not SHARED.is_dir():
        pytest.skip("the shared sample PDFs are not there")
    names = ("edgar-rotated90", "skinnypage", "form_on_later_pages", "small_page_size", "not_parsing2")
    with DocumentWorker() as worker:
        for path in (SHARED / "pdfs" / f"{name}.pdf" for name in names):
            for box in ("crop", "media"):
                one, two = (
                    worker.draw(path, 1, 644, engine=each, box=box).pixels for each in drawing.ENGINES
                )
                assert np.abs(np.subtract(one.shape, two.shape)).max() <= 1, path
                height, width = (
                    min(a, b) // 4 * 4 for a, b in zip(one.shape[:2], two.shape[:2], strict=True)
                )
                small = [
                    each[:height, :width].mean(2).reshape(height // 4, 4, width // 4, 4).mean((1, 3)).ravel()
                    for each in (one, two)
                ]
                assert np.corrcoef(small)[0, 1] > 0.8, (path, box)


@needs_poppler
def test_what_one_engine_does_not_open_the_other_draws(worker: DocumentWorker) -> None:
    path = SHARED / "malformed" / "pdf-js__bug1250079.pdf"
    if not path.is_file():
        pytest.skip("the malformed PDFs are not there")
    kind, sizes = worker.look(path)
    assert (kind, len(sizes)) == ("pdf", 1)
    drawn = draw(worker, path, 1, 400, Drawing())
    assert drawn.engine == "poppler" and drawn.pixels.min() < 60
    with pytest.raises(PdfError) as error:
        draw(worker, path, 1, 400, Drawing(), second=False)
    assert error.value.reason == "damaged"


def test_without_poppler_there_is_one_reason(no_poppler: None, tmp_path: Path) -> None:
    with DocumentWorker() as worker:
        path = SHARED / "malformed" / "pdf-js__bug1250079.pdf"
        if path.is_file():
            with pytest.raises(PdfError, match="damaged"):
                worker.look(path)
        tall = tmp_path / "tall.pdf"
        tall.write_bytes(hostile.drawing(RED % (0, 0), b"[0 0 595 2147483648]"))
        with pytest.raises(PdfError) as error:
            draw(worker, tall, 1, 400, Drawing())
        assert "; poppler" not in str(error.value)
        tall.write_bytes(CROPPED)
        assert draw(worker, tall, 1, 200, Drawing()).engine == "pypdfium2"
        assert draw(worker, tall, 1, 200, Drawing("poppler")).engine == "pypdfium2"
    with pytest.raises(ConfigError, match="poppler-utils"):
        Drawing("poppler").settings()


@needs_poppler
def test_a_page_that_none_draws_has_both_reasons(worker: DocumentWorker, tmp_path: Path) -> None:
    path = tmp_path / "tall.pdf"
    path.write_bytes(hostile.drawing(RED % (0, 0), b"[0 0 595 2147483648]"))
    with pytest.raises(PdfError) as error:
        draw(worker, path, 1, 400, Drawing())
    assert error.value.reason == "bad_page"
    assert str(error.value).count("points") == 2 and "; poppler: " in str(error.value)
    assert str(error.value).count(str(path)) == 1


@needs_poppler
def test_a_password_is_never_put_on_a_command_line(worker: DocumentWorker, tmp_path: Path) -> None:
    from pypdf import PdfWriter

    (tmp_path / "open.pdf").write_bytes(CROPPED)
    writer = PdfWriter(clone_from=tmp_path / "open.pdf")
    writer.encrypt("sesame", "owner", algorithm="RC4-128")
    writer.write(tmp_path / "locked.pdf")
    with pytest.raises(PdfError, match="other processes") as error:
        worker.draw(tmp_path / "locked.pdf", 1, 200, password="sesame", engine="poppler")
    assert error.value.reason == "encrypted"
    drawn = draw(worker, tmp_path / "locked.pdf", 1, 200, Drawing("poppler"), password="sesame")
    assert drawn.engine == "pypdfium2"


@needs_poppler
def test_poppler_is_limited_and_goes_with_its_child(tmp_path: Path) -> None:
    """A page of 10^9 rectangles: ended by its processor time, and by the clock with nothing left behind."""
    (tmp_path / "busy.pdf").write_bytes(hostile.busy())
    with DocumentWorker(cpu_seconds=1) as worker:
        with pytest.raises(PdfError) as error:
            worker.draw(tmp_path / "busy.pdf", 1, 224, engine="poppler")
        assert error.value.reason == "timeout"
    with DocumentWorker(wall_seconds=0.7) as worker:
        with pytest.raises(PdfError) as error:
            worker.draw(tmp_path / "busy.pdf", 1, 224, engine="poppler")
        assert error.value.reason == "timeout" and worker._child.process is None


def test_an_image_is_drawn_by_neither(worker: DocumentWorker, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(encoded(picture(), "png"))
    for engine in drawing.ENGINES:
        assert worker.draw(tmp_path / "x", 1, 100, engine=engine).engine == "pillow"


def test_a_page_without_marks_is_looked_at_twice() -> None:
    """The second engine's picture counts only if there is something on it."""
    white = Drawn(np.full((20, 20, 3), 255, np.uint8), "pypdfium2", False)
    marked = Drawn(np.arange(1200, dtype=np.uint8).reshape(20, 20, 3), "poppler", False)

    def fails() -> Drawn:
        raise PdfError("bad_page", "no")

    assert drawing._marked(white, lambda: marked) is marked
    assert drawing._marked(white, lambda: white._replace(engine="poppler")) is white
    assert drawing._marked(white, fails) is white
    assert drawing._marked(marked, fails) is marked


def test_a_bare_page_says_so(worker: DocumentWorker, tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(hostile.drawing(b""))
    assert worker.draw(tmp_path / "x.pdf", 1, 100).bare
    (tmp_path / "x.pdf").write_bytes(CROPPED)
    assert not worker.draw(tmp_path / "x.pdf", 1, 100).bare


def test_settings_tell_engines_and_boxes_apart() -> None:
    assert Drawing().settings() != Drawing(box="media").settings()
    for wrong in ({"engine": "mupdf"}, {"box": "trim"}):
        with pytest.raises(ConfigError, match="must be one of"):
            Drawing(**wrong)
