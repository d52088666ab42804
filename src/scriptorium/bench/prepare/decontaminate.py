"""Pages of a bench that a model may have been trained on: the same URL, or long runs of the same words."""

import gzip
import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scriptorium.bench.lint.single import texts_of
from scriptorium.bench.prepare.folder import bring, new_bench, pdfs, read_lines, write_lines
from scriptorium.bench.tests import Test, load_tests
from scriptorium.errors import InputError
from scriptorium.files import write_json
from scriptorium.pages.pdf import PdfError, PdfWorker
from scriptorium.progress import track

WORDS = 13
"""Words in a row that two texts do not share by chance."""
SHARE = 0.1
"""Of a page's runs of words; below it are shared headings, licences and the like."""
SHOWN = 5
"""Sources that a report names for a page."""

_WORD = re.compile(r"\w+")

Place = tuple[str, int]
"""A PDF's path below pdfs/ and a page."""


@dataclass
class PageOverlap:
    """What a page shares with the texts: its runs of words, those found, by source, and URLs in common."""

    shingles: int = 0
    found: set[str] = field(default_factory=set)
    sources: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    urls: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """The part of the page's runs of words that were found."""
        return len(self.found) / self.shingles if self.shingles else 0.0


def decontaminate(
    root: Path, against: Path, report: Path, share: float = SHARE, out: Path | None = None
) -> dict:
    """Compare a bench's pages with training texts and write the report; returns it.

    `against`: a folder of .md, .jsonl or .jsonl.gz files, or one of them. A page overlaps if a URL of its tests
    is one of a text, or if `share` of its runs of 13 words (of tests and text layer) stand in texts. `out`: a
    new bench without the pages that overlap. Raises InputError, TestError, ConfigError.
    """
    tests = [test for path in sorted(root.glob("*.jsonl")) for test in load_tests(path)]
    pages, where = _shingles(root, tests)
    urls: dict[str, set[Place]] = defaultdict(set)
    for test in tests:
        if test["url"]:
            urls[plain_url(test["url"])].add((test["pdf"], test["page"]))
    count = 0
    for count, (source, text, links) in enumerate(_texts(against), 1):  # noqa: B007
        _compare(source, text, links, pages, where, urls)
    if not count:
        raise InputError(f"{against}: no .md, .jsonl or .jsonl.gz text in it; name the training texts")
    found = _report(pages, share, count)
    write_json(report, found)
    if out:
        bad = {(page["pdf"], page["page"]) for page in found["pages"] if page["overlaps"]}
        _write_clean(root, out, bad, found["settings"])
    return found


def shingles(text: str) -> Iterator[str]:
    """The runs of WORDS words of a text, lower case, without marks, in its order."""
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    for at in range(len(words) - WORDS + 1):
        yield " ".join(words[at : at + WORDS])


def plain_url(url: str) -> str:
    """A URL without scheme, `www.`, fragment and closing slash; host and path only differ where pages do."""
    parts = urlsplit(url.strip())
    host = (parts.hostname or "").removeprefix("www.")
    query = f"?{parts.query}" if parts.query else ""
    return f"{host}{parts.path.rstrip('/')}{query}"


def _shingles(root: Path, tests: list[Test]) -> tuple[dict[Place, PageOverlap], dict[str, list[Place]]]:
    """The pages that have tests, and for each run of words the pages where it stands."""
    texts: dict[Place, list[str]] = defaultdict(list)
    for test in tests:
        if test["type"] != "absent":
            texts[test["pdf"], test["page"]] += texts_of(test).values()
        else:
            texts[test["pdf"], test["page"]] += []
    pages: dict[Place, PageOverlap] = {}
    where: dict[str, list[Place]] = defaultdict(list)
    with PdfWorker() as worker:
        for place, asked in track(sorted(texts.items()), len(texts), "pages read"):
            runs = {run for text in [*asked, _layer(root, place, worker)] for run in shingles(text)}
            pages[place] = PageOverlap(len(runs))
            for run in runs:
                where[run].append(place)
    return pages, where


