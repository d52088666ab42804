"""A candidate's Markdown as HTML that can do no harm, with the evidence of tests marked in it.

Nothing of the text can run, load or lead anywhere: tags and attributes are let through by list, images become
boxes with their alternative text, links show their target and are not followed. Formulas are drawn as MathML.
"""

import html
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from unicodedata import normalize

import nh3
from markdown_it import MarkdownIt
from rapidfuzz.distance import LCSseq

from scriptorium.bench.formulas.find import strict_formulas
from scriptorium.bench.formulas.render import render

Evidence = tuple[int, int, str, str]
"""A span of the Markdown (in Unicode's NFC form), the class of its mark, the id of the test."""

LONGEST = 100_000
"""Characters of a page that are shown; a runaway output need not be seen to its end."""

ALIGNED = 1_000_000_000
"""Characters of the text times characters of the Markdown up to which marks are placed: 125 MB, 0.1 s."""

LONGEST_FORMULA = 4000
MOST_FORMULAS = 0xFFFD


@dataclass(frozen=True)
class Held:
    """A formula: as it is written, its LaTeX (or MathML), whether it stands by itself."""

    written: str
    text: str
    display: bool
    is_mathml: bool = False


def _names(listed: str) -> set[str]:
    return set(listed.split())


_TAGS = _names(
    "a abbr b blockquote br caption center cite code col colgroup dd del div dl dt em figcaption figure footer h1 h2"
    " h3 h4 h5 h6 header hr i img ins kbd li ol p pre q s samp section small span strike strong sub sup table tbody"
    " td tfoot th thead tr tt u ul var"
)
_ATTRIBUTES = {
    "a": {"href"},
    "img": {"alt"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
_MATHML = _names(
    "math menclose mfrac mi mn mo mover mpadded mphantom mroot mrow mspace msqrt mstyle msub msubsup msup mtable mtd"
    " mtext mtr munder munderover semantics"
)
_MATHML_ATTRIBUTES = {
    "*": _names(
        "accent accentunder columnalign columnlines columnspacing depth displaystyle fence form height largeop"
        " linebreak linethickness lspace mathvariant maxsize minsize movablelimits notation rowlines rowspacing"
        " rspace scriptlevel separator stretchy symmetric voffset width"
    ),
    "math": {"display"},
}
_HIDDEN = {"annotation", "script", "style", "title"}

_FIRST = 0xF0000
"""Characters from here on (private use) stand for formulas while Markdown is read; a text's own are taken out."""

_DISPLAYED = ("$$", "\\[", "\\\\[", "\\begin", "`", "~")
_PRIVATE = re.compile("[\U000f0000-\U0010ffff\0]")
_UNSEEN = re.compile(
    r"</?[a-zA-Z][^<>]*>|(?<=\])\([^()\s]*\)|&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]\w{1,31});"
)
_TAG = re.compile(r'<[^"<>]*(?:"[^"]*"[^"<>]*)*>')
_READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def raw(markdown: str, evidence: Iterable[Evidence]) -> str:
    """The Markdown itself, escaped, each span of evidence in `<mark class=... data-test=ID>`."""
    text = _readable(markdown)
    spans = [(start, min(end, len(text)), css, test) for start, end, css, test in evidence]
    return _marked(text, 0, spans, html.escape)


def rendered(markdown: str, evidence: Iterable[Evidence]) -> str:
    """The Markdown as sanitised HTML, formulas as MathML, evidence in `<mark class=... data-test=ID>`.

    A span that crosses tags is marked piece by piece. A formula that cannot be drawn stands as written.
    """
    source = _PRIVATE.sub("\N{REPLACEMENT CHARACTER}", _readable(markdown))
    held, formulas = _held(source)
    clean = nh3.clean(
        _READER.render(held), tags=_TAGS, attributes=_ATTRIBUTES, clean_content_tags=_HIDDEN, link_rel=None
    )
    pieces = list(_pieces(clean))
    shown = "".join(text for is_tag, text in pieces if not is_tag)
    spans = _spans_of_view(shown, held, formulas, list(evidence)) if evidence else []
    return "".join(_written(pieces, spans, formulas, _drawn(formulas)))


def _readable(markdown: str) -> str:
    """The text in NFC, as the spans of evidence are, cut to LONGEST; half a surrogate pair becomes `?`."""
    return normalize("NFC", markdown)[:LONGEST].encode("utf-8", "replace").decode()


def _held(source: str) -> tuple[str, list[Held]]:
    """The text with one character in each formula's place, and the formulas."""
    parts: list[str] = []
    formulas: list[Held] = []
    at = 0
    for found in strict_formulas(source, dollars=True)[:MOST_FORMULAS]:
        written = source[found.start : found.end]
        price = written.startswith("$") and not written.endswith("$")
        if len(written) > LONGEST_FORMULA or found.start < at or price:
            continue
        parts += [source[at : found.start], chr(_FIRST + len(formulas))]
        formulas.append(Held(written, found.text, written.startswith(_DISPLAYED), found.is_mathml))
        at = found.end
    return "".join(parts) + source[at:], formulas


def _pieces(clean: str) -> Iterator[tuple[bool, str]]:
    """Tags and texts of sanitised HTML in turn: (whether it is a tag, the tag or the text unescaped)."""
    at = 0
    for tag in _TAG.finditer(clean):
        if tag.start() > at:
            yield False, html.unescape(clean[at : tag.start()])
        at = tag.end()
        yield from _harmless(tag[0])
    if at < len(clean):
        yield False, html.unescape(clean[at:])


def _harmless(tag: str) -> Iterator[tuple[bool, str]]:
    """Images as boxes, links as spans that show their target."""
    if tag.startswith("<img"):
        found = re.search(r'alt="([^"]*)"', tag)
        yield True, '<span class="picture">'
        yield False, html.unescape(found[1] if found else "") or "image"
        yield True, "</span>"
    elif tag.startswith("<a ") or tag == "<a>":
        found = re.search(r'href="([^"]*)"', tag)
        yield True, f'<span class="link" title="{html.escape(html.unescape(found[1] if found else ""))}">'
    else:
        yield True, "</span>" if tag == "</a>" else tag


def _spans_of_view(shown: str, held: str, formulas: list[Held], evidence: list[Evidence]) -> list[Evidence]:
    """The evidence's spans in the text that is shown, found by the longest common subsequence."""
    if not evidence or len(shown) * len(held) > ALIGNED:
        return []
    origins: list[int] = []  # of each character of `held`, its place in the Markdown
    at = 0
    for character in held:
        origins.append(at)
        at += _length(character, formulas)
    blanked = _UNSEEN.sub(_seen, held)
    places: list[int] = []  # of characters that are shown, and, beside them, where they come from
    sources: list[int] = []
    for block in LCSseq.opcodes(shown, blanked):
        if block.tag == "equal":
            places += range(block.src_start, block.src_end)
            sources += [origins[index] for index in range(block.dest_start, block.dest_end)]
    found: list[Evidence] = []
    for start, end, css, test in evidence:
        first, last = bisect_left(sources, start), bisect_left(sources, end) - 1
        within = bool(first) and start < sources[first - 1] + _length(shown[places[first - 1]], formulas)
        first -= within  # the span starts inside a formula
        if first <= last:
            found.append((places[first], places[last] + 1, css, test))
    return found


def _seen(found: re.Match[str]) -> str:
    """What is seen of a tag, a link's target (nothing) or an entity, in as many characters."""
    seen = html.unescape(found[0]) if found[0].startswith("&") else ""
    return seen.ljust(len(found[0]), "\0")


def _length(character: str, formulas: list[Held]) -> int:
    return len(formulas[ord(character) - _FIRST].written) if ord(character) >= _FIRST else 1


def drawn_formula(latex: str) -> str:
    """A formula (LaTeX without delimiters) as MathML that stands by itself; escaped where it cannot be drawn."""
    return _drawn([Held(latex, latex, True)])[0] or f'<code class="formula bad">{html.escape(latex)}</code>'


def _drawn(formulas: list[Held]) -> list[str | None]:
    """MathML of formulas; None for one that cannot be drawn."""
    drawings = iter(render([each.text for each in formulas if not each.is_mathml]))
    found: list[str | None] = []
    for each in formulas:
        if each.is_mathml:
            found.append(_math(each.text, each.display))
        else:
            drawing = next(drawings)
            found.append(None if drawing.error else _math(drawing.mathml, each.display))
    return found


def _math(mathml: str, display: bool) -> str:
    clean = nh3.clean(
        mathml,
        tags=_MATHML,
        attributes=_MATHML_ATTRIBUTES,
        clean_content_tags=_HIDDEN,
        set_tag_attribute_values={"math": {"display": "block" if display else "inline"}},
    )
    return f'<span class="formula">{clean}</span>'


def _written(
    pieces: list[tuple[bool, str]], spans: list[Evidence], formulas: list[Held], drawn: list[str | None]
) -> Iterator[str]:
    at = code = 0

    def escaped(text: str) -> str:
        return "".join(character(each) for each in text)

    def character(each: str) -> str:
        if ord(each) < _FIRST:
            return html.escape(each)
        formula, drawing = formulas[ord(each) - _FIRST].written, drawn[ord(each) - _FIRST]
        if code:
            return html.escape(formula)
        return drawing or f'<code class="formula bad">{html.escape(formula)}</code>'

    for is_tag, piece in pieces:
        if is_tag:
            code += piece.startswith(("<code", "<pre")) - piece.startswith(("</code", "</pre"))
            yield piece
        elif piece.isspace():
            at += len(piece)
            yield piece
        else:
            yield _marked(piece, at, spans, escaped)
            at += len(piece)


def _marked(text: str, at: int, spans: list[Evidence], escaped: Callable[[str], str]) -> str:
    """`text`, which stands from `at` on, in marks where spans cover it; the shorter a span, the further in."""
    near = [span for span in spans if span[0] < at + len(text) and span[1] > at]
    near.sort(key=lambda span: span[0] - span[1])
    bounds = {0, len(text)} | {min(max(edge - at, 0), len(text)) for span in near for edge in span[:2]}
    cuts = sorted(bounds)
    parts: list[str] = []
    for low, high in pairwise(cuts):
        over = [span for span in near if span[0] <= at + low and span[1] >= at + high]
        opening = "".join(
            f'<mark class="{html.escape(css)}" data-test="{html.escape(test)}">' for _, _, css, test in over
        )
        parts.append(opening + escaped(text[low:high]) + "</mark>" * len(over))
    return "".join(parts)
