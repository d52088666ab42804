"""How the pages of documents are drawn: by which engine, out of which box, and who is asked second.

A page that the first engine cannot draw, or draws without a mark although there is something on it, is given
to the other one. What drew a page is said with it.
"""

import functools
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from scriptorium.errors import ConfigError
from scriptorium.pages.pdf import Drawn, PdfError, PdfWorker

ENGINES = ("pypdfium2", "poppler")
BOXES = ("crop", "media")
FINAL = ("missing", "no_pages")
"""What no engine can help."""


@dataclass(frozen=True)
class Drawing:
    """The engine that is asked first, and the box of a page that is drawn: what a reader sees, or the whole sheet."""

    engine: str = "pypdfium2"
    box: str = "crop"

    def __post_init__(self) -> None:
        for name, value, known in (("engine", self.engine, ENGINES), ("box", self.box, BOXES)):
            if value not in known:
                raise ConfigError(f"{name}: found {value!r}, must be one of {', '.join(known)}")

    def settings(self) -> dict[str, str]:
        """What of it shapes a page's image: part of the page store's content key. Raises ConfigError."""
        release = version("pypdfium2") if self.engine == "pypdfium2" else poppler_version()
        return {
            "engine": f"{self.engine} {release}",
            "box": self.box,
            "images": f"pillow {version('pillow')}",
        }


def draw(
    worker: PdfWorker, path: Path, page: int, side: int, drawing: Drawing, second: bool = True, **more: Any
) -> Drawn:
    """The page as `PdfWorker.draw` gives it, with `more` of its options; an image is drawn by Pillow.

    `second`: whether the other engine is asked where the first one fails. Raises PdfError, with both reasons
    then.
    """
    other = ENGINES[1 - ENGINES.index(drawing.engine)]
    second = second and (other != "poppler" or has_poppler())
    try:
        drawn = worker.draw(path, page, side, engine=drawing.engine, box=drawing.box, **more)
    except PdfError as error:
        if not second or error.reason in FINAL:
            raise
        try:
            return worker.draw(path, page, side, engine=other, box=drawing.box, **more)
        except PdfError as again:
            why = str(again).removeprefix(f"{path}, page {page}: ")
            raise PdfError(error.reason, f"{error}; {other}: {why}") from again
    if second and drawn.engine == "pypdfium2" and not drawn.bare:
        return _marked(drawn, lambda: worker.draw(path, page, side, engine=other, box=drawing.box, **more))
    return drawn


def _marked(drawn: Drawn, again: Any) -> Drawn:
    """A drawing with marks on it: the first one, or the second if only that has some."""
    from scriptorium.pages.image import is_blank

    if not is_blank(drawn.pixels):
        return drawn
    try:
        other = again()
    except PdfError:  # then the page is blank, as the first engine says
        return drawn
    return drawn if is_blank(other.pixels) else other


@functools.cache
def has_poppler() -> bool:
    """Whether poppler's programs are on the path of this process."""
    return all(shutil.which(name) for name in ("pdfinfo", "pdftoppm"))


@functools.cache
def poppler_version() -> str:
    """The version of poppler. Raises ConfigError where it is not installed."""
    program = shutil.which("pdftoppm")
    if program and has_poppler():
        said = subprocess.run([program, "-v"], capture_output=True, timeout=30).stderr.decode(
            "utf-8", "replace"
        )
        if found := re.search(r"version ([\w.]+)", said):
            return found[1]
    raise ConfigError(
        "engine poppler: pdftoppm and pdfinfo are not there; apt-get install poppler-utils, or brew install "
        "poppler, or leave --engine out"
    )
