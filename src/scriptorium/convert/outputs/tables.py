"""Tables that go on over a page break under the same head, in pipes or in HTML."""

import re

BREAK = re.compile(r"\n[ \t]*\n")
RULE = re.compile(r"\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*")
ROW = re.compile(r"<tr\b[^<>]*>(?:(?!<tr\b).)*?</tr\s*>", re.DOTALL | re.IGNORECASE)
TABLE = re.compile(r"<table\b[^<>]*>(?P<inside>(?:(?!<table\b).)*?)</table\s*>", re.DOTALL | re.IGNORECASE)
FRAME = re.compile(r"</?(thead|tbody)\s*>|\s", re.IGNORECASE)
END = re.compile(r"(\s*</tbody\s*>)?\s*</table\s*>$", re.IGNORECASE)

MOST_END = 100
"""Characters of the tags that end a table: a search from the beginning would take long in a page of spaces."""


def continued_table(before: str, after: str) -> tuple[str, str, str, str] | None:
    """Both pages with the rows of the later one's table moved to the earlier one's, `table`, and the lost head."""
    return _pipes(before, after) or _html(before, after)


def _pipes(before: str, after: str) -> tuple[str, str, str, str] | None:
    last = BREAK.split(before)[-1].split("\n")
    first, _, rest = after.partition("\n\n")
    lines = first.split("\n")
    if not (_is_table(last) and _is_table(lines) and _cells(last[0]) == _cells(lines[0])):
        return None
    if len(_cells(last[1])) != len(_cells(lines[1])):
        return None
    return "\n".join([before, *lines[2:]]), rest.lstrip("\n"), "table", "\n".join(lines[:2])


def _is_table(lines: list[str]) -> bool:
    return len(lines) > 1 and all(line.startswith("|") for line in lines) and bool(RULE.fullmatch(lines[1]))


def _cells(line: str) -> list[str]:
    return [" ".join(cell.split()) for cell in line.strip().strip("|").split("|")]


def _html(before: str, after: str) -> tuple[str, str, str, str] | None:
    first = TABLE.match(after)
    last = next((found for found in TABLE.finditer(before) if found.end() == len(before)), None)
    if not first or not last or not (_plain(first["inside"]) and _plain(last["inside"])):
        return None
    head, *rows = ROW.findall(first["inside"])
    if "<th" not in head.lower().replace("<thead", "") or _same(head) != _same(
        ROW.findall(last["inside"])[0]
    ):
        return None
    end = END.search(before, max(0, len(before) - MOST_END))
    if not end:
        return None
    moved = "".join(f"\n{row}" for row in rows)
    lost = first[0]
    for row in rows:
        lost = lost.replace(row, "", 1) if row != head else lost[::-1].replace(row[::-1], "", 1)[::-1]
    joined = before[: end.start()] + moved + before[end.start() :]
    return joined, after[first.end() :].lstrip("\n "), "table", lost


def _plain(inside: str) -> bool:
    """Whether a table is rows alone, without a caption, a foot or the like."""
    return bool(ROW.search(inside)) and not FRAME.sub("", ROW.sub("", inside))


def _same(row: str) -> str:
    return "".join(row.split())
