r"""Marker: Markdown with traces of its pages.

Shape: Markdown with `{3}` and 48 dashes between pages, `<span id="page-3-0"></span>` anchors, links to them
(`[1](#page-3-0)`), pictures it cut out (`![](_page_3_Picture_1.jpeg)`). Anchors, page lines and nameless pictures go,
links to anchors become their text; `\_` in formulas, which its step from HTML escaped, is `_`.
"""

import re

from scriptorium.pages.answers.pieces import (
    Keeper,
    keep_math,
    tidy,
    without_escaped_underscores,
    without_images,
    without_marks,
)

NAME = "marker"
VERSION = 1
_ANCHOR = re.compile(r"<span id=\"page-[0-9]+-[0-9]+\">(.{0,500}?)</span>", re.DOTALL)
_PAGE_LINE = re.compile(r"^\{[0-9]+\}-{20,}[ \t]*$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[((?:[^\[\]\n\\]|\\.|\[[^\[\]\n]{0,100}\]){1,100}+)\]\(#page-[0-9]+-[0-9]+\)")


def adapt(text: str) -> str:
    """The Markdown of one page; never raises."""
    keeper = Keeper()
    text = keep_math(without_marks(text), keeper, without_escaped_underscores)
    text = _PAGE_LINE.sub("", _ANCHOR.sub(r"\1", text))
    text = _LINK.sub(r"\1", text)
    return tidy(keeper.restore(without_images(text, _generated)))


def _generated(alt: str, target: str) -> bool:
    return not alt or bool(re.fullmatch(r"_page_[0-9]+_[A-Za-z]+_[0-9]+\.[a-z]+", alt))
