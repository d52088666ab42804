"""Pages that were read by a model or transcribed by a person, offered as pairs: cut out, turned, written."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scriptorium.errors import InputError
from scriptorium.mix.pairs import LONGEST, Page, Pairs
from scriptorium.pages.document import DocumentWorker
from scriptorium.pages.front_matter import FrontMatter, FrontMatterError, decode, encode
from scriptorium.pages.language import identify
from scriptorium.pages.pdf import PdfError
from scriptorium.pages.single import single_page

HASH = 8
"""Characters of a document's hash that its name ends with: two files never share a name."""


class Unusable(InputError):
    """A page that cannot become a pair; the message is its reason in pages.parquet."""


def document_name(source: str, sha256: str) -> str:
    """A name for a document that file systems take: of its file, and of its bytes."""
    stem = re.sub(r"[^\w.-]+", "_", Path(source).stem).strip("._") or "document"
    short = stem.encode()[: LONGEST - 40].decode(errors="ignore")
    return f"{short}-{sha256[:HASH]}"


def offer(
    pairs: Pairs,
    page: Page,
    path: Path,
    number: int,
    worker: DocumentWorker,
    text: Callable[[], str],
    rotation: int = 0,
    tests: list[dict[str, Any]] | None = None,
) -> bool:
    """Keep page `number` of the document `path` as a pair, turned upright; or reject it with the reason.

    `text` gives its truth, front matter and text, and may raise Unusable or FrontMatterError. Returns whether
    the page was kept.
    """
    try:
        truth = text()
        truth.encode()
        decode(truth)
        pairs.keep(page, single_page(worker, path, number, rotation), truth, pairs.place(page, tests or []))
    except PdfError as error:
        pairs.reject(page, f"page {error.reason}: {str(error).replace(str(path), page.source)}")
    except Unusable as error:
        pairs.reject(page, str(error))
    except (FrontMatterError, UnicodeError) as error:
        pairs.reject(page, f"truth not decoded: {error}")
    except OSError as error:
        pairs.reject(page, f"document missing: {path}: cannot be read ({error.strerror})")
    else:
        return True
    return False


def with_front(text: str, language: str | None = None) -> str:
    """A truth for a text without front matter: its language told or guessed, its kind by what most of it is.

    `is_table` if more than half of its characters stand in HTML tables, `is_diagram` likewise for figures.
    """
    body = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not body:
        return encode(FrontMatter(None), None)
    spoken = language or identify(body).code or None
    tables = sum(map(len, re.findall(r"<table.*?</table>", body, re.DOTALL | re.IGNORECASE)))
    figures = len(re.findall(r"!\[[^\]]*\]\([^)]*\)", body)) * FIGURE
    whole = max(len(body), 1)
    front = FrontMatter(
        spoken[:2].lower() if spoken else None,
        is_table=tables > whole / 2,
        is_diagram=figures > (whole + figures) / 2,
    )
    return encode(front, body)


FIGURE = 500
"""Characters that a figure counts for where the kinds of a page are weighed."""
