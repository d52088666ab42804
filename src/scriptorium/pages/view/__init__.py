"""What the report of a bench and the viewer of a corpus show alike: a page's picture beside its text (static files).

Both are folders that open in a browser without a server or a network: data comes in scripts, since a page that
was opened as a file may not fetch.
"""

import json
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

STATIC = Path(__file__).parent
"""The folder of FILES and KATEX."""

FILES = ("page_view.css", "frame.css", "page_view.js", "diff.js")
"""Copied beside the pages that use them."""

KATEX = STATIC / "katex.min.js"
"""KaTeX 0.16.21, as its makers released it; LICENSE.katex is its licence."""


def pages_link(text: str, **said: str) -> str:
    """A link to the pages that the filters `said` choose; `text` is HTML."""
    return f'<a href="#pages?{escape(urlencode(said))}">{text}</a>'


def literal(value: Any) -> str:
    """A value of JSON as an expression of JavaScript that no text in it can end."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def write_call(path: Path, function: str, *values: Any) -> None:
    """Write a script that calls `window.<function>` with the values."""
    script = f"window.{function}({', '.join(literal(value) for value in values)});\n"
    path.write_bytes(script.encode("utf-8", "backslashreplace"))  # half a surrogate pair: as an escape
