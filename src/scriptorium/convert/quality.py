"""How far a page's text is to be trusted: a score in [0, 1] from the signals in its record, and the reasons.

The score orders pages for a person to look at. It is no probability: it was not fitted to the errors of any
model. How well it tells spoilt texts from true ones is measured by benchmarks/convert_signals.py.
"""

from typing import Any, NamedTuple

from scriptorium.convert.layers import ENGINE
from scriptorium.pages.language import same
from scriptorium.pages.signals import REVISION, of_text

NO_TEXT = ("gave_up", "unreadable", "pending")
NOT_JUDGED = ("filtered", "duplicate")


class Term(NamedTuple):
    """One thing that speaks against a page: from `least` on, in full from `most` on, at most by `weight`."""

    least: float
    most: float
    weight: float
    reason: str


TERMS = {
    "invented": Term(0.25, 0.7, 0.8, "{:.0%} of its words are not in the text layer"),
    "missing": Term(0.2, 0.6, 0.7, "{:.0%} of the text layer's words are not in it"),
    "garbled": Term(0.05, 0.5, 0.8, "{:.0%} of its letters are in no order that a language has"),
    "repeated": Term(0.2, 0.6, 0.8, "{:.0%} of its words only repeat"),
    "crowded": Term(0.1, 0.4, 0.8, "{:.2f} characters for each dark pixel are more than print can have"),
    "empty": Term(
        1500, 6000, 0.5, "{:.0f} dark pixels for each character: some of the page may not be in it"
    ),
    "unclosed": Term(0.5, 6, 0.4, "{:.0f} tags or formulas have no other end"),
    "language": Term(0.7, 1.0, 0.3, "it says another language than its text has (sure by {:.0%})"),
    "unsure": Term(0.1, 0.8, 0.6, "the model was unsure: {:.2f} nats a token"),
    "attempts": Term(1, 8, 0.3, "{:.0f} attempts"),
}
"""What is found to speak against a page, and by how much.

- The text layer is the only witness that saw the page. What it lacks may be invented, which no reader can tell,
  so that weighs more than what is missing; a page's running heads are missing by intent, up to a fifth, and
  formulas and pictures' descriptions are words that no layer has, up to a quarter.
- Letters in no order, loops and more text than ink are faults of their own kind, seen in good pages hardly ever.
- Unclosed tags, a wrong language code, unsure tokens and attempts are met on good pages too.
"""
STATUS = {"salvaged": 0.5, "fallback_text": 0.6}
"""What a status leaves of the score: half a page may be missing, or its order and formulas be lost."""
STATUS_REASONS = {"salvaged": "kept from a faulty answer", "fallback_text": "the text layer's text"}


class Quality(NamedTuple):
    """The score, 1 for nothing found; and what was found, the gravest first."""

    score: float
    reasons: tuple[str, ...]


def quality(page: dict[str, Any]) -> Quality | None:
    """The quality of a page by its row: the plan's and the store's. None for one that was not to be read.

    A page without a text has 0. The score is the product of what each term leaves: 1 - weight x how far its
    value is on the way from `least` to `most`.
    """
    status = page["status"]
    if status in NOT_JUDGED:
        return None
    if status in NO_TEXT:
        return Quality(0.0, (page.get("reason") or "not read",))
    score = STATUS.get(status, 1.0)
    reasons = [(1 - score, STATUS_REASONS[status])] if score < 1 else []
    for name, value in values(page).items():
        term = TERMS[name]
        loss = term.weight * min(1.0, max(0.0, (value - term.least) / (term.most - term.least)))
        if loss > 0:
            score *= 1 - loss
            reasons.append((loss, term.reason.format(value)))
    return Quality(round(score, 3), tuple(reason for _, reason in sorted(reasons, key=lambda each: -each[0])))


def signals_of(page: dict[str, Any]) -> dict[str, Any]:
    """The signals of a read page: those of its record, with those of the text measured anew if they are old."""
    kept = page.get("signals") or {}
    if kept.get("revision") == REVISION:
        return kept
    return kept | of_text(str(page.get("text") or ""))


def values(page: dict[str, Any]) -> dict[str, float]:
    """The value of each term that can be told of a page."""
    signals, front = signals_of(page), page.get("front") or {}
    found = {
        "repeated": signals["repetition"],
        "unclosed": float(signals["unclosed"]),
        "attempts": float(page.get("attempts", 0)) - bool(page.get("rotation")),
    }
    if signals["letters"]:
        found["garbled"] = 1 - signals["good"]
    if "precision" in signals and page["status"] != "fallback_text" and page.get("engine") != ENGINE:
        found |= {"invented": 1 - signals["precision"], "missing": 1 - signals["recall"]}
    if (
        (said := front.get("primary_language"))
        and signals["language"]
        and not same(said, signals["language"])
    ):
        found["language"] = signals["confidence"]
    if page.get("mean_logprob") is not None:
        found["unsure"] = -float(page["mean_logprob"])
    return found | _ink(signals, bool(front.get("is_diagram")))


def _ink(signals: dict[str, Any], diagram: bool) -> dict[str, float]:
    """Text against ink: more than the page has room for, or little on a full one that is no picture."""
    if "marks" not in signals:
        return {}
    characters, marks = signals["characters"], signals["marks"]
    found = {"crowded": characters / max(1, marks)} if characters >= 100 else {}
    if not diagram and signals["marked"] > 0.02 and "recall" not in signals:
        found["empty"] = marks / max(1, characters)
    return found
