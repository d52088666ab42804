"""HTML of any tool: headings, paragraphs, lists, tables, emphasis, formulas in `<math>` as LaTeX."""

from scriptorium.bench.dialects.labelled_html import page

NAME = "html"
VERSION = 1


def adapt(text: str) -> str:
    """The Markdown of one page. Raises DialectError for a text without HTML, or with MathML."""
    return page(text)
