"""All output formats in one pass over the documents of a plan."""

import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from scriptorium.convert.filters import without
from scriptorium.convert.outputs import dolma, files, parquet
from scriptorium.convert.outputs.choices import Format
from scriptorium.convert.outputs.documents import Document, documents, read_settings
from scriptorium.convert.outputs.names import Names
from scriptorium.convert.outputs.options import Options
from scriptorium.convert.plan import corpus_of
from scriptorium.errors import InputError
from scriptorium.files import whole

MANIFEST = "documents.jsonl"
STAMP = "written.json"
"""What outputs and report were made of, where `convert` wrote them: it does not write the same again."""


class Summary(NamedTuple):
    """How many documents are in the outputs, had no page to show, and were dropped for their failed pages."""

    written: int
    unread: int
    dropped: int


class Writer(Protocol):
    """One format being written into its folder."""

    def add(self, document: Document) -> str | None:
        """Add a document; the file in the folder that it is in, None if the format leaves it out."""


def write_outputs(
    plan: Path, store: Path, receipts: list[Path], folder: Path, options: Options | None = None
) -> Summary:
    """Write a folder for each format, and `documents.jsonl` with a line for each document, into `folder`.

    `receipts` are those of all shards. A folder of a format that was there is replaced; those of other formats
    stay as they are. Raises InputError for a plan or receipts that cannot be used.
    """
    options = options or Options()
    settings = read_settings(receipts)
    if not plan.is_file():
        raise InputError(f"plan {plan}: no such file")
    (folder / STAMP).unlink(missing_ok=True)
    counts = Counter[str]()
    with contextlib.ExitStack() as stack:
        manifest = stack.enter_context(
            stack.enter_context(whole(folder / MANIFEST)).open("w", encoding="utf-8", newline="\n")
        )
        writers = {
            name: stack.enter_context(writer(name, stack.enter_context(whole(folder / name)), options))
            for name in options.formats
        }
        for line in lines(documents(plan, store, settings), Names(corpus_of(plan)), writers, options):
            counts["dropped" if line["dropped"] else "written" if line["files"] else "unread"] += 1
            manifest.write(json.dumps(line, ensure_ascii=False) + "\n")
    return Summary(counts["written"], counts["unread"], counts["dropped"])


def writer(name: Format, folder: Path, options: Options) -> Any:
    """The writer of a format, a context manager."""
    if name == "dolma":
        return dolma.Writer(folder, options)
    if name == "parquet":
        return parquet.Writer(folder, options)
    if name == "json":
        return files.PageFiles(folder, options)
    return files.DocumentFiles(folder, options, name)


def lines(
    found: Iterator[Document], names: Names, writers: dict[Format, Writer], options: Options
) -> Iterator[dict[str, Any]]:
    """Write every document that is to be written; what became of it, one line each."""
    for document in found:
        document = without(document, options.filters)
        why = dropped(document, options)
        written: dict[str, str] = {}
        if document.was_read and not why:
            document = replace(document, name=names.give(document.source, document.member, document.sha256))
            places = {name: each.add(document) for name, each in writers.items()}
            written = {name: f"{name}/{place}" for name, place in places.items() if place}
        yield {
            "source": document.source,
            "member": document.member,
            "id": document.id,
            "document": document.sha256,
            "statuses": dict(sorted(Counter(page["status"] for page in document.pages).items())),
            "reason": "" if document.pages[0]["page"] else document.pages[0]["reason"],
            "dropped": why,
            "files": written,
        }


def dropped(document: Document, options: Options) -> str:
    """Why a document is not written although some of it was read; empty if it is."""
    if all(page["status"] == "filtered" for page in document.pages):
        return f"filtered: {document.pages[0]['reason']}"
    share = document.failed / len(document.pages)
    if options.failed != "drop" or not document.was_read or share <= options.failed_budget:
        return ""
    return f"{document.failed} of {len(document.pages)} pages failed"
