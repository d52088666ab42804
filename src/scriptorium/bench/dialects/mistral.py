"""Mistral's OCR API: the JSON of a response of one page.

Shape: `{"pages": [{"index", "markdown", "images": [{"id"}], "tables": [{"id", "content"}], "header", "footer"}]}`.
Placeholders of pictures (`![id](id)`) are taken out, those of tables (`[id](id)`) replaced by the table; `header`
and `footer`, which hold what was asked to be kept apart, are left out.
"""

from scriptorium.pages.answers.errors import DialectError
from scriptorium.pages.answers.pieces import field, read_json, tidy, without_images

NAME = "mistral"
VERSION = 1


def adapt(text: str) -> str:
    """The Markdown of one page. Raises DialectError for another shape, or more than one page."""
    pages = field(read_json(text), "pages", list, "response")
    if len(pages) != 1:
        raise DialectError(f"{len(pages)} pages; give one page at a time")
    page = pages[0]
    markdown = str(field(page, "markdown", str, "pages[0]"))
    for number, table in enumerate(page.get("tables") or []):
        where = f"pages[0].tables[{number}]"
        name = field(table, "id", str, where)
        content = field(table, "content", str, where)
        if name:
            markdown = markdown.replace(f"[{name}]({name})", f"\n\n{content}\n\n")
    return tidy(without_images(markdown, lambda alt, target: alt == target or not alt))
