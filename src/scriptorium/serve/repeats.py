"""Tells while an answer is still being written that the model has run into a loop.

Only text that says the same thing more often than a page can is a loop. Rows of dots, ruled lines and the
equal rows of a form's table are on real pages, so they have bounds of their own.
"""

import re

LONGEST_PERIOD = 1024
"""Characters of the longest piece whose repetition is looked for."""
STEP = 512
"""New characters after which the text is looked at again."""
LEAST = 4000
"""Characters that a loop must have: about a thousand tokens."""
LEAST_MARKS = 8000
"""Characters of a loop without any letter or digit: a sheet of ruled lines has half as many."""
TIMES = 10
"""How often a piece must come."""
TIMES_TABLE = 200
"""How often a piece of a table must come: cells and rows without text repeat, but no page has so many rows."""
TABLE = re.compile(r"<t[dhr]|</t[dhr]>|[|&]")


class Repeats:
    """Watches one growing text. Time grows with the text's length alone."""

    def __init__(self) -> None:
        self.text = ""
        self._parts: list[str] = []
        self._new = 0

    def feed(self, part: str) -> bool:
        """Add what came; whether the text ends in a loop, looked at every STEP characters."""
        self._parts.append(part)
        self._new += len(part)
        if self._new < STEP:
            return False
        self._new = 0
        self.text = (self.text + "".join(self._parts))[-WINDOW:]
        self._parts.clear()
        return is_loop(self.text)


def is_loop(text: str) -> bool:
    """Whether `text` ends in the same piece, over and over, more often than any page has it."""
    if len(text) < LEAST:
        return False
    backwards = text[-WINDOW:][::-1]
    period = backwards.find(backwards[:LONGEST_PERIOD], 1)
    if not 1 <= period <= LONGEST_PERIOD:
        return False
    length = needed(backwards[:period][::-1])
    return length <= len(backwards) and backwards[: length - period] == backwards[period:length]


def needed(piece: str) -> int:
    """How many characters of nothing but `piece` make a loop."""
    doubled = piece + piece  # a piece may begin in the middle of a tag
    if TABLE.search(doubled):
        return max(LEAST, TIMES_TABLE * len(piece))
    if not any(character.isalnum() for character in piece):
        return max(LEAST_MARKS, TIMES * len(piece))
    return max(LEAST, TIMES * len(piece))


WINDOW = max(LEAST_MARKS, TIMES * LONGEST_PERIOD, TIMES_TABLE * 160)
"""Characters that are looked at. A table's loop is seen up to a period of 160: 32,000 characters, 8,000 tokens."""
