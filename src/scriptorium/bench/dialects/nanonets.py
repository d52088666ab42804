"""Nanonets-OCR: Markdown with tags of its own.

Shape: Markdown with HTML tables and `$` formulas, and `<page_number>`, `<watermark>`, `<header>`, `<footer>`,
`<signature>` and `<img>description</img>`. Page numbers, watermarks, headers and footers are dropped, a signature
keeps its text, a description becomes the alt text of an image.
"""

import re

from scriptorium.pages.answers.errors import DialectError
from scriptorium.pages.answers.pieces import tidy

NAME = "nanonets"
VERSION = 1
_DROPPED = re.compile(r"<(page_number|watermark|header|footer)>(?:(?!</?\1>)[\s\S])*+</\1>")
_IMAGE = re.compile(r"<img>((?:(?!</?img>)[\s\S])*+)</img>")
_SIGNATURE = re.compile(r"<signature>((?:(?!</?signature>)[\s\S])*+)</signature>")
_LEFT = re.compile(r"</?(?:page_number|watermark|signature)>|</img>|<img>")


def adapt(text: str) -> str:
    """The Markdown of one page. Raises DialectError if a tag of its own is not closed."""
    text = _SIGNATURE.sub(r"\1", _DROPPED.sub("", text))
    text = _IMAGE.sub(lambda match: _described(match[1]), text)
    if left := _LEFT.search(text):
        raise DialectError(f"{left[0]} without its other half at character {left.start()}")
    return tidy(text)


def _described(description: str) -> str:
    alt = " ".join(re.sub("<[^<>]*>", " ", description).replace("[", "(").replace("]", ")").split())
    return f"![{alt}](image.png)" if alt else ""
