"""Images, opened in the limited child process of scriptorium.pages.pdf, whose protocol it answers.

Loaded by pdf_child.py by its path; it imports nothing of scriptorium. A page of a TIFF is one of its images;
of an animated GIF, WebP or PNG the first picture is the page.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FORMATS = {
    "png": "PNG",
    "jpeg": "JPEG",
    "tiff": "TIFF",
    "webp": "WEBP",
    "bmp": "BMP",
    "gif": "GIF",
    "jp2": "JPEG2000",
    "heic": "HEIF",
}
"""Kinds of images, and Pillow's name of the one decoder that may open each."""

STARTS = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jp2"),
    (b"\xff\x4f\xff\x51", "jp2"),
)
HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
"""What follows `ftyp` in a file of the HEIF family, which mobile phones make."""

MOST_PIXELS = 200_000_000
"""An A0 sheet at 300 dpi has 140 million; with more, an image is taken for a decompression bomb."""
MOST_FRAMES = 100_000
DEFAULT_DPI = 72.0
"""Of an image that does not say: a point is a pixel then, as PDF has it."""
DPI_RANGE = (36.0, 4800.0)
"""A density outside is a writer's mistake."""
ORIENTATION = 0x0112


class Failure(Exception):
    """What is wrong with a file or a page: the reason's code and a sentence."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


def kind_of(path: str) -> str:
    """`pdf` (its mark is in the first 1,024 bytes), the kind of an image, or nothing; by content alone."""
    with Path(path).open("rb") as file:
        head = file.read(1024)
    for start, kind in STARTS:
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS:
        return "heic"
    if head[:2] == b"BM" and head[6:10] == bytes(4) and head[14:15] in (b"\x0c", b"\x28", b"\x6c", b"\x7c"):
        return "bmp"
    return "pdf" if b"%PDF-" in head else ""


@contextlib.contextmanager
def opened(path: str, kind: str, page: int) -> Iterator[Any]:
    """The image at its page, not decoded yet. Raises Failure."""
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # the bound is checked here, for every frame
    if kind == "heic":
        open_heif()
    try:
        with Image.open(path, formats=[FORMATS[kind]]) as image:
            if not 1 <= page <= frames(image, kind):
                raise Failure("bad_page", f"no such page; the image has {frames(image, kind)}")
            image.seek(page - 1)
            if image.width * image.height > MOST_PIXELS:
                raise Failure(
                    "memory", f"{image.width} x {image.height} pixels; at most {MOST_PIXELS} are drawn"
                )
            yield image
    except UnidentifiedImageError as error:
        raise Failure("damaged", f"the {kind} is damaged beyond repair") from error
    except OSError as error:
        if error.errno is not None:
            raise  # the file cannot be read
        raise Failure("bad_page", f"the {kind} is torn: {error}") from error  # so decoders say it
    except EOFError as error:
        raise Failure("bad_page", "the image ends before this page") from error


def open_heif() -> None:
    """Have Pillow open HEIF. Raises Failure where the package for it is not installed."""
    try:
        import pillow_heif
    except ImportError as error:
        mend = "pip install '.[heic]', or save it as JPEG"
        raise Failure("damaged", f"a HEIC image, and nothing here opens those: {mend}") from error
    pillow_heif.register_heif_opener(thumbnails=False)


def frames(image: Any, kind: str) -> int:
    """Pages of an image. Raises Failure if it claims too many."""
    count = getattr(image, "n_frames", 1) if kind == "tiff" else 1
    if count > MOST_FRAMES:
        raise Failure("damaged", f"the image claims {count} pages; at most {MOST_FRAMES} are read")
    return count


def sizes(path: str, kind: str) -> list[tuple[float, float]]:
    """Width and height of every page in points, as it is seen; zeros for a page that is damaged."""
    with opened(path, kind, 1) as image:
        count, found = frames(image, kind), [points(image)]
        for index in range(1, count):
            try:
                image.seek(index)
                found.append(points(image))
            except (OSError, EOFError, ValueError, SyntaxError):
                found.append((0.0, 0.0))
    return found


def points(image: Any) -> tuple[float, float]:
    """Width and height in points by the image's own density, turned as EXIF says."""
    across, down = density(image)
    width, height = image.width * 72 / across, image.height * 72 / down
    return (height, width) if orientation(image) >= 5 else (width, height)


def density(image: Any) -> tuple[float, float]:
    """Dots per inch across and down; DEFAULT_DPI where the image says none that can be."""
    try:
        across, down = (float(each) for each in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return DEFAULT_DPI, DEFAULT_DPI
    low, high = DPI_RANGE
    if low <= across <= high and low <= down <= high:
        return across, down
    return DEFAULT_DPI, DEFAULT_DPI


def orientation(image: Any) -> int:
    """EXIF's orientation, 1 to 8; 5 and more lie on their side."""
    try:
        value = image.getexif().get(ORIENTATION, 1)
    except (OSError, ValueError, SyntaxError, KeyError, TypeError):
        return 1  # torn EXIF is no reason to lose the picture
    return value if value in range(1, 9) else 1


def render(path: str, kind: str, page: int, side: int) -> tuple[dict[str, Any], bytes]:
    """The page on white, RGB, its longest side `side` pixels at most: an image is never enlarged."""
    from PIL import Image, ImageOps

    with opened(path, kind, page) as image:
        turn = orientation(image)
        if kind == "jpeg":
            image.draft(None, (2 * side, 2 * side))  # decode no finer than needed
        drawn = rgb(image)
    if turn != 1:
        drawn.getexif()[ORIENTATION] = turn
        drawn = ImageOps.exif_transpose(drawn)
    if max(drawn.size) > side:
        scale = side / max(drawn.size)
        size = tuple(max(1, round(each * scale)) for each in drawn.size)
        drawn = drawn.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return {"width": drawn.width, "height": drawn.height}, drawn.tobytes()


def rgb(image: Any) -> Any:
    """Any mode as RGB: what is transparent becomes white, 16 bits and floats are scaled to 8."""
    from PIL import Image

    if image.mode.startswith(("I", "F")):
        return eight_bits(image).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layer = image.convert("RGBA")
        ground = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        return Image.alpha_composite(ground, layer).convert("RGB")
    return image.convert("RGB") if image.mode != "RGB" else image.copy()


def eight_bits(image: Any) -> Any:
    """Gray of 16 or 32 bits as 8: a 16-bit image by its high byte, any other by its own range."""
    import numpy as np
    from PIL import Image

    levels = np.nan_to_num(np.asarray(image, dtype=np.float32))
    low, high = (
        (0.0, 65535.0) if image.mode.startswith("I;16") else (float(levels.min()), float(levels.max()))
    )
    if image.mode == "I" and low >= 0 and high <= 65535:  # a 16-bit PNG, as some versions open it
        low, high = 0.0, 65535.0
    return Image.fromarray(((levels - low) * (255 / max(high - low, 1e-9))).round().astype(np.uint8))
