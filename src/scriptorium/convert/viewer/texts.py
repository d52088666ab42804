"""A page's Markdown as HTML that can do no harm and leads nowhere; formulas are drawn by the page that shows it."""

import html
import re

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

from scriptorium.convert.outputs.html import body, parser

LONGEST = 100_000
"""Characters of a page that are shown; a runaway answer need not be seen to its end."""

LINK = re.compile(r'<a(?: href="([^"]*)")?[^>]*>')
"""A link, as the sanitiser writes it: quotes and angle brackets in its target are escaped."""

DOLLARS = re.compile(r"\$(?![\s$])((?:[^$\\]|\\.){1,1000}?)(?<!\s)\$(?![\d$])", re.DOTALL)
"""A formula between single dollar signs, by pandoc's rule, which keeps most prices out."""


def shown(text: str) -> str:
    """The text as far as it is shown."""
    return text[:LONGEST].encode("utf-8", "replace").decode()


def rendered(text: str) -> str:
    """Markdown as sanitised HTML. A link is a span that tells its target: nobody is led away by a click."""
    return LINK.sub(_span, body(shown(text), MARKDOWN)).replace("</a>", "</span>")


def _span(link: re.Match[str]) -> str:
    target = html.escape(html.unescape(link[1] or ""))
    return f'<span class="link" title="{target}">'


def _dollars(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "$":
        return False
    found = DOLLARS.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    if not silent:
        state.push("formula", "", 0).content = rf"\({found[1]}\)"
    state.pos = found.end()
    return True


def _parser() -> MarkdownIt:
    made = parser()
    made.inline.ruler.after("formula", "dollars", _dollars)
    return made


MARKDOWN = _parser()
