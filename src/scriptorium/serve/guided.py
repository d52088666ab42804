"""Holding a model to a form: which of the fields that servers know for it does something here."""

import re
from collections.abc import Callable
from typing import Any

FORMS: tuple[Callable[[str], dict[str, Any]], ...] = (
    lambda pattern: {"structured_outputs": {"regex": pattern}},  # vLLM from 0.12 on
    lambda pattern: {"guided_regex": pattern},  # vLLM before
    lambda pattern: {"regex": pattern},  # SGLang
    lambda pattern: {"response_format": {"type": "regex", "value": pattern}},  # text-generation-inference
)
PROBE = "(?:q7){3}"
"""No model says this by itself."""


def probe(ask: Callable[[dict[str, Any]], str | None]) -> Callable[[str], dict[str, Any]] | None:
    """The form that a server obeys; None if there is none: an unknown field may be ignored or refused.

    `ask` sends a plain question with some more fields; the answer's text, None if the server refuses.
    """
    for form in FORMS:
        text = ask(form(PROBE))
        if text is not None and re.fullmatch(PROBE, text.strip()):
            return form
    return None
