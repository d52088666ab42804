"""A candidate of what an olmOCR pipeline, or ours, wrote into its workspace."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from scriptorium.bench.prepare.folder import check_name, pdfs
from scriptorium.errors import ConfigError, InputError
from scriptorium.files import write_json, write_text
from scriptorium.pages.pdf import PdfError, PdfWorker
from scriptorium.progress import track

ENDINGS = ("*.jsonl", "*.jsonl.gz")
NO_TEXT = ("gave_up", "unreadable", "pending")
"""What our own page_status calls a page without a text."""

Texts = dict[tuple[str, int], str | None]
"""PDF's path below pdfs/ and page to the text; None for a page that failed."""


class Summary(NamedTuple):
    """How many pages have a text, how many have none, and the sources that are no PDF of the bench."""

    written: int
    missing: int
    unknown: list[str]


def from_workspace(workspace: Path, bench: Path, candidate: str, repeat: int = 1) -> Summary:
    """Write `<bench>/<candidate>/<pdf>_pg<page>_repeat<repeat>.md` for every page that the workspace has.

    Pages of the bench that it lacks get no Markdown, but a sidecar with the state `missing`. Other repeats of
    the candidate stay. Raises InputError for a workspace without results, ConfigError if the repeat is there.
    """
    check_name(candidate)
    home = bench / candidate
    if any(home.rglob(f"*_repeat{repeat}.md")) or any(home.rglob(f"*_repeat{repeat}.json")):
        raise ConfigError(
            f"{home}: has repeat {repeat} already; take --repeat {repeat + 1} or another --name"
        )
    names = pdfs(bench)
    texts, unknown = read_texts(workspace, names)
    written = missing = 0
    with PdfWorker() as worker:
        for name in track(names, len(names), "documents written"):
            for page in range(1, _count(bench / "pdfs" / name, worker) + 1):
                stem = home / f"{name.removesuffix('.pdf')}_pg{page}_repeat{repeat}"
                text = texts.get((name, page))
                if text is None:
                    state = "error" if (name, page) in texts else "missing"
                    error = "no result in the workspace" if state == "missing" else "the page gave no text"
                    write_json(stem.with_name(f"{stem.name}.json"), {"state": state, "error": error})
                    missing += 1
                else:
                    write_text(stem.with_name(f"{stem.name}.md"), text)
                    written += 1
    return Summary(written, missing, unknown)


def _count(path: Path, worker: PdfWorker) -> int:
    try:
        return len(worker.pages(path))
    except PdfError:
        return 1


def read_texts(workspace: Path, names: list[str]) -> tuple[Texts, list[str]]:
    """The text of every page, and the sources that are none of the PDFs `names`. Raises InputError.

    Of two results for one page the one further down counts: a pipeline that was started again adds to its files.
    """
    folders = [workspace / "results", workspace / "dolma", workspace]
    files = next((found for each in folders if (found := _files(each))), [])
    if not files:
        raise InputError(
            f"{workspace}: no results/*.jsonl in it; name the folder that the pipeline worked in"
        )
    find, texts, unknown = Finder(names), Texts(), set()
    for path in files:
        for number, record in _records(path):
            try:
                source = record["metadata"]["Source-File"]
                pages = list(_pages(record))
            except (KeyError, TypeError, ValueError) as error:
                raise InputError(
                    f"{path}:{number}: not a document of a pipeline (text, metadata.Source-File): {error!r}"
                ) from error
            name = find(str(source))
            if name is None:
                unknown.add(str(source))
                continue
            texts |= {(name, page): text for page, text in pages}
    return texts, sorted(unknown)


def _files(folder: Path) -> list[Path]:
    return sorted(path for ending in ENDINGS for path in folder.glob(ending))


def _records(path: Path) -> Iterator[tuple[int, Any]]:
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for number, line in enumerate(data.decode("utf-8").split("\n"), 1):
            if line.strip():
                yield number, json.loads(line)
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{path}: not JSON lines in UTF-8: {error}") from error


def _pages(record: dict[str, Any]) -> Iterator[tuple[int, str | None]]:
    """Page numbers and texts of a document; one that says nothing of pages is page 1."""
    text = record["text"]
    if not isinstance(text, str):
        raise TypeError(f"text is {type(text).__name__}")
    attributes = record.get("attributes") or {}
    spans = attributes.get("pdf_page_numbers") or [[0, len(text), 1]]
    states = attributes.get("page_status") or [None] * len(spans)
    for (start, end, page), state in zip(spans, states, strict=True):
        yield int(page), None if state in NO_TEXT else text[start:end].removesuffix("\n")


class Finder:
    """Which PDF of a bench a source is: by its path after `pdfs/`, else by a name that only one PDF has."""

    def __init__(self, names: list[str]) -> None:
        self.names = set(names)
        self.by_name: dict[str, list[str]] = {}
        for name in names:
            self.by_name.setdefault(PurePosixPath(name).name, []).append(name)

    def __call__(self, source: str) -> str | None:
        """The PDF's path below pdfs/, or None."""
        parts = PurePosixPath(source.replace("\\", "/")).parts
        for start in range(len(parts)):
            tail = "/".join(parts[start:])
            if tail in self.names and (start == 0 or parts[start - 1] == "pdfs"):
                return tail
        alike = self.by_name.get(parts[-1], []) if parts else []
        return alike[0] if len(alike) == 1 and "pdfs" not in parts else None
