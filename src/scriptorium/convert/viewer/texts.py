"""A page's Markdown as HTML that can do no harm and leads nowhere; formulas are drawn by the page that shows it."""

import html
import re

from scriptorium.convert.outputs.html import body

LONGEST = 100_000
"""Characters of a page that are shown; a runaway answer need not be seen to its end."""

LINK = re.compile(r'<a(?: href="([^"]*)")?[^>]*>')
"""A link, as the sanitiser writes it: quotes and angle brackets in its target are escaped."""


def shown(text: str) -> str:
    """The text as far as it is shown."""
    return text[:LONGEST].encode("utf-8", "replace").decode()


def rendered(text: str) -> str:
    """Markdown as sanitised HTML. A link is a span that tells its target: nobody is led away by a click."""
    return LINK.sub(_span, body(shown(text))).replace("</a>", "</span>")


def _span(link: re.Match[str]) -> str:
    target = html.escape(html.unescape(link[1] or ""))
    return f'<span class="link" title="{target}">'
