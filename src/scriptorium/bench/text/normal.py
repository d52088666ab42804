"""The normal form of olmOCR-bench: Markdown emphasis out, blanks and punctuation made equal.

Kept to the letter with all its quirks (two lone underscores of a line vanish, say): published scores rest
on it. Our own reading of a page is in `view`.
"""

import re
import unicodedata

_BREAK = re.compile(r"<br/?>")
_BOLD = re.compile(r"\*\*(.*?)\*\*")
_BOLD_UNDERSCORE = re.compile(r"__(.*?)__")
_TAG = re.compile(r"</?b>|</?i>")
_BOLD_EITHER = re.compile(r"(\*\*|__)(.*?)\1")
_ITALIC_EITHER = re.compile(r"([*_])(.*?)\1")
_BLANKS = re.compile(r"\s+")

CHARACTERS = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a", "'"),
        **dict.fromkeys("\u201c\u201d\u201e", '"'),
        **dict.fromkeys("\u2013\u2014\u2011\u2012\u2212", "-"),
        "\uff3f": "_",
        "\u00b5": "\u03bc",
    }
)
"""Quotes, dashes, the full-width underscore and the micro sign, each as its plain twin."""


def normal_form(text: str) -> str:
    """The form in which olmOCR-bench compares texts; not trimmed at the ends."""
    text = _BREAK.sub(" ", text)
    text = _BOLD_UNDERSCORE.sub(r"\1", _BOLD.sub(r"\1", text))
    text = _TAG.sub("", text)
    # Here the two kinds of marks are paired in one pass, whichever comes first.
    text = _ITALIC_EITHER.sub(r"\2", _BOLD_EITHER.sub(r"\2", text))
    text = unicodedata.normalize("NFC", _BLANKS.sub(" ", text))
    return text.translate(CHARACTERS)
