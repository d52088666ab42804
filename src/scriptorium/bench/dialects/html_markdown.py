"""HTML with LaTeX in <math>, as OCR models write it, to Markdown; tables stay HTML with delimited formulas."""

import html
import re
from collections.abc import Callable
from typing import Any

from lxml import etree
from lxml import html as parser

from scriptorium.pages.answers.errors import DialectError
from scriptorium.pages.answers.pieces import Keeper, formula, joined, tidy, without_marks

_MATH = re.compile(
    r"<math(?P<attributes>(?:\s[^<>]*)?)>(?P<latex>(?:(?!</?math\b)[\s\S])*+)</math\s*>", re.IGNORECASE
)
_MATHML = re.compile(r"<m(?:row|i|n|o|sup|sub|frac|sqrt|table|text|style|space)\b", re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:p|div|h[1-6]|table|ul|ol|li|pre|br|b|i|u|math|span|img|hr|sup|sub|strong|em)\b", re.I
)
_BLOCKS = re.compile(
    "address|article|aside|blockquote|body|center|dd|details|div|dl|dt|fieldset|figcaption|figure|footer|form"
    "|h[1-6]|header|hr|html|li|main|nav|ol|p|pre|section|summary|table|ul"
)
_HIDDEN = frozenset({"script", "style", "head", "template"})
_KEPT_ATTRIBUTES = ("rowspan", "colspan")
_IN_TABLES = re.compile("table|thead|tbody|tfoot|tr|td|th|caption|br|b|strong|i|em|sub|sup|u")
_WRAPS = {"b": "**", "strong": "**", "i": "*", "em": "*", "del": "~~", "s": "~~", "code": "`"}
Label = Callable[[Any], str | None]


def is_html(text: str) -> bool:
    """Whether any tag that a page is written with stands in the text."""
    return _TAG.search(text) is not None


def markdown_of(text: str, label: Label = lambda element: None) -> str:
    """The Markdown of a page or block of HTML. Raises DialectError for MathML or nesting without end.

    `label(element)` may say that an element is to be dropped ("drop") or is a "heading".
    """
    keeper = Keeper()
    marked = _MATH.sub(lambda match: keeper.keep(_formula(match)), without_marks(text))
    try:
        document = parser.document_fromstring(f"<div>{marked}</div>")
        return tidy(keeper.restore(_Writer(label).blocks(document)))
    except (etree.ParserError, ValueError) as error:
        raise DialectError(f"not HTML: {error}") from error
    except RecursionError as error:
        raise DialectError("HTML nested too deep") from error


def _formula(match: re.Match[str]) -> str:
    latex = match["latex"]
    if _MATHML.search(latex):
        raise DialectError("<math> holds MathML; LaTeX was expected")
    latex = re.sub(r"<br\s*/?>", " ", html.unescape(latex))
    # A formula stands in a cell of an HTML table as well as in running text: no bare angle brackets.
    latex = latex.replace("<", r"\lt ").replace(">", r"\gt ")
    return formula(latex, "block" in match["attributes"])


