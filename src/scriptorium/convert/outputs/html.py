"""HTML: one page that needs no network and runs no script, whatever a model wrote."""

import html
from collections.abc import Sequence
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from scriptorium.convert.outputs.documents import Document
from scriptorium.convert.outputs.formulas import formulas
from scriptorium.convert.outputs.markdown import failed_text, is_marked
from scriptorium.convert.outputs.options import Options

ENDING = ".html"
TAGS = nh3.ALLOWED_TAGS - {"img", "map", "area"}
ATTRIBUTES = {
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align", "scope"},
    "ol": {"start"},
    "a": {"href", "title"},
}
CLASSES = {"span": {"figure", "formula"}, "div": {"formula"}}
"""Those that our own marks need; a page cannot bring others."""
NESTING = 100
"""Quotes and lists within each other: the parser leaves out what lies deeper."""
STYLE = (
    "body{font:1rem/1.5 serif;max-width:48rem;margin:auto;padding:1rem}"
    "table{border-collapse:collapse}td,th{border:1px solid #999;padding:.2rem .5rem}"
    "section{border-top:1px solid #ccc}.lost{color:#a00}.formula{font-family:monospace}"
)
HEAD = """\
<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
"""


def render(document: Document, texts: list[str], options: Options) -> str:
    """The file of a document whose pages have these `texts` (Markdown): a section a page."""
    languages = [(page.get("front") or {}).get("primary_language") for page in document.pages]
    language = next((each for each in languages if each), "und")
    parts = [HEAD.format(language=html.escape(language), title=html.escape(document.origin), style=STYLE)]
    for page, text in zip(document.pages, texts, strict=True):
        parts.append(f'<section id="page-{page["page"]}">\n{body(text)}')
        if is_marked(page, options):
            parts.append(f'<p class="lost">{html.escape(failed_text(page))}</p>\n')
        parts.append("</section>\n")
    return "".join([*parts, "</body>\n</html>\n"])


def body(text: str, markdown: MarkdownIt | None = None) -> str:
    """A page's Markdown as HTML of the allowed tags alone. A picture is its description.

    `markdown`: a parser like the one that `parser` makes, with rules added.
    """
    return nh3.clean(
        (markdown or MARKDOWN).render(text),
        tags=set(TAGS),
        attributes=ATTRIBUTES,
        allowed_classes=CLASSES,
        url_schemes={"http", "https", "mailto"},
    )


def _image(_: Any, tokens: Sequence[Token], at: int, *__: Any) -> str:
    return f'<span class="figure">[{html.escape(tokens[at].content)}]</span>'


def parser() -> MarkdownIt:
    """A new parser for the Markdown of pages: tables, formulas, HTML; pictures as their descriptions."""
    made = (
        MarkdownIt("commonmark", {"html": True, "maxNesting": NESTING})
        .enable(["table", "strikethrough"])
        .use(formulas)
    )
    assert isinstance(made.renderer, RendererHTML)
    made.add_render_rule("image", _image)
    return made


MARKDOWN = parser()
