"""The second engine: Chromium, one browser for as long as it is wanted, many sheets in one document.

A browser started for every page, as others do, takes longer than all the rest. Nothing is fetched: fonts of
formulas come with the package, fonts of text from the machine, and the browser has no network.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pypdfium2

from scriptorium.errors import HostError
from scriptorium.pages.view import KATEX
from scriptorium.synth import html
from scriptorium.synth.document import Sheet
from scriptorium.synth.saved import saved

SMALLEST = 0.8
"""A sheet whose text does not fit is set smaller, to this share at most; then it is refused."""

PROGRAMS = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
SCRIPT = Path(__file__).with_name("sheets.js")

_HAS_FACE = """faces => {
  const measure = document.createElement("canvas").getContext("2d");
  const width = face => { measure.font = `40px ${face}`; return measure.measureText("mmmilWQ&0.").width; };
  return faces.filter(face =>
    ["monospace", "serif"].some(other => width(`"${face}", ${other}`) !== width(other)));
}"""


@dataclass(frozen=True)
class Result:
    """What came of one sheet.

    `pdf`: its page. `fault`: why it cannot be used, or nothing. `scale`: the size of its text as a share of what
    the style says. `boxes`: of each leaf block its boxes, one a column, in shares of the page's sides.
    """

    pdf: bytes
    fault: str
    scale: float
    boxes: tuple[tuple[tuple[float, float, float, float], ...], ...]


class Chromium:
    """A browser that draws sheets; a context manager. Same sheets on the same machine, same bytes."""

    def __init__(self, program: Path | None = None) -> None:
        """`program`: the browser's; by default the system's, else playwright's own. Raises HostError without one."""
        try:
            from playwright.sync_api import Error, sync_playwright
        except ImportError as error:
            raise HostError("Chromium needs playwright: pip install 'scriptorium[browser]'") from error
        found = program or next((Path(each) for each in PROGRAMS if Path(each).exists()), None)
        self._playwright = sync_playwright().start()
        try:
            self._browser = self._playwright.chromium.launch(
                executable_path=found, args=["--no-sandbox", "--font-render-hinting=none"]
            )
        except Error as error:
            self._playwright.stop()
            raise HostError(f"Chromium ({found or 'of playwright'}) does not start: {error}") from error
        self._page = self._browser.new_context(offline=True).new_page()
        self._page.emulate_media(media="print")
        self.faces = self._faces()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the browser."""
        self._browser.close()
        self._playwright.stop()

    def draw(self, sheets: Sequence[Sheet]) -> list[Result]:
        """Each sheet drawn, in order; 20 to 50 at a time are quickest."""
        found, pdf = self._printed(html.document(sheets, self.faces))
        # What sticks out is cut off at the sheet's edge, so that a sheet is always one page.
        pages = _split(pdf)
        return [self._result(*each) for each in zip(sheets, found, pages, strict=True)]

    def _printed(self, text: str) -> tuple[list[dict[str, Any]], bytes]:
        self._page.set_content(text)
        self._page.add_script_tag(path=KATEX)
        self._page.evaluate("document.fonts.ready.then(() => null)")
        found = self._page.evaluate(SCRIPT.read_text("utf-8"), SMALLEST)
        # KaTeX's fonts are loaded when formulas first need them.
        self._page.evaluate("document.fonts.ready.then(() => null)")
        pdf = self._page.pdf(prefer_css_page_size=True, print_background=True, tagged=False, outline=False)
        return found, pdf

    def _result(self, sheet: Sheet, found: dict[str, Any], pdf: bytes) -> Result:
        fault = found["fault"]
        if html.faces(sheet, self.faces) is None:
            wanted = ", ".join(face for face, _ in html.FACES_OF_LANGUAGE[sheet.language])
            fault = f"no font for language {sheet.language!r}: install one of {wanted}"
        boxes = tuple(tuple((a, b, c, d) for a, b, c, d in block) for block in found["boxes"])
        return Result(pdf, fault, found["scale"], boxes)

    def _faces(self) -> frozenset[str]:
        pairs = (*html.FACES, *(pair for each in html.FACES_OF_LANGUAGE.values() for pair in each))
        wanted = sorted({face for pair in pairs for face in pair})
        found = frozenset(self._page.evaluate(_HAS_FACE, wanted))
        if not any(set(pair) <= found for pair in html.FACES):
            self.close()
            raise HostError(
                f"no font of {', '.join(wanted)} is here; install fonts-liberation or fonts-dejavu"
            )
        return found


def _split(pdf: bytes) -> list[bytes]:
    """Each page as a PDF of its own; our own file, so no child process guards it."""
    pages = []
    with pypdfium2.PdfDocument(pdf) as document:
        for number in range(len(document)):
            with pypdfium2.PdfDocument.new() as single:
                single.import_pages(document, [number])
                pages.append(saved(single))
    return pages
