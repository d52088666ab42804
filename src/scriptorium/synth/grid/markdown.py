"""The truth of a page: front matter and Markdown."""

from html import escape

from scriptorium.pages.front_matter import FrontMatter, encode
from scriptorium.synth.grid.document import Block, Heading, ListBlock, Page, Paragraph, Table


def body(page: Page) -> str:
    """The page's Markdown: its body's blocks, a blank line between two."""
    return "\n\n".join(_block(block) for block in page.body)


def truth(page: Page) -> str:
    """The whole target of a page: front matter and Markdown."""
    has_table = any(isinstance(block, Table) for block in page.body)
    return encode(FrontMatter(is_table=has_table), body(page))


def _block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"# {text}"
        case Paragraph(lines):
            return "\n".join(lines)
        case ListBlock(items):
            return "\n".join(f"- {item}" for item in items)
        case Table():
            return _table(block)
    raise TypeError(f"{type(block).__name__} is not part of the truth")


def _table(table: Table) -> str:
    """Compact HTML on one line: Markdown's pipes have no cells that span, and cost more tokens."""
    rows = []
    for number, row in enumerate(table.rows):
        tag = "th" if table.header and number == 0 else "td"
        rows.append("".join(f"<{tag}>{escape(cell, quote=False)}</{tag}>" for cell in row))
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"
