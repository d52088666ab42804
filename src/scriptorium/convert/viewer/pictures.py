"""Pictures of pages: which of them, and their files, bounded in size and kept from one build to the next."""

import io
import random
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from scriptorium.convert.documents import Pages, SourceError
from scriptorium.errors import ConfigError
from scriptorium.files import whole
from scriptorium.pages.pdf import PdfError
from scriptorium.pages.rotation import rotate
from scriptorium.progress import track

if TYPE_CHECKING:
    import numpy as np

SIDE = 1280
"""Longest side in pixels: small print of an A4 page can be read."""
QUALITIES = (70, 40, 15)
"""Of WebP, each tried where the one before makes a file above MOST_BYTES. The first: about 70 kB a page."""
EFFORT = 2
MOST_BYTES = 300_000
"""Of a picture; what is larger at the last quality is drawn at half the side."""
CHOICE = re.compile(r"(worst|sample):(\d+)")


class Wanted(NamedTuple):
    """A page to draw: its number in the viewer, whose plan it is from (run 0 or 1), its row there, how it is turned."""

    number: int
    run: int
    row: dict[str, Any]
    rotation: int
    badness: tuple[Any, ...]

    def name(self, side: int) -> str:
        """The name of its picture."""
        return picture_name(self.row["document"], self.row["page"], self.rotation, side)


def picture_name(document: str, page: int, rotation: int, side: int) -> str:
    """The file of a page's picture; viewer.js puts it together in the same way."""
    return f"{document[:16]}-{page}-{rotation}-{side}.webp"


def chosen(pages: Sequence[Wanted], choice: str) -> list[Wanted]:
    """The pages that `choice` means: `all`, `none`, `worst:N`, or `sample:N`, at random but always the same.

    Raises ConfigError for another choice.
    """
    if choice in ("all", "none"):
        return list(pages) if choice == "all" else []
    found = CHOICE.fullmatch(choice)
    if not found:
        raise ConfigError(f"--pages {choice}: expected all, none, worst:N or sample:N, N a number")
    count = min(int(found[2]), len(pages))
    if found[1] == "worst":
        return sorted(pages, key=lambda page: (page.badness, page.number))[:count]
    return random.Random(0).sample(list(pages), count)


def draw(
    wanted: Sequence[Wanted], sources: Sequence[Pages], folder: Path, side: int = SIDE, jobs: int = 1
) -> dict[int, str]:
    """Draw pages into `folder`, `jobs` at a time; why a page has no picture, by its number.

    `sources`: the documents of each run. What is there already is not drawn again; pictures of other pages are removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = {page.name(side) for page in wanted}
    for path in folder.glob("*.webp"):
        if path.name not in kept:
            path.unlink()

    def one(page: Wanted) -> str:
        path = folder / page.name(side)
        if path.is_file():
            return ""
        try:
            image = rotate(sources[page.run].render(page.row, side), page.rotation)
        except PdfError as error:
            return f"{error.reason.replace('_', ' ')}: the page cannot be drawn"
        except SourceError:
            return "its document is gone or changed since the plan was made"
        with whole(path) as part:
            part.write_bytes(encoded(image))
        return ""

    with ThreadPoolExecutor(jobs) as pool:
        faults = track(pool.map(one, wanted), len(wanted), "pictures")
        return {page.number: fault for page, fault in zip(wanted, faults, strict=True) if fault}


def encoded(image: "np.ndarray") -> bytes:
    """The image (H, W, 3) as WebP of at most MOST_BYTES, if half its side can be had in so few."""
    from PIL import Image

    picture = Image.fromarray(image)
    for quality in QUALITIES:
        data = _webp(picture, quality)
        if len(data) <= MOST_BYTES:
            return data
    half = (max(1, picture.width // 2), max(1, picture.height // 2))
    return _webp(picture.resize(half), QUALITIES[-1])


def _webp(picture: Any, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=quality, method=EFFORT)
    return file.getvalue()
