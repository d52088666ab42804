"""Globs of our own, the same on every system: `*` and `?` within a name, `**` across folders, `[a-z]`."""

import re
from functools import lru_cache

MAGIC = re.compile(r"[*?\[]")


def has_magic(text: str) -> bool:
    """Whether a path has a character that a glob would read."""
    return bool(MAGIC.search(text))


def split_base(pattern: str) -> tuple[str, str]:
    """The leading folders without magic, and the rest of the pattern."""
    parts = pattern.split("/")
    count = next((index for index, part in enumerate(parts) if has_magic(part)), len(parts) - 1)
    base = "/".join(parts[:count])
    return base or ("/" if pattern.startswith("/") else "."), "/".join(parts[count:])


@lru_cache(maxsize=64)
def compiled(pattern: str) -> re.Pattern[str]:
    """The regular expression of a glob over a whole path with `/` between its names."""
    parts = re.sub(r"(?:\*\*/)+", "**/", pattern).split("/")
    last = len(parts) - 1
    text = ""
    for index, part in enumerate(parts):
        if part == "**":
            text += ".+" if index == last else "(?:[^/]+/)*"
        else:
            text += _name(part) + ("" if index == last else "/")
    return re.compile(text, re.DOTALL)


def matches(path: str, pattern: str) -> bool:
    """Whether the whole of `path` is as `pattern` says. Case counts."""
    return compiled(pattern).fullmatch(path) is not None


def _name(part: str) -> str:
    """The expression of one name; a bracket that is never closed stands for itself."""
    text, index = "", 0
    while index < len(part):
        character = part[index]
        end = part.find("]", index + 2 + (part[index + 1 : index + 2] == "!")) if character == "[" else -1
        if end > 0:
            text += _class(part[index + 1 : end])
            index = end
        else:
            text += {"*": "[^/]*", "?": "[^/]"}.get(character, re.escape(character))
        index += 1
    return text


def _class(inside: str) -> str:
    """`[...]`: characters and spans a-z; `!` first means none of them. A span that runs backwards is empty."""
    negative = inside.startswith("!")
    inside = inside[negative:]
    found, index = "", 0
    while index < len(inside):
        if inside[index + 1 : index + 2] == "-" and index + 2 < len(inside):
            low, high = inside[index], inside[index + 2]
            found += f"{re.escape(low)}-{re.escape(high)}" if low <= high else ""
            index += 3
        else:
            found += re.escape(inside[index])
            index += 1
    if negative:
        return f"[^/{found}]"
    return f"(?!/)[{found}]" if found else "(?!)"
