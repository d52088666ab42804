"""What a candidate wrote for each page of a bench, from the files it was kept in."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from scriptorium.errors import InputError

Outputs = Mapping[str, list[str | None]]
"""Page id to the texts of its repeats; None for one that failed."""

FAILED = ("gave_up", "unreadable")
"""The statuses of a page that has no output; a blank page's output is an empty text."""

_REPEAT = re.compile(r"(?P<stem>.*)_pg(?P<page>[0-9]+)_repeat(?P<repeat>[0-9]+)\.md", re.DOTALL)


def page_id(pdf: str, page: int) -> str:
    """The id of a bench page: the PDF's path below pdfs/ without its ending, and `#page` from page 2 on."""
    stem = pdf.removesuffix(".pdf")
    return stem if page == 1 else f"{stem}#{page}"


def read_outputs(path: Path) -> dict[str, list[str | None]]:
    """The texts of a `pages.jsonl`; pages that failed have None. Raises InputError for other rows."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
        rows = [json.loads(line) for line in lines if line.strip()]
        return {
            page_id(row["pdf"], row["page"]): [None if row["status"] in FAILED else row["text"]]
            for row in rows
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: not the outputs of bench pages (pdf, page, status, text a line): {error!r}"
        ) from error


def read_candidate(folder: Path, candidate: str) -> dict[str, list[str | None]]:
    """The texts of `<folder>/<candidate>/**/<pdf>_pg<page>_repeat<n>.md`, the layout of olmOCR-bench.

    A file that is not UTF-8 counts as a repeat that failed. Raises InputError if there is no such file.
    """
    found: dict[str, list[tuple[int, str | None]]] = {}
    for path in sorted((folder / candidate).rglob("*.md")):
        name = _REPEAT.fullmatch(path.relative_to(folder / candidate).as_posix())
        if name is None:
            continue
        try:
            text: str | None = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            text = None
        found.setdefault(page_id(name["stem"], int(name["page"])), []).append((int(name["repeat"]), text))
    if not found:
        raise InputError(
            f"{folder / candidate}: no <pdf>_pg<page>_repeat<n>.md in it; name a candidate's folder"
        )
    return {
        page: [text for _, text in sorted(texts, key=lambda each: each[0])] for page, texts in found.items()
    }
