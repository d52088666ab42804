"""What can be kept of an answer that was cut off: no repeated tail, no half word, nothing left open."""

REPEATS = 4
SHORTEST_TAIL = 24
PAIRS = (("<table", "</table>"), ("\\[", "\\]"), ("\\(", "\\)"), ("<!--", "-->"))
TOGGLES = ("$$", "```")


def salvage(text: str) -> str:
    """The start of a cut-off answer, as far as it ends at a whole word with all structures closed."""
    text = text[: len(text) - repeated_tail(text)]
    words = text.rsplit(maxsplit=1)
    text = words[0] if len(words) == 2 else ""
    while text and not closed(text):
        text = text.rpartition("\n")[0]
    return text.rstrip()


def closed(text: str) -> bool:
    """Whether every table, formula, comment and code block that was opened is closed."""
    pairs = all(text.count(start) == text.count(end) for start, end in PAIRS)
    return pairs and all(text.count(mark) % 2 == 0 for mark in TOGGLES)


def repeated_tail(text: str) -> int:
    """How many characters at the end only repeat what stands before them; 0 if the text does not loop.

    A loop is at least REPEATS times the same piece, SHORTEST_TAIL characters in all. Periods of the reversed
    text's prefixes come from the prefix function (Knuth, Morris, Pratt), in linear time.
    """
    backwards = text[::-1]
    borders = [0] * len(backwards)
    found = 0
    for end in range(1, len(backwards)):
        border = borders[end - 1]
        while border and backwards[end] != backwards[border]:
            border = borders[border - 1]
        borders[end] = border + (backwards[end] == backwards[border])
        length, period = end + 1, end + 1 - borders[end]
        if length >= SHORTEST_TAIL and length >= REPEATS * period:
            found = length - period
    return found
