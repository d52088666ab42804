"""The families: each draws a sheet from a split, a random source and a language."""

import random
from collections.abc import Callable

from scriptorium.synth.document import Sheet
from scriptorium.synth.families import display, office, prose

Draw = Callable[[str, random.Random, str], Sheet]

FAMILIES: dict[str, Draw] = {
    "article": prose.article,
    "book": prose.book,
    "journal": prose.journal,
    "newspaper": prose.newspaper,
    "old_maths": prose.old_maths,
    "letter": office.letter,
    "handwriting": office.handwriting,
    "invoice": office.invoice,
    "form": office.form,
    "legal": office.legal,
    "big_table": display.big_table,
    "dictionary": display.dictionary,
    "slide": display.slides,
    "poster": display.poster,
    "exam": display.exam,
    "title_page": display.title_page,
    "blank": display.blank,
    "figures": display.figures,
}

CATEGORIES = (
    "arxiv_math",
    "old_scans_math",
    "table_tests",
    "old_scans",
    "headers_footers",
    "multi_column",
    "long_tiny_text",
)
"""The categories of olmOCR-bench less its baseline; every family counts for one, `blank` for the baseline."""

LANGUAGES = (("en", 0.62), ("fr", 0.09), ("de", 0.09), ("el", 0.08), ("ru", 0.12))
"""Languages of pages and their shares. Japanese is drawn where it is asked for: it needs a font of the machine."""


ENGLISH = ("letter", "invoice", "form", "legal", "exam")
"""Families with set phrases that are there in English only."""


def draw(family: str, split: str, rng: random.Random, language: str | None = None) -> Sheet:
    """A sheet of a family; without a `language`, of one by its share.

    Raises ConfigError for a language without words; a family of ENGLISH takes no heed of it.
    """
    if family in ENGLISH:
        language = "en"
    elif language is None:
        language = rng.choices([name for name, _ in LANGUAGES], [share for _, share in LANGUAGES])[0]
    return FAMILIES[family](split, rng, language)
