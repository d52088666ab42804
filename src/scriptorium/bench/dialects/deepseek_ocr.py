"""DeepSeek-OCR: Markdown in blocks with grounding tags.

Shape: `<|ref|>label<|/ref|><|det|>[[x1, y1, x2, y2]]<|/det|>` before each block's Markdown, where the label is a kind
of block (text, title, table, image, ...); or, in its plain OCR, `<|ref|>the text itself<|/ref|><|det|>...<|/det|>`.
An answer without tags is Markdown already. Page headers, footers and numbers are dropped; pictures have no text.
"""

import re

from scriptorium.pages.answers.errors import DialectError
from scriptorium.pages.answers.pieces import joined, tidy

NAME = "deepseek-ocr"
VERSION = 1
KINDS = re.compile(
    "text|title|sub_title|paragraph|list|list_item|table|(?:table|image|figure)_caption|table_footnote|equation"
    "|formula|code|reference|footnote|page_footnote|aside_text"
)
DROPPED = frozenset({"header", "footer", "page_header", "page_footer", "page_number", "image", "figure"})
_GROUND = re.compile(r"<\|ref\|>((?:(?!<\|/?ref\|>)[\s\S])*+)<\|/ref\|>\s*<\|det\|>\s*\[[^<]*<\|/det\|>")
_END = re.compile(r"<[|｜]end[_▁]of[_▁]sentence[|｜]>")
_LEFT = re.compile(r"<\|/?(?:ref|det|grounding)\|>")


def adapt(text: str) -> str:
    """The Markdown of one page. Raises DialectError if a tag is broken."""
    text = _END.sub("", text)
    head, *rest = _GROUND.split(text)
    blocks = [head]
    for label, content in zip(rest[::2], rest[1::2], strict=True):
        kind = label.strip().lower()
        if kind in DROPPED:
            continue
        blocks.append(content if KINDS.fullmatch(kind) else f"{label.strip()}\n{content}")
    if left := _LEFT.search("".join(blocks)):
        raise DialectError(f"{left[0]} out of place")
    return joined(blocks) if rest else tidy(text)
