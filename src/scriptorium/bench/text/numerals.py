"""Numbers as tables print them: thousands parted, negative in brackets, with currency or percent signs."""

import re
from decimal import Decimal
from functools import lru_cache

from scriptorium.bench.text.view import view

_MARKS = re.compile(r"(?:[*†‡§]+|\^(?:[a-z*†‡§]+|\([a-z0-9]+\)))\Z")
_SIGNS = re.compile(r"[$€£¥₹₩¢%‰]|\b(?:USD|EUR|GBP|JPY|CHF)\b")
_NUMBER = re.compile(r"([+-]?) ?(\d[\d .,']{0,60}|[.,]\d{1,60})(?:(?:e|E| ?[×x] ?10\^)([+-]?\d{1,3}))?")
_COMMA = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_POINT = re.compile(r"\d{1,3}(?:\.\d{3}){2,}(?:,\d+)?|\d{1,3}(?:\.\d{3})+,\d+")
_BLANK = re.compile(r"(\d{1,3}(?:[ ']\d{3})+)([.,]\d+)?")
_PLAIN = re.compile(r"\d*(?:[.,]\d*)?")


@lru_cache(maxsize=65_536)
def number_in(text: str) -> Decimal | None:
    """The number that a cell's text (in the text view) states; None where it states none, or more than one.

    A comma before groups of three digits parts thousands (1,136 is 1136); any other comma, or one after
    points, is a decimal one. Brackets make a number negative; signs of currency and percent say nothing.
    """
    if len(text) > 100:
        return None
    bare = _SIGNS.sub("", _MARKS.sub("", text.strip())).strip()
    negative = bare.startswith("(") and bare.endswith(")")
    match = _NUMBER.fullmatch(bare[1:-1].strip() if negative else bare)
    if match is None or (negative and match[1]):
        return None
    digits = _digits(match[2].strip())
    if digits is None:
        return None
    number = Decimal(digits).scaleb(int(match[3] or 0))
    return -number if negative or match[1] == "-" else number


def _digits(written: str) -> str | None:
    """The digits with a decimal point, as Decimal reads them; None where they are parted in another way."""
    if _COMMA.fullmatch(written):
        return written.replace(",", "")
    if _POINT.fullmatch(written):
        return written.replace(".", "").replace(",", ".")
    if blank := _BLANK.fullmatch(written):
        return re.sub("[ ']", "", blank[1]) + (blank[2] or "").replace(",", ".")
    return written.replace(",", ".").rstrip(".") or None if _PLAIN.fullmatch(written) else None


def number_of(value: int | float | str) -> Decimal | None:
    """The number that a test's `value` stands for: a JSON number, or a text as a table prints it."""
    if isinstance(value, str):
        return number_in(view(value).text.strip())
    return Decimal(value) if isinstance(value, int) else Decimal(str(value))
