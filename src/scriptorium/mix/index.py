"""Generated documents, several pages each, split into single-page pairs with a verdict for every page."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scriptorium.bench.tests import TestError
from scriptorium.errors import InputError
from scriptorium.files import whole
from scriptorium.mix.pairs import Page, Pairs, is_safe, not_utf8, open_pdf
from scriptorium.pages import front_matter
from scriptorium.pages.front_matter import FrontMatterError
from scriptorium.pages.pdf import PdfError, PdfWorker
from scriptorium.progress import track

TRUTHS = "pages.jsonl"

Truth = dict[str, Any]


@dataclass
class Shard:
    """What a shard says of its pages: truths by document and page, and lines that cannot be read."""

    folder: Path
    truths: dict[str, dict[int, list[Truth]]] = field(default_factory=dict)
    bad_lines: dict[int, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Every document that is there or that a truth is about, sorted."""
        return sorted({path.stem for path in (self.folder / "documents").glob("*.pdf")} | set(self.truths))


def split_pages(shards: list[Path], out: Path) -> None:
    """Split the documents of `shards` into the pairs of `out` (docs/reference/files.md), whole or not at all.

    A page that cannot be used is rejected with a reason and never costs its neighbours. Raises InputError
    for a shard that has no `pages.jsonl`.
    """
    read = [read_shard(folder) for folder in shards]
    documents = [(shard, name) for shard in read for name in shard.names]
    seen: set[str] = set()
    with whole(out) as part, PdfWorker() as worker:
        pairs = Pairs(part)
        for shard in read:
            for number, problem in shard.bad_lines.items():
                name = f"{shard.folder.name}-{TRUTHS}-{number}"
                pairs.reject(
                    Page(name, 0, (shard.folder / TRUTHS).as_posix()), f"truth not readable: {problem}"
                )
        for shard, name in track(documents, len(documents), "documents split"):
            if name in seen:
                pairs.reject(
                    Page(name, 0, _source(shard, name).as_posix()), "document twice: in an earlier shard"
                )
                continue
            seen.add(name)
            _split(pairs, worker, _source(shard, name), name, shard.truths.get(name, {}))
        pairs.close()


def read_shard(folder: Path) -> Shard:
    """The truths of a shard's `pages.jsonl`. Raises InputError if the file cannot be opened."""
    shard = Shard(folder)
    try:
        lines = (folder / TRUTHS).read_bytes().split(b"\n")
    except OSError as error:
        raise InputError(
            f"{folder / TRUTHS}: cannot be read ({error.strerror}); make the shard anew"
        ) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            shard.bad_lines[number] = f"line {number} is not JSON ({error})"
            continue
        if problem := _problem(row):
            shard.bad_lines[number] = f"line {number}: {problem}"
        else:
            shard.truths.setdefault(row["document"], {}).setdefault(row["page"], []).append(row)
    return shard


def _problem(row: Any) -> str | None:
    """What keeps a line from being the truth of a page; None if nothing does."""
    if not isinstance(row, dict):
        return "not a JSON object"
    document, page = row.get("document"), row.get("page")
    if not isinstance(document, str) or not document or Path(document).name != document:
        return f"document {document!r}; expected the name of a PDF without its suffix"
    if not isinstance(page, int) or isinstance(page, bool) or page < 1:
        return f"page {page!r}; expected a whole number from 1"
    if not isinstance(row.get("text"), str) or not isinstance(row.get("group", ""), str):
        return "text and group; expected texts"
    if not_utf8(row):
        return "half a surrogate pair; expected UTF-8"
    return None


def _source(shard: Shard, name: str) -> Path:
    return shard.folder / "documents" / f"{name}.pdf"


def _split(pairs: Pairs, worker: PdfWorker, source: Path, name: str, truths: dict[int, list[Truth]]) -> None:
    """Keep or reject every page of one document."""
    sha256, count, problem = open_pdf(source, worker)
    if not is_safe(name):
        problem = "document name not usable: too long, or of characters that not every file system takes"
    if problem:
        pairs.reject(Page(name, 0, source.as_posix(), sha256), problem)
        return
    for number in sorted({*range(1, count + 1), *truths}):
        found = truths.get(number, [])
        group = found[0].get("group", "") if found else ""
        page = Page(name, number, source.as_posix(), sha256, group)
        try:
            pairs.keep(page, *_pair(pairs, worker, page, found, count))
        except (PdfError, Unusable) as error:
            pairs.reject(
                page, error.verdict if isinstance(error, Unusable) else f"page {error.reason}: {error}"
            )


class Unusable(InputError):
    """A page that cannot be used; `verdict` is its reason in `pages.parquet`."""

    def __init__(self, verdict: str) -> None:
        self.verdict = verdict
        super().__init__(verdict)


def _pair(
    pairs: Pairs, worker: PdfWorker, page: Page, found: list[Truth], count: int
) -> tuple[bytes, str, list[dict[str, Any]]]:
    """The one-page PDF, the truth and the tests of a page. Raises Unusable or PdfError."""
    if not found:
        raise Unusable("truth missing: no line of pages.jsonl is about this page")
    if page.page > count:
        raise Unusable(f"page missing: the document has {count} pages")
    if len(found) > 1:
        raise Unusable(f"truth twice: {len(found)} lines of pages.jsonl are about this page")
    text = found[0]["text"]
    try:
        front_matter.decode(text)
        tests = pairs.place(page, found[0].get("tests", []))
    except FrontMatterError as error:
        raise Unusable(f"truth not decoded: {error}") from error
    except TestError as error:
        raise Unusable(f"test not usable: {error}") from error
    return worker.split(Path(page.source), page.page), text, tests
