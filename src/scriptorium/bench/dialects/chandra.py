"""Chandra: a page in HTML.

Shape: `<div data-bbox="x0 y0 x1 y1" data-label="Section-Header"><h1>...</h1></div>` a block (or the same blocks
without the divs), LaTeX in `<math>` and `<math display="block">`, tables in HTML, check boxes as `<input>`,
descriptions of pictures in `<img alt>`. Page headers and footers are dropped.
"""

from scriptorium.bench.dialects.labelled_html import page

NAME = "chandra"
VERSION = 1


def adapt(text: str) -> str:
    """The Markdown of one page. Raises DialectError for a text without HTML, or with MathML."""
    return page(text)
