r"""A page's text as the rules of a mix see it: its formulas, its tables, its code, and what is none of them.

One pass finds the formulas (`bench.formulas.find`), so that nothing inside one is taken for a second, and a
price is never taken for one.
"""

import re

from scriptorium.bench.formulas.find import Formula, strict_formulas

CODE = re.compile(
    r"^(?P<mark>`{3,}|~{3,})[^\n]*\n.*?(?:^(?P=mark)[`~]*[ \t]*$|\Z)|`[^`\n]+`", re.MULTILINE | re.DOTALL
)
TABLE = re.compile(r"<table\b.*?(?:</table\s*>|\Z)", re.IGNORECASE | re.DOTALL)
LATEX = re.compile(r"[\\^_{}]")
PROSE = re.compile(r"[^\W\d_]{2}")


def formulas(text: str) -> list[Formula]:
    """The formulas of a text in order, those between dollars too; prices and names of shell variables are none."""
    return [each for each in strict_formulas(text, dollars=True) if not is_price(text, each)]


def is_price(text: str, found: Formula) -> bool:
    """Whether a dollar, or a pair of them, is money or a variable's name: `$5 to $7`, `$HOME/$PATH`."""
    written = text[found.start : found.end]
    if not written.startswith("$") or written.startswith(("$$", "$`")):
        return False
    if not written.endswith("$") or len(written) < 3:
        return True
    if LATEX.search(found.text):
        return False
    after = text[found.end : found.end + 1]
    return after.isalnum() or (written[1].isdigit() and bool(PROSE.search(found.text)))


def without(text: str, *, found: list[Formula], tables: bool = False) -> str:
    """The text with blanks in place of formulas and code, and with `tables` of HTML tables too; as long as before."""
    for each in found:
        text = text[: each.start] + _blank(text[each.start : each.end]) + text[each.end :]
    text = CODE.sub(lambda code: _blank(code[0]), text)
    return TABLE.sub(lambda table: _blank(table[0]), text) if tables else text


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)
