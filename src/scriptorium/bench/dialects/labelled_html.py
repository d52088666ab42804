"""What Chandra's and Surya's HTML have in common: blocks with a data-label, LaTeX in <math>."""

import re
from typing import Any

from scriptorium.bench.dialects.html_markdown import is_html, markdown_of
from scriptorium.pages.answers.errors import DialectError

DROPPED = frozenset({"page-header", "page-footer", "pageheader", "pagefooter", "blank-page"})
HEADINGS = frozenset({"section-header", "sectionheader", "title"})
_FENCE = re.compile(r"\s*```(?:html)?[ \t]*\n(.*?)\n?```\s*", re.DOTALL)


def normal(label: str) -> str:
    """A label in one spelling."""
    return re.sub(r"[\s_]+", "-", label.strip().lower())


def role(label: str) -> str | None:
    """What becomes of a block with this label: "drop", "heading" or None."""
    name = normal(label)
    return "drop" if name in DROPPED else "heading" if name in HEADINGS else None


def page(text: str) -> str:
    """The Markdown of a page in HTML. Raises DialectError for a text without any tag."""
    fenced = _FENCE.fullmatch(text)
    text = fenced[1] if fenced else text
    if text.strip() and not is_html(text):
        raise DialectError(f"no HTML tag in it; it begins {text.strip()[:60]!r}")
    return markdown_of(text, _label) if text.strip() else ""


def _label(element: Any) -> str | None:
    return role(element.get("data-label") or "")
