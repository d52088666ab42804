"""A planned page and its text layer: when the layer stands in for the model, and what it says of the text."""

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scriptorium.convert.documents import SourceError
from scriptorium.pages.pdf import PdfError
from scriptorium.serve.reader import Reading

if TYPE_CHECKING:
    from scriptorium.convert.documents import Pages
    from scriptorium.pages.sheet import Sheet

ENGINE = "text-layer"
"""What a record says of a page that no model has read."""

FEWEST_LETTERS = 200
"""Letters below which a text layer is not preferred to the model: the page may be a picture."""
BEST = 0.98
"""The share of its letters in an order that languages have which a layer needs to be preferred."""
LARGEST_PICTURE = 0.5
"""The share of the page that one picture may cover; more is a scan, whose layer is some OCR program's."""


def policy(text_layer: str) -> str:
    """What stands for the use of text layers in the content key: when, and which are called garbled."""
    from scriptorium.pages.layer import REVISION

    return f"{text_layer}-{REVISION}"


def layer_of(row: dict[str, Any], documents: "Pages") -> str:
    """The page's text layer; empty if it has none, or it cannot be had."""
    if row.get("kind") not in (None, "", "pdf"):
        return ""
    with contextlib.suppress(PdfError, SourceError):
        return documents.text(row).strip()
    return ""


def preferred(row: dict[str, Any], documents: "Pages") -> Reading | None:
    """The page as its text layer has it, if that is good enough to go without the model; else None."""
    from scriptorium.pages.layer import judge

    layer = layer_of(row, documents)
    judgement = judge(layer)
    if judgement.fault or judgement.letters < FEWEST_LETTERS or judgement.good < BEST:
        return None
    with contextlib.suppress(PdfError, SourceError):
        if documents.picture(row) <= LARGEST_PICTURE:
            return Reading("ok", layer, None, "", "", 0, 0.0, 0, engine=ENGINE)
    return None


def fallen_back(reading: Reading, layer: str) -> Reading:
    """The reading; where the model gave up, with the text of a layer that is not garbled."""
    from scriptorium.pages.layer import judge

    if reading.status != "gave_up" or not layer:
        return reading
    if fault := judge(layer).fault:
        return replace(reading, reason=f"{reading.reason}; its text layer is garbled: {fault}")
    return replace(reading, status="fallback_text", text=layer)


def measured(reading: Reading, sheet: "Sheet | None", layer: str) -> Reading:
    """The reading with the signals of its quality. A page without a text has those of its layer and image."""
    from scriptorium.pages.signals import measure

    found = measure(reading.text, layer)
    if sheet is not None and sheet.ink is not None:
        found |= {"marked": sheet.ink.share, "marks": sheet.ink.pixels}
    return replace(reading, signals=found)
