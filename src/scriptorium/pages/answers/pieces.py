"""Pieces of text that several dialects share: formulas kept out of the way, JSON, images, blank lines."""

import html
import json
import re
from collections.abc import Callable
from typing import Any

from scriptorium.pages.answers.errors import DialectError

_OPEN, _CLOSE = "\ue000", "\ue001"
_KEPT = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")
MATH = re.compile(
    r"(?<!\\)\\\[(?P<bracket>(?>\\\\|(?!\\[\[\]])[\s\S])*+)\\\]"
    r"|(?<!\\)\\\((?P<paren>(?>\\\\|(?!\\[()])[\s\S])*+)\\\)"
    r"|\$\$(?P<double>[^$]+)\$\$|(?<![\\$])\$(?=\S)(?P<dollar>[^$\n]*[^$\s\\])\$(?![\d$])"
)
"""A delimited formula; exactly one of the groups is set. No scan goes past the next opening: linear."""
_IMAGE = re.compile(r"!\[(?P<alt>[^\[\]\n]*)\]\((?P<target>[^()\n]*)\)")
_FENCE = re.compile(r"\s*```(?:json)?[ \t]*\n(.*?)\n?```\s*", re.DOTALL)
_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEXT_MODE = re.compile(r"\\(?:text[a-z]*|mbox|hbox|operatorname)\*?\{[^{}]*\}")


class Keeper:
    """Takes pieces out of a text, so that what follows does not touch them, and puts them back."""

    def __init__(self) -> None:
        self.pieces: list[str] = []

    def keep(self, piece: str) -> str:
        """A mark that stands for `piece`."""
        self.pieces.append(piece)
        return f"{_OPEN}{len(self.pieces) - 1}{_CLOSE}"

    def restore(self, text: str) -> str:
        """The text with each mark replaced by its piece; pieces may hold marks of earlier ones."""
        for _ in range(8):
            if not _KEPT.search(text):
                break
            text = _KEPT.sub(lambda match: self.pieces[int(match[1])], text)
        return text


def without_marks(text: str) -> str:
    """The text without the two private characters that a Keeper uses, and without control characters."""
    return _UNPRINTABLE.sub("", text.replace(_OPEN, "\ufffd").replace(_CLOSE, "\ufffd"))


def keep_math(text: str, keeper: Keeper, mend: Callable[[str], str] = str) -> str:
    """The text with every delimited formula kept, its inside changed by `mend`."""

    def keep(match: re.Match[str]) -> str:
        start, end = match.span(match.lastgroup or 0)
        text = match.string
        return keeper.keep(text[match.start() : start] + mend(text[start:end]) + text[end : match.end()])

    return MATH.sub(keep, text)


def without_escaped_underscores(formula: str) -> str:
    r"""A formula that a step from HTML to Markdown escaped: `J\_1` is `J_1`, except within \text{...}."""
    keeper = Keeper()
    kept = _TEXT_MODE.sub(lambda match: keeper.keep(match[0]), formula)
    return keeper.restore(kept.replace(r"\_", "_"))


def formula(latex: str, display: bool) -> str:
    """LaTeX in the delimiters that the rules know; delimiters that it already has are taken off."""
    latex = latex.strip()
    whole = MATH.fullmatch(latex)
    if whole:
        latex = whole[whole.lastgroup or 0].strip()
    if not latex:
        return ""
    return f"$$\n{latex}\n$$" if display else f"${' '.join(latex.split())}$"


def read_json(text: str) -> Any:
    """The JSON of an answer, a code fence around it taken off. Raises DialectError."""
    fenced = _FENCE.fullmatch(text)
    try:
        return json.loads(fenced[1] if fenced else text)
    except ValueError as error:
        raise DialectError(f"not JSON: {error}; it begins {text[:60]!r}") from error
    except RecursionError as error:
        raise DialectError("JSON nested too deep") from error


def field(value: Any, name: str, kind: type, where: str) -> Any:
    """The field `name` of a JSON object, of the type `kind`. Raises DialectError."""
    if not isinstance(value, dict):
        raise DialectError(f"{where}: expected an object, found {type(value).__name__}")
    found = value.get(name)
    if not isinstance(found, kind):
        raise DialectError(f"{where}.{name}: expected {kind.__name__}, found {type(found).__name__}")
    return found


def without_images(text: str, generated: Callable[[str, str], bool]) -> str:
    """The text without images whose (alt text, target) says that the tool cut them out and named them."""
    return _IMAGE.sub(lambda m: "" if generated(m["alt"].strip(), m["target"].strip()) else m[0], text)


def joined(blocks: list[str]) -> str:
    """Blocks of Markdown with a blank line between them; empty ones are left out."""
    return "\n\n".join(block.strip("\n") for block in blocks if block.strip())


def tidy(text: str) -> str:
    """The text with no more than one blank line in a row and none at its ends."""
    return re.sub(r"\n[ \t]*(?:\n[ \t]*)+\n", "\n\n", text).strip("\n")


def cell(text: str) -> str:
    """Text for a cell of an HTML table."""
    return html.escape(text, quote=False)
