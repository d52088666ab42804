"""A file for each document, or each page, in the folders of its source."""

from collections.abc import Callable
from pathlib import Path
from typing import Self

from scriptorium.convert.outputs import html, markdown, text
from scriptorium.convert.outputs.documents import Document, page_text
from scriptorium.convert.outputs.joins import join
from scriptorium.convert.outputs.options import Options
from scriptorium.convert.outputs.pages import as_json

Render = Callable[[Document, list[str], Options], str]
RENDERERS: dict[str, tuple[str, Render]] = {
    "markdown": (markdown.ENDING, markdown.render),
    "html": (html.ENDING, html.render),
    "text": (text.ENDING, text.render),
}


class DocumentFiles:
    """Writes a file a document, in UTF-8 with \\n."""

    def __init__(self, folder: Path, options: Options, kind: str) -> None:
        folder.mkdir(parents=True)
        self.folder, self.options = folder, options
        self.ending, self.render = RENDERERS[kind]

    def add(self, document: Document) -> str:
        """Write a document; its path in the folder."""
        texts = [page_text(page) for page in document.pages]
        if self.options.join:
            texts, _ = join(texts, [page["page"] for page in document.pages])
        name = document.name + self.ending
        write(self.folder / name, self.render(document, texts, self.options))
        return name

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""


class PageFiles:
    """Writes a JSON file a page: `<document>_pg<page>.json`."""

    def __init__(self, folder: Path, options: Options) -> None:
        del options  # it has none of its own
        folder.mkdir(parents=True)
        self.folder = folder

    def add(self, document: Document) -> str:
        """Write the pages of a document; the path of the first in the folder."""
        names = [f"{document.name}_pg{page['page']}.json" for page in document.pages]
        for name, page in zip(names, document.pages, strict=True):
            write(self.folder / name, as_json(document, page))
        return names[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""


def write(path: Path, content: str) -> None:
    """Write a new file. Half a surrogate pair, which no UTF-8 file can have, becomes a question mark."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(content.encode("utf-8", "replace"))
