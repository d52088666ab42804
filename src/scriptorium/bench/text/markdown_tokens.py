"""The tokens of Markdown and HTML that the text view reads, and what they mean."""

import re
from functools import lru_cache

from scriptorium.bench.text.normal import CHARACTERS

SPACED = re.compile(
    "address|article|aside|blockquote|body|br|caption|center|dd|details|div|dl|dt|fieldset|figcaption|figure"
    "|footer|form|h[1-6]|header|hr|html|li|main|nav|ol|p|pre|section|summary|table|tbody|tfoot|thead|tr|ul"
)
INLINE = re.compile(
    "a|abbr|acronym|b|bdi|bdo|big|cite|code|col|colgroup|del|dfn|em|font|i|img|input|ins|kbd|label|mark|math"
    "|q|s|samp|small|span|strike|strong|sub|sup|td|th|tt|u|var|wbr"
)
HIDDEN = re.compile("head|noscript|script|style|template|title")
MARKS = {"b": "bold", "strong": "bold", "i": "italic", "em": "italic"} | {
    f"h{n}": "heading" for n in range(1, 7)
}

SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ"
RAISED_LETTERS = "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐᵒᵖʳˢᵗᵘᵛʷˣʸᶻ"
SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉₊₋"
SCRIPT_DIGITS = str.maketrans(SUPERSCRIPTS + SUBSCRIPTS, "0123456789+-n" + "0123456789+-")
TIGHT = "±×÷≤≥≠≈=<>·"
"""Signs beside which a blank says nothing."""
UNSEEN = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
UNSEEN += "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
DEFINITION = re.compile(
    r"^[ ]{0,3}\[(?P<label>[^\]\^\n][^\]\n]*)\]:[ \t]+<?(?:https?://|mailto:|\#|/)", re.MULTILINE
)
PUNCTUATION = CHARACTERS | {0x2010: "-"} | {ord(character): None for character in UNSEEN}

# One set of characters and no choice of patterns: several times as quick to search for. The first row is
# every blank but the space itself.
SPECIAL = re.compile(
    r"[\t-\r\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
    rf"\\`*_~&$^\[\]!{TIGHT}{SUPERSCRIPTS}{SUBSCRIPTS}{RAISED_LETTERS}{UNSEEN}]"
)
LINE = re.compile(
    r"""(?P<fence>[ ]{0,3}(?P<ticks>`{3,}|~{3,})[^\n`]*(?:\n|\Z))
    |(?P<rule>[ ]{0,3}(?:-(?:[ \t-]*-)?|=+|\*[ \t*]*\*[ \t]*\*|_[ \t_]*_[ \t]*_)[ \t]*$)
    |(?P<delimiter>(?=[ \t>|:-]*+$)[^\n]*--[^\n]*)
    |(?P<link>[ ]{0,3}\[[^\]\^\n][^\]\n]*\]:[ \t]+<?(?:https?://|mailto:|\#|/)[^\n]*$)
    |(?P<block>[ \t]*(?:>[ \t]?)*(?:[-*+][ \t]+)*(?P<hashes>\#{1,6}(?:[ \t]+|$))?)""",
    re.MULTILINE | re.VERBOSE,
)
PARAGRAPH_END = re.compile(r"\n[ \t>]*(?:\n|```|~~~|\#{1,6}[ \t]|[-*+][ \t]|\|)")
"""Where code between back-quotes ends at the latest: a blank line, or a block of another kind."""
REFERENCE = re.compile(r"\[([^\[\]\n]{0,200})\]")
NO_TITLE = re.compile(rf"[ \t]*(?:[|>]|[-*+][ \t]|\d{{1,9}}[.)][ \t]|</?(?:{SPACED.pattern}|td|th)[\s/>])")
"""The start of a line that no line of `-` or `=` below it makes a heading."""
SOFT_HYPHEN = re.compile(rf"(?:[{UNSEEN}]*\u00ad|&shy;)[ \t]*\n(?=[^\W\d_])")
"""A hyphen at the end of a line that goes when the line is joined with the next."""
TOKEN = re.compile(
    r"""(?P<tag></?(?P<name>[a-zA-Z][a-zA-Z0-9]*)(?=[\s/>])[^<>]*>)
    |(?P<break>\n)
    |(?P<space>[^\S\n]+)
    |(?P<math>\\\((?P<paren>[^\n]{1,200}?)\\\)|\$(?P<dollar>(?=\S)[^$\n]{1,200}(?<=\S))\$(?!\d)
        |\$\$(?P<display>[^$]{1,200})\$\$)
    |(?P<escape>\\[!-/:-@\[-`{-~])
    |(?P<code>`+)
    |(?P<emphasis>\*+|_+|~~)
    |(?P<comment><!--)
    |(?P<address><(?=https?://|mailto:)[^\s<>]*>)
    |(?P<entity>&(?:\#\d{1,7}|\#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});)
    |(?P<note>\[\^[^\]\s]{1,20}\]:?)
    |(?P<caret>\^[^\s^$\\<>]{1,20}\^)
    |(?P<open>!?\[)
    |(?P<close>\](?:\([ \t]*(?:<[^<>\n]*>|(?:[^()\s]|\([^()\s]*\))*)
        (?:\s+"[^"\n]*"|\s+'[^'\n]*')?[ \t]*\))?)"""
    rf"""|(?P<script>[{SUPERSCRIPTS}]+|[{SUBSCRIPTS}]+)
    |(?P<raised>[{RAISED_LETTERS}]+)
    |(?P<tight>[{TIGHT}])
    |(?P<unseen>[{UNSEEN}]+(?:(?<=\u00ad)[ \t]+(?=\n))?)""",
    re.VERBOSE,
)
"""A token of a line; tags come first, since a page with a table has more of them than of all others."""

TOKENS = [name for name in TOKEN.groupindex if name not in ("paren", "dollar", "display", "name")]
"""The names of the tokens; each is read by a method of `view.Scanner`."""

CELL = " | "
"""What stands between the cells of a table, written in Markdown or in HTML."""


@lru_cache(maxsize=1024)
def kind_of(name: str) -> str:
    """What a tag of this name does to the text: hidden, spaced (it parts words), inline, or nothing known."""
    kinds = {"hidden": HIDDEN, "spaced": SPACED, "inline": INLINE}
    return next((kind for kind, names in kinds.items() if names.fullmatch(name)), "")


@lru_cache(maxsize=1024)
def written(name: str, closing: bool) -> str:
    """What a tag that is known and not hidden writes."""
    if name in ("td", "th") or (name == "tr" and closing):
        return "" if closing and name != "tr" else CELL
    if name in ("sup", "sub"):
        return "" if closing else "^" if name == "sup" else "_"
    return " " if kind_of(name) == "spaced" else ""
