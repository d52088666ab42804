"""Which results of the page store are fit to be learnt, and the text to learn for them."""

from typing import Any

from scriptorium.pages.front_matter import FrontMatter, FrontMatterError, decode, encode

RIGHT = ("ok", "ok_rotated", "blank")
"""Statuses whose text is the model's whole answer: only these may be learnt as they are."""


def why_not_right(record: dict[str, Any]) -> str:
    """Why a page's result cannot be learnt as it is; empty if it can."""
    if record["status"] == "fallback_text":
        return "the text is the file's text layer, not an answer of the model: correct it by hand"
    if record["status"] == "salvaged":
        return "the answer was not whole: correct it by hand"
    if record["status"] not in RIGHT:
        return "there is no text: write it by hand"
    if record["status"] != "blank" and not record.get("front"):
        return "no front matter was read: correct the page by hand and say its language"
    return ""


def answer_text(record: dict[str, Any]) -> str:
    """The text of a result, lines ended by a newline, no space at its ends."""
    return str(record.get("text") or "").replace("\r\n", "\n").replace("\r", "\n").strip()


def target_of(record: dict[str, Any]) -> str:
    """Front matter and text of a result. Raises FrontMatterError with the reason if it is not to be learnt."""
    if refused := why_not_right(record):
        raise FrontMatterError(refused)
    front = FrontMatter(**record["front"]) if record.get("front") else FrontMatter(None)
    made = encode(front, answer_text(record))
    decode(made)  # nothing is learnt that the codec cannot read
    return made
