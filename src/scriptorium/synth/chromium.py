"""The second engine: Chromium, one browser for as long as it is wanted, many sheets in one document.

A browser started for every page, as others do, takes longer than all the rest. Nothing is fetched: fonts of
formulas come with the package, fonts of text from the machine, and the browser has no network.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from scriptorium.errors import HostError
from scriptorium.pages.view import KATEX
from scriptorium.synth import html
from scriptorium.synth.document import Sheet

SMALLEST = 0.8
"""A sheet whose text does not fit is set smaller, to this share at most; then it is refused."""

PROGRAMS = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
SCRIPT = Path(__file__).with_name("sheets.js")
DATES = re.compile(rb"/(CreationDate|ModDate) \(D:[^)]*\)")

_HAS_FACE = """faces => {
  const measure = document.createElement("canvas").getContext("2d");
  const width = face => { measure.font = `40px ${face}`; return measure.measureText("mmmilWQ&0.").width; };
  return faces.filter(face =>
    ["monospace", "serif"].some(other => width(`"${face}", ${other}`) !== width(other)));
}"""


@dataclass(frozen=True)
class Drawn:
    """What came of one sheet: why it cannot be used, or nothing; its text's size as a share of what the style
    says; of each leaf block its boxes (left, top, right, bottom in shares of the page), one a column."""

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

    def draw(self, sheets: Sequence[Sheet]) -> tuple[bytes, list[Drawn]]:
        """A PDF of a page a sheet, and what came of each; 20 to 50 sheets at a time are quickest."""
        self._page.set_content(html.document(sheets, self.faces))
        self._page.add_script_tag(path=KATEX)
        self._page.evaluate("document.fonts.ready.then(() => null)")
        found = self._page.evaluate(SCRIPT.read_text("utf-8"), SMALLEST)
        pdf = self._page.pdf(prefer_css_page_size=True, print_background=True, tagged=False, outline=False)
        return undated(pdf), [self._drawn(sheet, each) for sheet, each in zip(sheets, found, strict=True)]

    def _drawn(self, sheet: Sheet, found: dict[str, Any]) -> Drawn:
        fault = found["fault"]
        if html.faces(sheet, self.faces) is None:
            wanted = ", ".join(face for face, _ in html.FACES_OF_LANGUAGE[sheet.language])
            fault = f"no font for language {sheet.language!r}: install one of {wanted}"
        boxes = tuple(tuple((a, b, c, d) for a, b, c, d in block) for block in found["boxes"])
        return Drawn(fault, found["scale"], boxes)

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


def undated(pdf: bytes) -> bytes:
    """The PDF with its dates set to the year 2000, in as many bytes."""

    def fixed(match: re.Match[bytes]) -> bytes:
        head = b"/%b (D:20000101000000" % match[1]
        return head + b"Z".ljust(len(match[0]) - len(head) - 1, b"0")[: len(match[0]) - len(head) - 1] + b")"

    return DATES.sub(fixed, pdf)
