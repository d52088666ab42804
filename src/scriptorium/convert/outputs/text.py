"""Plain text: what a reader would see, without marks of Markdown or HTML. Formulas stay LaTeX."""

import re
from collections.abc import Iterator

from lxml import etree
from lxml import html as lxml_html

from scriptorium.convert.outputs.documents import Document
from scriptorium.convert.outputs.html import body
from scriptorium.convert.outputs.markdown import failed_text, is_marked
from scriptorium.convert.outputs.options import Options

ENDING = ".txt"
APART = frozenset(
    {"blockquote", "center", "details", "div", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr"}
    | {"article", "aside", "figure", "footer", "ol", "p", "pre", "section", "summary", "table", "ul"}
)
"""Tags with a blank line before and after."""

LINES = frozenset({"li", "tr", "dd", "dt", "br"})
CELLS = frozenset({"td", "th"})
FRAMES = frozenset({"table", "tr", "tbody", "thead", "tfoot", "ul", "ol"})
"""Tags between whose children there is no text of its own."""
LINE, PARAGRAPH, CELL = "\x01", "\x02", "\x03"
"""Where a line, a paragraph or a cell begins or ends, while a text is put together. HTML has no such characters."""
OWN = str.maketrans("", "", LINE + PARAGRAPH + CELL)
EDGES = re.compile(rf"([{LINE}{PARAGRAPH}](?: *[{LINE}{PARAGRAPH}])*)")


def render(document: Document, texts: list[str], options: Options) -> str:
    """The file of a document whose pages have these `texts` (Markdown). Pages are a blank line apart."""
    parts = []
    for page, text in zip(document.pages, texts, strict=True):
        parts += [plain(text)] if text else []
        parts += [f"[{failed_text(page)}]"] if is_marked(page, options) else []
    found = "\n\n".join(part for part in parts if part)
    return f"{found}\n" if found else ""


def plain(text: str) -> str:
    """Markdown as plain text: a line for a list's item, a line with tabs for a table's row."""
    clean = body(text)
    if not clean.strip():
        return ""
    parser = lxml_html.HTMLParser(huge_tree=True)  # without it all below 256 tags is left out
    root = lxml_html.fragment_fromstring(clean, create_parent="div", parser=parser)
    runs = EDGES.split("".join(_pieces(root)))
    edges = ["\n\n" if PARAGRAPH in run else "\n" for run in runs[1::2]]
    lines = [_cells(run) if CELL in run else run.strip(" ") for run in runs[::2]]
    return "".join(line + edge for line, edge in zip(lines, [*edges, ""], strict=True)).strip("\n ")


def _pieces(root: etree._Element) -> Iterator[str]:
    """The text below an element, with marks where blocks and cells begin and end."""
    cells = kept = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag = str(element.tag)
        edge = PARAGRAPH if tag in APART else LINE if tag in LINES else ""
        step = 1 if event == "start" else -1
        cells += step * (tag in CELLS)
        kept += step * (tag == "pre" or element.get("class") == "formula")
        if event == "start":
            yield CELL if tag in CELLS and cells == 1 else " " if cells and (edge or tag in CELLS) else edge
            yield _words(element.text, kept > 0)
            continue
        yield " " if cells and edge else "" if tag == "br" else edge
        parent = element.getparent()
        if parent is not None and parent.tag not in FRAMES:
            yield _words(element.tail, kept > 0)


def _cells(line: str) -> str:
    """A row of a table: its cells with tabs between them."""
    return "\t".join(" ".join(cell.split()) for cell in line.strip(" ").removeprefix(CELL).split(CELL))


def _words(text: str | None, kept: bool) -> str:
    plain = (text or "").translate(OWN)
    return plain if kept else re.sub(r"\s+", " ", plain)
