"""Surya: a page as JSON or as HTML.

Shapes: `{"blocks": [{"label", "html", "reading_order"}]}` or the bare list (Surya 2; page headers and footers are
dropped); `{"text_lines": [{"text"}]}` (lines, with `<b>`, `<i>`, `<math>`); either within `{"<file>": [page]}` for
one page; or the HTML of blocks by itself. Formulas are LaTeX in `<math>`; underscores in them stay as they are.
"""

import html
from typing import Any

from scriptorium.bench.dialects.html_markdown import markdown_of
from scriptorium.bench.dialects.labelled_html import page, role
from scriptorium.pages.answers.errors import DialectError
from scriptorium.pages.answers.pieces import field, joined, read_json

NAME = "surya"
VERSION = 1


def adapt(text: str) -> str:
    """The Markdown of one page. Raises DialectError for another shape, or more than one page."""
    return _page(read_json(text)) if text.lstrip()[:1] in ("{", "[") else page(text)


def _page(value: Any) -> str:
    if isinstance(value, list):
        return _blocks(value)
    if isinstance(value, dict) and "blocks" in value:
        return _blocks(field(value, "blocks", list, "page"))
    if isinstance(value, dict) and "text_lines" in value:
        lines = field(value, "text_lines", list, "page")
        texts = [field(line, "text", str, f"text_lines[{n}]") for n, line in enumerate(lines)]
        return "\n".join(markdown_of(text) for text in texts)
    if isinstance(value, dict) and len(value) == 1:
        pages = field(value, next(iter(value)), list, "results")
        if len(pages) == 1:
            return _page(pages[0] if isinstance(pages[0], dict) else None)
        raise DialectError(f"{len(pages)} pages; give one page at a time")
    raise DialectError("neither blocks nor text_lines in it")


def _blocks(blocks: list[Any]) -> str:
    if all(isinstance(block, dict) and isinstance(block.get("reading_order"), int) for block in blocks):
        blocks = sorted(blocks, key=lambda block: int(block["reading_order"]))
    return joined([_block(block, f"blocks[{n}]") for n, block in enumerate(blocks)])


def _block(block: Any, where: str) -> str:
    content = field(block, "html", str, where)
    label = block.get("label")
    kind = role(label) if isinstance(label, str) else None
    if kind == "drop":
        return ""
    name = html.escape(label) if isinstance(label, str) else ""
    return markdown_of(content) if kind is None else page(f'<div data-label="{name}">{content}</div>')
