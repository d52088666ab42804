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

LINE, PARAGRAPH = "\x01", "\x02"
"""Where a line or a paragraph ends, while a text is put together. HTML has no such characters."""


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
    root = lxml_html.fragment_fromstring(clean, create_parent="div")
    words = re.sub(rf" *[{LINE}{PARAGRAPH}][ {LINE}{PARAGRAPH}]*", _edge, "".join(_pieces(root)))
    return words.strip("\n ")


def _edge(found: re.Match[str]) -> str:
    return "\n\n" if PARAGRAPH in found[0] else "\n"


def _pieces(element: etree._Element, pre: bool = False) -> Iterator[str]:
    """The text in an element, with new lines round its blocks. Line ends of the source are spaces."""
    tag = element.tag if isinstance(element.tag, str) else ""
    kept = pre or tag == "pre" or element.get("class") == "formula"
    edge = PARAGRAPH if tag in APART else LINE if tag in ("li", "tr", "dd", "dt", "br") else ""
    yield edge
    yield _words(element.text, kept)
    for number, child in enumerate(element):
        if child.tag in ("td", "th") and number:
            yield "\t"
        yield from _cell(child) if child.tag in ("td", "th") else _pieces(child, kept)
        if tag not in ("table", "tr", "tbody", "thead", "tfoot", "ul", "ol"):
            yield _words(child.tail, kept)
    yield "" if tag == "br" else edge


def _cell(element: etree._Element) -> Iterator[str]:
    yield " ".join(re.sub(f"[{LINE}{PARAGRAPH}]", " ", "".join(_pieces(element))).split())


def _words(text: str | None, kept: bool) -> str:
    plain = re.sub(f"[{LINE}{PARAGRAPH}]", "", text or "")
    return plain if kept else re.sub(r"\s+", " ", plain)