def _layer(root: Path, place: Place, worker: PdfWorker) -> str:
    try:
        return worker.text(root / "pdfs" / place[0], place[1])
    except PdfError:
        return ""  # the report counts the page as unchecked if its tests are short too


def _compare(
    source: str,
    text: str,
    links: list[str],
    pages: dict[Place, PageOverlap],
    where: dict[str, list[Place]],
    urls: dict[str, set[Place]],
) -> None:
    for run in set(shingles(text)) & where.keys():
        for place in where[run]:
            pages[place].found.add(run)
            pages[place].sources[source] += 1
    for link in links:
        for place in urls.get(plain_url(link), ()):
            pages[place].urls.append(link)


def _texts(against: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Name, text and URLs of each training text. Raises InputError."""
    files = sorted(against.rglob("*")) if against.is_dir() else [against]
    files = [path for path in files if path.is_file() and path.name.endswith((".md", ".jsonl", ".jsonl.gz"))]
    for path in track(files, len(files), "texts compared"):
        name = path.relative_to(against).as_posix() if path != against else path.name
        try:
            if path.suffix == ".md":
                yield name, path.read_text(encoding="utf-8", errors="replace"), []
            else:
                yield from _records(path, name)
        except (OSError, EOFError, ValueError) as error:
            raise InputError(f"{path}: cannot be read as texts: {error}") from error


def _records(path: Path, name: str) -> Iterator[tuple[str, str, list[str]]]:
    with (
        gzip.open(path, "rt", encoding="utf-8")
        if path.suffix == ".gz"
        else path.open(encoding="utf-8") as file
    ):
        for number, line in enumerate(file, 1):
            if line.strip():
                record = json.loads(line)
                yield f"{name}:{number}", *_fields(record if isinstance(record, dict) else {})


def _fields(record: dict[str, Any]) -> tuple[str, list[str]]:
    """The text of a record, and what in it or its metadata is a URL."""
    metadata = record.get("metadata")
    values = [*record.values(), *(metadata.values() if isinstance(metadata, dict) else ())]
    links = [value for value in values if isinstance(value, str) and re.match(r"https?://\S+\Z", value)]
    texts = [record[key] for key in ("text", "natural_text", "markdown") if isinstance(record.get(key), str)]
    return "\n".join(texts), links


def _report(pages: dict[Place, PageOverlap], share: float, count: int) -> dict[str, Any]:
    rows = [
        {
            "pdf": pdf,
            "page": number,
            "overlaps": bool(page.urls) or (page.found != set() and page.share >= share),
            "share": round(page.share, 4),
            "runs": page.shingles,
            "found": len(page.found),
            "sources": sorted(page.sources, key=lambda source: (-page.sources[source], source))[:SHOWN],
            "urls": sorted(set(page.urls)),
        }
        for (pdf, number), page in sorted(pages.items())
    ]
    return {
        "settings": {"words": WORDS, "share": share, "texts": count},
        "counts": {
            "pages": len(rows),
            "overlap": sum(row["overlaps"] for row in rows),
            "unchecked": sum(not row["runs"] for row in rows),
        },
        "pages": rows,
    }


def _write_clean(root: Path, out: Path, bad: set[Place], settings: dict[str, Any]) -> None:
    """The bench without the tests of some pages, and without PDFs of which no tested page is left."""
    with new_bench(root, out, {"made_from": root.name, "by": "decontaminate", **settings}) as part:
        named: set[str] = set()
        for path in sorted(root.glob("*.jsonl")):
            kept = []
            for line in read_lines(path):
                place = (line.record["pdf"], line.record["page"]) if line.record else None
                if place not in bad:
                    kept.append(line.raw)
                    named |= {place[0]} if place else set()
            write_lines(part / path.name, kept)
        lost = {pdf for pdf, _ in bad} - named
        for name in pdfs(root):
            if name not in lost:
                bring(root / "pdfs" / name, part / "pdfs" / name)
