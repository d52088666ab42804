"""The front matter of a page: five lines before its text. One codec for training, serving, rewards and bench.

    ---
    primary_language: en
    is_rotation_valid: True
    rotation_correction: 0
    is_table: False
    is_diagram: False
    ---
    the text

A blank page ends with the second `---`, without a newline. Rotation is counter-clockwise degrees.
"""

import re
from dataclasses import dataclass

from scriptorium.errors import InputError

ROTATIONS = (0, 90, 180, 270)
"""Degrees, counter-clockwise, by which a page must be turned to stand upright."""


class FrontMatterError(InputError):
    """A page whose front matter is not of the form above; the message says what was found."""


@dataclass(frozen=True)
class FrontMatter:
    """What a page says of itself. `primary_language`: two letters, or None where there is no text."""

    primary_language: str | None = "en"
    is_rotation_valid: bool = True
    rotation_correction: int = 0
    is_table: bool = False
    is_diagram: bool = False


KEYS = tuple(FrontMatter.__dataclass_fields__)
BOOLEANS = {"true": True, "false": False}
HEAD = re.compile(r"---\n((?:(?!---\n)[^\n]*\n)*?)---(?:\n|\Z)")


def encode(front: FrontMatter, text: str | None) -> str:
    """A page as it is stored and learnt: front matter, then the text; None or only space: a blank page."""
    language = front.primary_language or "null"
    values = (language, *(getattr(front, key) for key in KEYS[1:]))
    lines = "".join(f"{key}: {value}\n" for key, value in zip(KEYS, values, strict=True))
    return f"---\n{lines}---" + (f"\n{text}" if text and text.strip() else "")


def decode(document: str) -> tuple[FrontMatter, str | None]:
    """Front matter and text (stripped; None when there is none). Raises FrontMatterError.

    A byte order mark and CRLF line ends are taken in; booleans may be written in either case.
    """
    head, rest = _split(document)
    lines = [line.partition(":") for line in head.splitlines()]
    found = [key.strip() for key, _, _ in lines]
    if tuple(found) != KEYS:
        raise FrontMatterError(f"front matter: keys {found}; expected {list(KEYS)}")
    values = [value.strip() for _, _, value in lines]
    front = FrontMatter(
        _language(values[0]),
        _boolean(KEYS[1], values[1]),
        _rotation(values[2]),
        _boolean(KEYS[3], values[3]),
        _boolean(KEYS[4], values[4]),
    )
    return front, rest.strip() or None


def body(document: str) -> str:
    """The text of a page without its header, faulty or not, if it has one that ends. Never raises.

    A block between two lines `---` that has none of our keys is text: a rule, or somebody else's header.
    """
    plain = _plain(document)
    match = HEAD.match(plain)
    ours = match and any(line.partition(":")[0].strip() in KEYS for line in match[1].splitlines())
    return plain[match.end() :].strip() if match and ours else document


def _plain(document: str) -> str:
    return document.removeprefix("\ufeff").replace("\r\n", "\n")


def _split(document: str) -> tuple[str, str]:
    plain = _plain(document)
    match = HEAD.match(plain)
    if not match:
        raise FrontMatterError(f"front matter: no block between two lines `---` at the start: {plain[:40]!r}")
    return match[1], plain[match.end() :]


def _language(value: str) -> str | None:
    if value in ("null", ""):
        return None
    if not re.fullmatch(r"[a-z]{2}", value):
        raise FrontMatterError(f"front matter: primary_language {value!r}; expected two letters or null")
    return value


def _boolean(key: str, value: str) -> bool:
    if value.lower() not in BOOLEANS:
        raise FrontMatterError(f"front matter: {key} {value!r}; expected True or False")
    return BOOLEANS[value.lower()]


def _rotation(value: str) -> int:
    if value not in map(str, ROTATIONS):
        raise FrontMatterError(f"front matter: rotation_correction {value!r}; expected one of {ROTATIONS}")
    return int(value)
