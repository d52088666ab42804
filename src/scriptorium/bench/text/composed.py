"""Unicode's composed form (NFC) of a text, and the way back to the text as written."""

import unicodedata
from functools import lru_cache


@lru_cache(maxsize=8)
def places_composed(text: str) -> list[int] | None:
    """For each place in NFC(text), and for its end, the place in `text`; None where they are the same.

    None too for the few scripts whose letters compose across pieces: there the places are near, not exact.
    """
    if unicodedata.is_normalized("NFC", text):
        return None
    places: list[int] = []
    starts = [at for at, character in enumerate(text) if not at or not unicodedata.combining(character)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        places += [start] * len(unicodedata.normalize("NFC", text[start:end]))
    places.append(len(text))
    return places if len(places) == len(unicodedata.normalize("NFC", text)) + 1 else None
