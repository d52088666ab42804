r"""docling: its Markdown export.

Shape: Markdown with comments (`<!-- image -->`, `<!-- formula-not-decoded -->`, page breaks), `\_` in running text and
`&amp;`, `&lt;`, `&gt;` outside of tables too. Comments go; escapes and entities that no tag can come of are resolved.
"""

import re

from scriptorium.pages.answers.pieces import Keeper, keep_math, tidy, without_images, without_marks

NAME = "docling"
VERSION = 1
_COMMENT = re.compile(r"<!--(?:(?!<!--|-->)[\s\S])*+-->")
_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
_LESS = re.compile(r"&lt;(?![a-zA-Z/!?])")
_GREATER = re.compile(r"(?<=\S )&gt;|(?<=\S)&gt;")
_AND = re.compile(r"&amp;(?!#?\w{1,31};)")


def adapt(text: str) -> str:
    """The Markdown of one page; never raises."""
    keeper = Keeper()
    text = _CODE.sub(lambda match: keeper.keep(match[0]), without_marks(text))
    text = keep_math(_COMMENT.sub("", text), keeper, _resolved)
    text = _resolved(text).replace(r"\_", "_")
    return tidy(keeper.restore(without_images(text, lambda alt, _: alt in ("", "Image"))))


def _resolved(text: str) -> str:
    return _AND.sub("&", _GREATER.sub(">", _LESS.sub("<", text)))
