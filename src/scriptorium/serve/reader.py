"""The one way to read a page with a model: attempts, rotation, salvage. Bench, convert and labels call it."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from scriptorium.pages.front_matter import FrontMatter
from scriptorium.pages.sheet import Sheet, as_sheet
from scriptorium.serve.adapter import Adapter
from scriptorium.serve.client import Answer, Asking, ChatClient, RequestRefused
from scriptorium.serve.parsers import parse

if TYPE_CHECKING:
    import numpy as np

POLICY = 3
"""Revision of the rules in this file: part of the page store's content key."""
MOST_REFUSALS = 2
MOST_TOO_LONG = 4
"""Refusals of a request that is too long, each of which makes it shorter."""
ROOM = 512
"""Tokens that an answer needs beside its image, or a quarter of what it may have: else the image gets smaller."""
SMALLER = 0.75
"""What an image's sides are multiplied by where it has too many tokens: it has 44 % fewer then."""


@dataclass(frozen=True)
class Reading:
    """What came of a page.

    `status`: ok, ok_rotated, salvaged, blank or gave_up. `text` is the body without front matter, `raw` the
    answer it came from. `rotation`: degrees counter-clockwise by which the page was turned for it.
    `prompt_tokens`, `tokens` (generated) and `seconds` are summed over all attempts.
    """

    status: str
    text: str
    front: FrontMatter | None
    raw: str
    finish_reason: str
    tokens: int
    seconds: float
    attempts: int
    prompt_tokens: int = 0
    rotation: int = 0
    reason: str = ""
    engine: str = ""
    """What drew the page: pypdfium2, poppler, or pillow for an image; empty where the caller did."""
    signals: dict[str, Any] = field(default_factory=dict)
    """Of the text's quality, as whoever stores the page measures them."""
    mean_logprob: float | None = None
    """Of the tokens of the answer that was kept, where it was asked for and told."""


@dataclass(frozen=True)
class Candidate:
    """An answer that may be kept.

    `rank`: 4 as it should be, 3 empty, 2 cut off, 1 whole with a wrong head, 0 without one, or both.
    """

    rank: int
    text: str
    front: FrontMatter | None
    answer: Answer
    rotation: int
    fault: str = ""


@dataclass
class Attempts:
    """The attempts at one page so far."""

    candidates: list[Candidate] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.candidates) + len(self.refusals)


def read_page(
    client: ChatClient, adapter: Adapter, image: "np.ndarray | Sheet", first_seed: int = 0
) -> Reading:
    """Read one page image (H, W, 3, uint8, longest side as the adapter asks), or a sheet that draws it.

    A blank page is not sent. Each attempt has its own temperature and, from `first_seed`, its own seed. After an answer
    that is cut off, has no readable head, or is empty although the page has ink, comes the next attempt. A
    page that lies on its side is turned as the answer says. Faults of the line raise and are not attempts.
    """
    sheet = as_sheet(image)
    try:
        if sheet.is_blank():
            return Reading("blank", "", None, "", "", 0, 0.0, 0)
        return conclude(attempt(client, adapter, sheet, first_seed))
    finally:
        sheet.drop()


def attempt(client: ChatClient, adapter: Adapter, sheet: Sheet, first_seed: int = 0) -> Attempts:
    """Ask for a page that is not blank, until an answer will do or there are no attempts left."""
    tried = Attempts()
    rotation, seen = 0, {0}
    max_tokens = adapter.max_tokens
    for seed, temperature in enumerate(adapter.temperatures, first_seed):
        try:
            answer = client.complete(
                sheet, adapter.prompt, max_tokens, temperature, seed, adapter.guided_regex
            )
        except RequestRefused as refusal:
            tried.refusals.append(str(refusal))
            if refusal.context:
                max_tokens = shorten(sheet, max_tokens, refusal.room, len(tried.refusals))
            if len(tried.refusals) == (MOST_TOO_LONG if refusal.context else MOST_REFUSALS):
                break
            continue
        candidate = weigh(answer, adapter, rotation)
        tried.candidates.append(candidate)
        turn = correction(candidate.front)
        if candidate.rank == 4 and turn and (rotation + turn) % 360 not in seen:
            rotation = (rotation + turn) % 360
            seen.add(rotation)
            sheet.turn(rotation)
        elif candidate.rank == 4 or answer.finish_reason == "content_filter":
            break
    return tried


def shorten(sheet: Sheet, max_tokens: int, room: int | None, refusals: int) -> int:
    """Make a request that is too long shorter: the answer as long as there is `room`, or a smaller image.

    Where the server does not say how much room there is, first the answer's half, then the image is smaller.
    Returns the tokens that the answer may have.
    """
    if room is None:
        room = max_tokens // 2 if refusals % 2 else 0
    if min(ROOM, max_tokens // 4) <= room < max_tokens:
        return room
    sheet.shrink(SMALLER)
    return max_tokens


def asking(adapter: Adapter, manner: Asking | None = None) -> Asking:
    """How the client asks a model of this family; timeouts and the like as in `manner`."""
    return replace(manner or Asking(), image_first=adapter.image_first, fields=adapter.fields)


def weigh(answer: Answer, adapter: Adapter, rotation: int) -> Candidate:
    """Judge one answer: its rank, its text, its front matter."""
    cut = answer.finish_reason != "stop"
    parsed = parse(adapter.parser, answer.text, cut)
    front, text, fault = parsed.front, parsed.text, parsed.fault
    if fault:
        rank = 1 if not cut and text and text != answer.text else 0
    elif cut:
        rank, fault = 2, f"cut off ({answer.finish_reason})"
    elif not text.strip() and not (front and front.is_diagram):
        rank, fault = 3, "no text although the page has ink"
    else:
        rank = 4
    return Candidate(rank, text, front, answer, rotation, fault)


def correction(front: FrontMatter | None) -> int:
    """Degrees counter-clockwise by which the answer wants the page turned; 0 if it stands upright."""
    return 0 if front is None or front.is_rotation_valid else front.rotation_correction % 360


def conclude(tried: Attempts) -> Reading:
    """The reading that the attempts amount to: the last good answer, else the best of the others."""
    answers = [candidate.answer for candidate in tried.candidates]
    faults = [candidate.fault for candidate in tried.candidates if candidate.fault] + tried.refusals
    best = max(
        reversed(tried.candidates), key=lambda c: (c.rank, len(c.text) if c.rank < 3 else 0), default=None
    )
    status = "gave_up"
    if best is not None and best.rank == 4:
        status = "ok_rotated" if best.rotation else "ok"
    elif best is not None and best.rank in (1, 2) and best.text:
        status = "salvaged"
    return Reading(
        status=status,
        text=best.text if best is not None and status != "gave_up" else "",
        front=best.front if best else None,
        raw=best.answer.text if best else "",
        finish_reason=best.answer.finish_reason if best else "",
        tokens=sum(answer.completion_tokens for answer in answers),
        seconds=round(sum(answer.seconds for answer in answers), 3),
        attempts=len(tried),
        prompt_tokens=sum(answer.prompt_tokens for answer in answers),
        rotation=best.rotation if best else 0,
        reason="; ".join(dict.fromkeys(faults)) if status != "ok" and status != "ok_rotated" else "",
        mean_logprob=best.answer.mean_logprob if best and status != "gave_up" else None,
    )
