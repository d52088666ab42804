"""Outputs rebuilt from the store: Dolma records and Markdown, the same bytes each time."""

import gzip
import itertools
import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from scriptorium import __version__
from scriptorium.convert.plan import corpus_of, read_plan, shard_of
from scriptorium.errors import InputError
from scriptorium.files import whole
from scriptorium.pages.store import Place, Store, content_key

REVISION = 1
"""Raised when the same store gives other outputs."""

READ = ("ok", "ok_rotated", "blank", "salvaged", "fallback_text")
FRONT = ("primary_language", "is_rotation_valid", "rotation_correction", "is_table", "is_diagram")

Document = tuple[str, list[dict[str, Any]]]


def write_outputs(plan: Path, store: Path, receipts: list[Path], dolma: Path, markdown: Path) -> None:
    """Write `dolma/<shard>.jsonl.gz` and `markdown/<source>.md` for every document with a page that was read.

    `receipts` are those of all shards; a document goes to the shard of its first page.
    """
    documents = list(joined(plan, store, read_settings(receipts)))
    shards = len(receipts)
    with whole(dolma) as part:
        part.mkdir()
        for shard in range(shards):
            mine = [d for d in documents if shard_of(d[1][0]["document"], 1, shards) == shard]
            write_dolma(part / f"{shard:05d}.jsonl.gz", mine)
    with whole(markdown) as part:
        part.mkdir()
        write_markdown(part, documents, corpus_of(plan))


def read_settings(receipts: list[Path]) -> dict[str, Any]:
    """The settings that all shards were read with. Raises InputError if they differ."""
    if not receipts:
        raise InputError("shard receipts: none given")
    settings = [json.loads(path.read_text(encoding="utf-8"))["settings"] for path in receipts]
    for path, found in zip(receipts, settings, strict=True):
        if found != settings[0]:
            raise InputError(f"{path}: read with other settings than {receipts[0]}; convert that shard again")
    return settings[0]


def pages_of(plan: Path, store: Path, settings: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every row of the plan with what the store says of it; pages without a result stay pending."""
    rows = read_plan(plan)
    keys = [content_key(row["document"], row["page"], settings) for row in rows]
    pages = Store(store)
    places: dict[str, Place] = pages.find(keys)
    for row, key in zip(rows, keys, strict=True):
        yield row | pages.read(places[key]) if key in places else row


def joined(plan: Path, store: Path, settings: dict[str, Any]) -> Iterator[Document]:
    """Source and pages of every document of which at least one page was read."""
    for source, group in itertools.groupby(pages_of(plan, store, settings), key=lambda row: row["source"]):
        pages = list(group)
        if any(page["status"] in READ for page in pages):
            yield source, pages


def write_dolma(path: Path, documents: list[Document]) -> None:
    """Write one Dolma record a document. No name and no time in the gzip header: equal input, equal bytes."""
    with path.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as file:
        for source, pages in documents:
            file.write(json.dumps(dolma_record(source, pages), ensure_ascii=False).encode() + b"\n")


def dolma_record(source: str, pages: list[dict[str, Any]]) -> dict[str, Any]:
    """The record of one document in the layout that olmOCR's tools read, plus each page's status.

    Spans are [start, end, page] in characters; a page's text is followed by one newline, which belongs to its
    span; the last page's is not. There are no dates: they would make every run's bytes differ.
    """
    text, spans = "", []
    for page in pages:
        start = len(text)
        text += page_text(page) + ("\n" if page_text(page) and page is not pages[-1] else "")
        spans.append([start, len(text), page["page"]])
    fronts = [page.get("front") or {} for page in pages]
    return {
        "id": pages[0]["document"],
        "text": text,
        "source": "scriptorium",
        "metadata": {
            "Source-File": source,
            "scriptorium-version": __version__,
            "pdf-total-pages": len(pages),
            "total-input-tokens": sum(page.get("prompt_tokens", 0) for page in pages),
            "total-output-tokens": sum(page.get("tokens", 0) for page in pages),
            "total-fallback-pages": sum(page["status"] == "fallback_text" for page in pages),
        },
        "attributes": {
            "pdf_page_numbers": spans,
            **{key: [front.get(key) for front in fronts] for key in FRONT},
            "page_status": [page["status"] for page in pages],
        },
    }


def write_markdown(folder: Path, documents: list[Document], corpus: str) -> None:
    """Write each document's text under its own path in the corpus, pages joined by a blank line."""
    names = [markdown_name(source, corpus) for source, _ in documents]
    taken = {parent for name in names for parent in name.parents}
    for name, (_, pages) in zip(names, documents, strict=True):
        if name in taken:  # a.pdf and a.PDF, say, or a folder that is called a.md
            name = name.with_stem(f"{name.stem}-{pages[0]['document'][:8]}")
        taken.add(name)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "\n\n".join(text for text in map(page_text, pages) if text)
        path.write_text(text + "\n" if text else "", encoding="utf-8", newline="\n")


def markdown_name(source: str, corpus: str) -> PurePosixPath:
    """The path of a source's Markdown: .pdf becomes .md, to any other name .md is added."""
    path = PurePosixPath(source).relative_to(corpus)
    return path.with_suffix(".md") if path.suffix.lower() == ".pdf" else path.with_name(f"{path.name}.md")


def page_text(page: dict[str, Any]) -> str:
    """The text of a page that was read, without white space at its ends; empty for any other page."""
    return page["text"].strip() if page["status"] in READ else ""
