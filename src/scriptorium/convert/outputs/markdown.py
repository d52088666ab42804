"""Markdown: the pages of a document, with a mark between them if one is wanted."""

import json
from typing import Any

from scriptorium.convert.outputs.choices import Marks
from scriptorium.convert.outputs.documents import FAILED, Document
from scriptorium.convert.outputs.options import Options

ENDING = ".md"


def render(document: Document, texts: list[str], options: Options) -> str:
    """The file of a document whose pages have these `texts`. Ends with one newline, or is empty."""
    head = front_matter(document) if options.front_matter else ""
    body = "".join(_pages(document, texts, options)).strip("\n")
    return head + (f"{body}\n" if body else "")


def _pages(document: Document, texts: list[str], options: Options) -> list[str]:
    between = "\n" if options.marks == "none" else "\n\n"
    parts = []
    for page, text in zip(document.pages, texts, strict=True):
        lost = f"<!-- {failed_text(page)} -->" if is_marked(page, options) else ""
        mark = "" if lost and options.marks == "comment" else page_mark(page["page"], options.marks)
        parts += [f"{part}\n\n" for part in (mark, lost) if part]
        parts += [f"{text}{between}"] if text else []
    return parts


def is_marked(page: dict[str, Any], options: Options) -> bool:
    """Whether something stands in the place of a page that has no text."""
    return options.failed == "mark" and page["status"] in FAILED


def page_mark(page: int, marks: Marks) -> str:
    """What stands before a page; empty where nothing does."""
    return {"comment": f"<!-- page {page} -->", "number": f"{{{page}}}---"}.get(marks, "")


def failed_text(page: dict[str, Any]) -> str:
    """What stands in the place of a page without a text, in words."""
    return f"page {page['page']}: {page['status']}"


def front_matter(document: Document) -> str:
    """A head in YAML. Its texts are quoted as JSON, which is YAML whatever is in them."""
    languages = {(page.get("front") or {}).get("primary_language") for page in document.pages}
    statuses: dict[str, int] = {}
    for page in document.pages:
        statuses[page["status"]] = statuses.get(page["status"], 0) + 1
    values = {
        "source": document.origin,
        **({"id": document.id} if document.id else {}),
        "document": document.sha256,
        "pages": len(document.pages),
        "languages": sorted(filter(None, languages)),
        "statuses": dict(sorted(statuses.items())),
    }
    lines = [f"{key}: {json.dumps(value, ensure_ascii=True)}\n" for key, value in values.items()]
    return f"---\n{''.join(lines)}---\n"
