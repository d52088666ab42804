"""MinerU: its Markdown, or its content list.

Shapes: Markdown with tables as `<html><body><table>` and pictures it cut out (`![](images/<hash>.jpg)`); or the JSON
list `[{"type": "text", "text", "text_level"}, {"type": "table", "table_body", "table_caption", "table_footnote"},
{"type": "equation", "text"}, {"type": "image", "image_caption"}, ...]` of one page. Page headers, footers, numbers and
what was discarded are left out.
"""

import re
from typing import Any

from scriptorium.pages.answers.errors import DialectError
from scriptorium.pages.answers.pieces import field, formula, joined, read_json, tidy, without_images

NAME = "mineru"
VERSION = 1
DROPPED = frozenset({"header", "footer", "page_number", "discarded"})
TEXTS = frozenset({"text", "title", "ref_text", "aside_text", "page_footnote", "phonetic", "seal", "index"})
_WRAP = re.compile(r"</?(?:html|body)>")
_DETAILS = re.compile(r"<details>\s*<summary>[^<]*</summary>((?:(?!</?details>)[\s\S])*+)</details>")


def adapt(text: str) -> str:
    """The Markdown of one page. Raises DialectError for a JSON of another shape, or of several pages."""
    if text.lstrip().startswith("[{"):
        return _content(read_json(text))
    text = _DETAILS.sub(r"\1", _WRAP.sub("", text))
    return tidy(without_images(text, lambda alt, target: not alt or target.startswith("images/")))


def _content(items: list[Any]) -> str:
    pages = {str(item.get("page_idx", 0)) for item in items if isinstance(item, dict)}
    if len(pages) > 1:
        raise DialectError(f"{len(pages)} pages; give one page at a time")
    return joined([_item(item, f"item {number}") for number, item in enumerate(items)])


def _item(item: Any, where: str) -> str:
    kind = field(item, "type", str, where)
    if kind in DROPPED:
        return ""
    if kind in TEXTS:
        text, level = str(field(item, "text", str, where)).strip(), item.get("text_level")
        return f"{'#' * min(level, 6)} {text}" if isinstance(level, int) and level > 0 and text else text
    if kind in ("equation", "interline_equation"):
        return formula(field(item, "text", str, where), display=True)
    if kind in ("table", "image", "chart"):
        body = item.get("table_body") if kind == "table" else ""
        parts = [
            *_lines(item, f"{kind}_caption"),
            _WRAP.sub("", body or ""),
            *_lines(item, f"{kind}_footnote"),
        ]
        return joined([*_lines(item, "img_caption"), *parts, *_lines(item, "img_footnote")])
    if kind == "list":
        return "\n".join(
            line if re.match(r"\s*(?:[-*•]|\d)", line) else f"- {line}" for line in _items(item, where)
        )
    if kind in ("code", "algorithm"):
        return joined([*_lines(item, "code_caption"), str(field(item, "code_body", str, where))])
    raise DialectError(f"{where}.type: unknown type {kind!r}")


def _items(item: Any, where: str) -> list[str]:
    lines = item.get("list_items")
    return _lines(item, "list_items") if isinstance(lines, list) else [field(item, "text", str, where)]


def _lines(item: dict[str, Any], name: str) -> list[str]:
    found = item.get(name) or []
    return [str(line) for line in found] if isinstance(found, list) else [str(found)]