class _Writer:
    """Writes elements as Markdown."""

    def __init__(self, label: Label) -> None:
        self.label = label

    def blocks(self, element: Any) -> str:
        """The blocks in an element; text and inline elements between blocks make a paragraph."""
        found: list[str] = []
        line = [_collapsed(element.text)]
        for child in element:
            if _is_block(child):
                found += ["".join(line).strip(), self.block(child)]
                line = [_collapsed(child.tail)]
            else:
                line += [self.inline(child), _collapsed(child.tail)]
        return joined([*found, "".join(line).strip()])

    def block(self, element: Any) -> str:
        """One block."""
        tag, label = element.tag, self.label(element)
        if label == "drop" or tag in _HIDDEN:
            return ""
        if tag == "table":
            return _table(element)
        if tag == "pre":
            return f"```\n{element.text_content().strip(chr(10))}\n```"
        if tag == "hr":
            return "---"
        if tag in ("ul", "ol"):
            return self.list_items(element)
        inside = self.blocks(element)
        if re.fullmatch("h[1-6]", tag):
            return f"{'#' * int(tag[1])} {' '.join(inside.split())}" if inside else ""
        if label == "heading" and inside and not inside.startswith("#"):
            return f"## {' '.join(inside.split())}"
        if tag == "blockquote":
            return "\n".join(f"> {line}".rstrip() for line in inside.split("\n"))
        return inside

    def list_items(self, element: Any) -> str:
        """A list, its inner lists indented."""
        lines = []
        for number, item in enumerate((child for child in element if isinstance(child.tag, str)), 1):
            mark = f"{number}. " if element.tag == "ol" else "- "
            inside = self.block(item) if item.tag in ("ul", "ol") else self.blocks(item)
            indent = " " * len(mark)
            lines.append(mark + inside.replace("\n\n", "\n").replace("\n", f"\n{indent}"))
        return "\n".join(lines)

    def inline(self, element: Any) -> str:
        """An element within a line, without its tail."""
        tag = element.tag
        if not isinstance(tag, str) or tag in _HIDDEN or self.label(element) == "drop":
            return ""
        if tag == "br":
            return "\n"
        if tag == "img":
            alt = " ".join((element.get("alt") or "").replace("[", "(").replace("]", ")").split())
            return f"![{alt}](image.png)" if alt else ""
        if tag == "input":
            boxes = ("checkbox", "radio")
            mark = "☑" if element.get("checked") is not None else "☐"
            return mark if element.get("type") in boxes else element.get("value") or ""
        inside = "".join(
            [_collapsed(element.text)] + [self.piece(child) + _collapsed(child.tail) for child in element]
        )
        if tag in ("sup", "sub"):
            return f"<{tag}>{inside}</{tag}>" if inside.strip() else ""
        return _wrapped(inside, _WRAPS.get(tag, ""))

    def piece(self, child: Any) -> str:
        """A child of an inline element; a block there stands on lines of its own."""
        return f"\n{self.block(child)}\n" if _is_block(child) else self.inline(child)


def _is_block(element: Any) -> bool:
    return isinstance(element.tag, str) and _BLOCKS.fullmatch(element.tag) is not None


def _collapsed(text: str | None) -> str:
    return re.sub(r"[ \t\r\n\f]+", " ", text or "")


def _wrapped(inside: str, mark: str) -> str:
    """The text between marks, blanks at its ends left outside; marks do not cross lines."""
    bare = inside.strip()
    if not mark or not bare or "\n" in bare:
        return inside
    start = inside[: len(inside) - len(inside.lstrip())]
    return f"{start}{mark}{bare}{mark}{inside[len(inside.rstrip()) :]}"


def _table(element: Any) -> str:
    """A table as HTML: its own tags, spans and plain text; other tags are dropped, their text is kept."""
    tag = element.tag
    if not isinstance(tag, str) or tag in _HIDDEN:
        return ""
    if tag == "input":
        return "☑" if element.get("checked") is not None else "☐"
    rows = tag in ("table", "tr", "thead", "tbody", "tfoot")
    inside = _cell_text(element.text, rows) + "".join(
        _table(child) + _cell_text(child.tail, rows) for child in element
    )
    if tag == "br":
        return f"<br>{inside}"
    if not _IN_TABLES.fullmatch(tag):
        return inside + (" " if _BLOCKS.fullmatch(tag) else "")
    given = [(name, element.get(name)) for name in _KEPT_ATTRIBUTES]
    spans = "".join(f' {name}="{html.escape(value)}"' for name, value in given if value)
    ends = "\n" if rows else ""
    if tag in ("td", "th", "caption"):
        inside = inside.strip(" ")
    return f"<{tag}{spans}>{ends if tag != 'tr' else ''}{inside}</{tag}>{ends if tag != 'table' else ''}"


def _cell_text(text: str | None, between_cells: bool) -> str:
    """Text within a table, escaped; blanks between rows and cells are only layout."""
    found = html.escape(_collapsed(text), quote=False)
    return found.strip(" ") if between_cells else found
