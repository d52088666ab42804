"""Sample pages: the picture, the true text, and what models read, with the differences marked."""

import base64
import difflib
import io
import re
from dataclasses import dataclass
from pathlib import Path

import nh3
import pypdfium2 as pdfium
from markupsafe import Markup, escape

from scriptorium.report.results import RunRecord

SIDE = 640
"""Longest side of a page's picture, px."""

TOKENS = re.compile(r"\s+|\w+|[^\w\s]")
TABLE = re.compile(r"<table.*?</table>", re.DOTALL | re.IGNORECASE)
TABLE_TAGS = {"table", "thead", "tbody", "tr", "th", "td", "caption", "sup", "sub", "b", "i", "br"}
SPANS = {"td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}


@dataclass(frozen=True)
class Reading:
    """What one run read on a page."""

    run: str
    status: str
    passed: int
    tests: int
    text: Markup
    tables: list[Markup]


@dataclass(frozen=True)
class Sample:
    """One page of the bench: `picture` is a data URL, `truth` the text it should give."""

    id: str
    picture: str
    truth: str
    tables: list[Markup]
    readings: list[Reading]


def choose_pages(judge: RunRecord, rules: str, most: int) -> list[str]:
    """Ids of pages from the worst to the best that `judge` read, evenly spaced: no picking of pretty ones."""
    shares = judge.shares(rules)
    ranked = sorted(shares, key=lambda page: (shares[page][0] / max(1, shares[page][1]), page))
    if len(ranked) <= most:
        return ranked
    return [ranked[round(i * (len(ranked) - 1) / (most - 1))] for i in range(most)]


def choose_readers(runs: list[RunRecord], most: int) -> list[RunRecord]:
    """Runs that were measured, evenly spaced along the chain, with the first and the last of them."""
    read = [run for run in runs if run.readings]
    if len(read) <= most:
        return read
    return [read[round(i * (len(read) - 1) / (most - 1))] for i in range(most)]


def sample(folder: Path, page: str, readers: list[RunRecord], rules: str) -> Sample | None:
    """A page of the bench folder beside what `readers` read; None if the folder has no such pair."""
    pdf = next((str(run.readings[page]["pdf"]) for run in readers if page in run.readings), f"{page}.pdf")
    path = folder / "pdfs" / pdf
    if not (path.exists() and path.with_suffix(".md").exists()):
        return None
    truth = body(path.with_suffix(".md").read_text(encoding="utf-8"))
    readings = []
    for run in readers:
        if page in run.readings:
            row = run.readings[page]
            passed, tests = run.shares(rules).get(page, (0, 0))
            text = row.get("text") or ""
            marked = mark_differences(truth, text)
            readings.append(Reading(run.name, row["status"], passed, tests, marked, tables(text)))
    return Sample(page, picture(path), truth, tables(truth), readings)


def body(document: str) -> str:
    """A document's text behind its front matter."""
    found = re.match(r"---\n.*?\n---(\n|$)", document, re.DOTALL)
    return document[found.end() :] if found else document


def picture(pdf: Path) -> str:
    """The first page of a PDF of ours as the data URL of a PNG. Not for PDFs of unknown origin."""
    document = pdfium.PdfDocument(pdf)
    try:
        page = document[0]
        image = page.render(scale=SIDE / max(page.get_size())).to_pil()
    finally:
        document.close()
    buffer = io.BytesIO()
    image.convert("L").save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def mark_differences(truth: str, text: str) -> Markup:
    """`text`, escaped, with what is not in `truth` as <ins> and what it lacks as <del>."""
    true, read = TOKENS.findall(truth), TOKENS.findall(text)
    parts = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, true, read, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(escape("".join(read[c:d])))
            continue
        if a < b:
            parts.append(Markup("<del>{}</del>").format("".join(true[a:b])))
        if c < d:
            parts.append(Markup("<ins>{}</ins>").format("".join(read[c:d])))
    return Markup("").join(parts)


def tables(text: str) -> list[Markup]:
    """The HTML tables in a text, cleaned of everything but tables."""
    found = TABLE.findall(text)
    return [Markup(nh3.clean(one, tags=TABLE_TAGS, attributes=SPANS)) for one in found]
