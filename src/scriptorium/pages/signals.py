"""What can be measured of a page's text without knowing the true one: signals of its quality.

They are taken while the page is converted, when its image and its text layer are at hand, and kept in its
record. They shape no key: the pages of a store are not read again when they are measured otherwise.
"""

import re
import unicodedata
from collections import Counter
from typing import Any

from scriptorium.pages.language import identify
from scriptorium.pages.layer import judge

REVISION = 1
"""Raised when a signal is measured otherwise. What needs neither image nor layer is then measured anew."""

PIECE = 8
"""Words in a row whose coming again is a repeat; at least FEWEST_KINDS of them differ."""
FEWEST_KINDS = 3
LOOP = 12
"""Times that one and the same word comes in a row before that is a repeat."""
FEWEST_WORDS = 20
"""Words of a text layer below which nothing is compared with it."""

TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--.*?-->", re.DOTALL)
LINK = re.compile(r"\]\([^()\s]*\)|https?://\S+")
COMMAND = re.compile(r"\\[a-zA-Z]+|\\.")
HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u00ad\u2010]\n(?=[^\W\d_])")
ACCENT = re.compile("[\u0300-\u036f]")
SAME_LETTER = str.maketrans(
    {"ي": "ی", "ى": "ی", "ك": "ک", "ـ": None, "\u200c": None, "\u200d": None, "\u00ad": None}
)
"""Letters that Arabic keyboards and Persian ones code otherwise, and marks that join letters or do not."""
WORD = re.compile("[\u3040-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]|[^\\W_\u3040-\u9fff\uac00-\ud7af]+")
PAIRED = (
    "table",
    "thead",
    "tbody",
    "tr",
    "td",
    "th",
    "sup",
    "sub",
    "b",
    "i",
    "em",
    "strong",
    "u",
    "ul",
    "ol",
    "div",
)
OPENING = re.compile(rf"<({'|'.join(PAIRED)})(?:\s[^<>]*)?>", re.IGNORECASE)
CLOSING = re.compile(rf"</({'|'.join(PAIRED)})\s*>", re.IGNORECASE)
BRACKETS = (("\\(", "\\)"), ("\\[", "\\]"), ("\\begin{", "\\end{"), ("\\left", "\\right"), ("<!--", "-->"))
ARROWS = re.compile(r"\\(?:left|right)(?:right)?(?:arrow|harpoon)\w*|\\\\(?=[(\[)\]])")
TOGGLES = ("$$", "```")


def of_text(text: str) -> dict[str, Any]:
    """The signals that need the text alone.

    `characters` that are seen and `letters`; `good`: the share of letters in an order that languages have;
    `repetition`: the share of words that only repeat; `unclosed`: tags, formulas and code blocks without their
    other end; `language` and `confidence`.
    """
    return _of_text(text, words(text))


def measure(text: str, layer: str) -> dict[str, Any]:
    """The signals of a text, and those that compare it with the page's text layer if it has one.

    `layer_letters`, `layer_good`, `layer_fault`: what `judge` says of the layer. `recall`: the share of the
    layer's words that the text has; `precision`: the share of the text's words that the layer has; both whatever
    their order, and absent where the layer is garbled or has fewer than FEWEST_WORDS.
    """
    said = words(text)
    found = _of_text(text, said)
    if not layer:
        return found
    judgement = judge(layer)
    found |= {"layer_letters": judgement.letters, "layer_good": judgement.good}
    if judgement.fault:
        return found | {"layer_fault": judgement.fault}
    there = Counter(words(layer))
    if there.total() < FEWEST_WORDS:
        return found
    both = (there & Counter(said)).total()
    return found | {
        "recall": round(both / there.total(), 3),
        "precision": round(both / len(said), 3) if said else 0.0,
    }


def _of_text(text: str, said: list[str]) -> dict[str, Any]:
    plain = TAG.sub(" ", text)
    judgement, language = judge(plain), identify(plain)
    return {
        "revision": REVISION,
        "characters": len("".join(plain.split())),
        "letters": judgement.letters,
        "good": judgement.good,
        "repetition": repetition(said),
        "unclosed": unclosed(text),
        "language": language.code,
        "confidence": language.confidence,
    }


def words(text: str) -> list[str]:
    """The words of a text as they are compared: no markup, no accents, small letters, hyphens at line ends gone.

    A Chinese, Japanese or Korean character is a word.
    """
    plain = COMMAND.sub(" ", LINK.sub(" ", TAG.sub(" ", HYPHEN.sub("", text))))
    folded = ACCENT.sub("", unicodedata.normalize("NFKD", plain)).casefold()
    return WORD.findall(folded.translate(SAME_LETTER))


def repetition(row: list[str]) -> float:
    """The share of `words` that only repeat: in PIECE words that came before, or one word over and over.

    Numbers are no words here, for the rows of a table may be alike.
    """
    row = [word for word in row if not word.isdigit()]
    pieces = list(zip(*(row[start:] for start in range(PIECE)), strict=False))
    if len(set(pieces)) == len(pieces):
        return 0.0
    repeated = bytearray(len(row))
    seen: set[tuple[str, ...]] = set()
    for start, piece in enumerate(pieces):
        if piece in seen and len(set(piece)) >= FEWEST_KINDS:
            repeated[start : start + PIECE] = b"\1" * PIECE
        seen.add(piece)
    run = 0
    for place, word in enumerate(row):
        run = run + 1 if place and word == row[place - 1] else 1
        if run >= LOOP:
            repeated[place] = 1
    return round(sum(repeated) / len(row), 3)


def unclosed(text: str) -> int:
    """How many tags, formulas, environments, comments and code blocks have no other end."""
    opened = Counter(name.lower() for name in OPENING.findall(text))
    closed = Counter(name.lower() for name in CLOSING.findall(text))
    tags = ((opened - closed) + (closed - opened)).total()
    plain = ARROWS.sub(" ", text)
    brackets = sum(abs(plain.count(start) - plain.count(end)) for start, end in BRACKETS)
    return tags + brackets + sum(plain.count(mark) % 2 for mark in TOGGLES)
