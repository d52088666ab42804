"""A cross-check of our layout of formulas against a real browser, for whoever doubts it.

Needs the package `playwright` and a Chromium; scoring never does. KaTeX's fonts are left out, as in
olmOCR-bench, so what the browser measures depends on the fonts of the host; our layout does not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scriptorium.bench.folder import load_bench
from scriptorium.bench.formulas.find import olmocr_formulas
from scriptorium.bench.formulas.geometry import Layout, contains
from scriptorium.bench.formulas.render import render
from scriptorium.bench.outputs import read_candidate
from scriptorium.errors import HostError
from scriptorium.pages.view import KATEX

_PAGE = """<!DOCTYPE html><html><head><style>
body { display: flex; justify-content: center; align-items: center; height: 100vh; margin: 0; }
#formula { font-size: 24px; }
</style></head><body><div id="formula"></div></body></html>"""

_MEASURE = """formulas => formulas.map(formula => {
  const place = document.getElementById("formula");
  place.replaceChildren();
  try {
    katex.render(formula, place, {displayMode: true, throwOnError: true});
  } catch (error) {
    return null;
  }
  const mathml = place.querySelector("semantics");
  const symbols = [];
  for (const span of place.querySelectorAll("span")) {
    if (span.children.length || !/\\S/.test(span.textContent)) continue;
    const box = span.getBoundingClientRect();
    symbols.push([span.textContent.trim(), box.x, box.y, box.width, box.height]);
  }
  const shown = [...mathml.children].filter(child => child.localName !== "annotation");
  return {mathml: shown.map(child => child.outerHTML).join(""), symbols};
})"""

_BATCH = 100


@dataclass(frozen=True)
class CrossCheck:
    """What came of it: pairs compared, formulas with the same list of symbols, pairs judged otherwise."""

    pairs: int
    formulas: int
    same_symbols: int
    differing: tuple[tuple[str, str, bool | None, bool | None], ...]
    """Reference, hypothesis, our verdict, and the verdict on the browser's boxes."""


def browser_layouts(formulas: Sequence[str], executable: Path | None = None) -> list[Layout | None]:
    """The layouts that Chromium makes of formulas; None for one that KaTeX refuses.

    `executable`: the browser's program; playwright's own if None. Raises HostError without either.
    """
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise HostError("the cross-check needs playwright: pip install playwright") from error
    here = Path(__file__).parent
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        except Error as error:
            raise HostError(f"Chromium ({executable or 'of playwright'}) does not start: {error}") from error
        page = browser.new_page(viewport={"width": 800, "height": 400})
        page.set_content(_PAGE)
        page.add_style_tag(path=here / "katex.min.css")
        page.add_script_tag(path=KATEX)
        measured: list[Any] = []
        for at in range(0, len(formulas), _BATCH):
            measured += page.evaluate(_MEASURE, list(formulas[at : at + _BATCH]))
        browser.close()
    return [
        Layout(one["mathml"], [(box[0], *box[1:]) for box in one["symbols"]]) if one else None
        for one in measured
    ]


def cross_check(pairs: Iterable[tuple[str, str]], executable: Path | None = None) -> CrossCheck:
    """Judge (reference, hypothesis) pairs on our boxes and on Chromium's. Raises HostError without a browser."""
    asked = list(dict.fromkeys(pairs))
    formulas = list(dict.fromkeys(formula for pair in asked for formula in pair))
    ours = dict(zip(formulas, (one.layout for one in render(formulas)), strict=True))
    theirs = {
        formula: layout or Layout("", ())
        for formula, layout in zip(formulas, browser_layouts(formulas, executable), strict=True)
    }
    differing = []
    for reference, hypothesis in asked:
        mine = contains(ours[hypothesis], ours[reference])
        browsers = contains(theirs[hypothesis], theirs[reference])
        if mine != browsers:
            differing.append((reference, hypothesis, mine, browsers))
    same = sum(ours[formula].characters == theirs[formula].characters for formula in formulas)
    return CrossCheck(len(asked), len(formulas), same, tuple(differing))


def bench_pairs(folder: Path, names: Iterable[str]) -> list[tuple[str, str]]:
    """Each formula of a bench's tests with each formula that candidates wrote for its page, as olmOCR-bench
    finds them. Raises InputError for a folder that is no bench or a candidate without outputs."""
    bench = load_bench(folder)
    pairs: dict[tuple[str, str], None] = {}
    for name in names:
        for page, outputs in read_candidate(bench.root, name).items():
            asked = [test["math"] for _, test in bench.pages.get(page, []) if test["type"] == "math"]
            for output in outputs if asked else []:
                formulas = olmocr_formulas(output.text or "", True)
                pairs.update(dict.fromkeys((one, other) for one in asked for other in formulas))
    return list(pairs)
