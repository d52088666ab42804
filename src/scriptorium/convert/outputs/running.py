"""Running heads and feet: lines that stand at the same edge of many pages."""

import re
from collections import Counter

PAGES_AT_LEAST = 3
SHARE_AT_LEAST = 0.4
"""Of the pages with text: left and right pages may have heads of their own."""
MOST = 100
"""Characters of such a line."""
ROUNDS = 2
"""A head may have a page number above it."""
BLANK = re.compile(r"\n[ \t]*\n")
MARKED = re.compile(r"\s|[#>|<$`~{\[!]|\\[\[(]|[-*+•] ")
"""Lines that are more than words: never taken for running ones."""


def without_running(texts: list[str], pages: list[int]) -> tuple[list[str], list[tuple[int, str]]]:
    """The texts without running lines, and those lines with their pages.

    Such a line is the same on each page but for a number that counts with the pages. The first of them stays,
    unless it is nothing but the number.
    """
    texts, gone = list(texts), list[tuple[int, str]]()
    for _ in range(ROUNDS):
        for last in (False, True):
            edges = [_edge(text, last) for text in texts]
            keys = [_key(line, page) for line, page in zip(edges, pages, strict=True)]
            counts = Counter(key for key in keys if key)
            least = max(PAGES_AT_LEAST, SHARE_AT_LEAST * sum(bool(text) for text in texts))
            seen: set[str] = set()
            for at, (line, key) in enumerate(zip(edges, keys, strict=True)):
                if counts[key] < least:
                    continue
                if key in seen or not re.search(r"[^\W\d_]", line):
                    texts[at] = _without(texts[at], line, last)
                    gone.append((pages[at], line))
                seen.add(key)
    return texts, gone


def _edge(text: str, last: bool) -> str:
    """The first or last line of a page, if a blank line parts it from the rest and it is no more than words."""
    blocks = BLANK.split(text)
    line = blocks[-1 if last else 0]
    good = len(blocks) > 1 and "\n" not in line and 0 < len(line) <= MOST and not MARKED.match(line)
    return line if good else ""


def _key(line: str, page: int) -> str:
    """What running lines have in common; empty for a line that cannot be one."""
    if not re.search(r"[^\W_]", line):
        return ""
    return re.sub(r"^\d{1,6}\b|\b\d{1,6}$", lambda number: f"\0{int(number[0]) - page}\0", line)


def _without(text: str, line: str, last: bool) -> str:
    return text[: -len(line)].rstrip("\n \t") if last else text[len(line) :].lstrip("\n \t")
