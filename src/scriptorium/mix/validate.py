"""Anyone's pairs looked through before a model learns from them: each problem with its file and what to do."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from scriptorium.bench.tests import TestError, check_test, records
from scriptorium.files import sha256_file
from scriptorium.mix.filters import LANGUAGE_SURE
from scriptorium.mix.offered import Offered, offered
from scriptorium.mix.repairs import repair
from scriptorium.mix.sieve import URLS
from scriptorium.mix.text_rules import judge
from scriptorium.pages import front_matter, signals
from scriptorium.pages.front_matter import FrontMatter, FrontMatterError
from scriptorium.pages.language import identify, same
from scriptorium.pages.pdf import PdfError, PdfWorker
from scriptorium.progress import track

REPETITION = 0.2
"""The share of words that only repeat from which there is a warning."""


@dataclass(frozen=True)
class Finding:
    """A problem of a page or a file. An `error` keeps a page from being learnt from, a `warning` does not."""

    id: str
    level: str
    rule: str
    reason: str


def validate(folder: Path) -> tuple[int, list[Finding]]:
    """How many pages a folder offers, and what is wrong with them, in the order of ids.

    Pages that were left out before (`pages.parquet`) are not looked at again. Raises InputError for a folder without
    pages, HostError where formulas cannot be drawn here.
    """
    pages = [page for page in offered(folder) if not page.reason]
    found: list[Finding] = []
    texts: dict[str, list[str]] = defaultdict(list)
    bytes_of: dict[str, list[str]] = defaultdict(list)
    with PdfWorker() as worker:
        for page in track(pages, len(pages), "pages validated"):
            text, problems = _page(page, worker)
            found += problems
            if text:
                texts[sha256(" ".join(signals.words(text)).encode()).hexdigest()].append(page.id)
            if page.pdf and page.pdf.is_file():
                bytes_of[sha256_file(page.pdf)].append(page.id)
    for what, groups in (("text", texts), ("PDF", bytes_of)):
        found += [
            Finding(name, "warning", "duplicates", f"the same {what} as {names[0]}")
            for names in groups.values()
            for name in names[1:]
        ]
    found += _tests(folder)
    return len(pages), sorted(found, key=lambda each: (each.id, each.level, each.rule, each.reason))


def _page(page: Offered, worker: PdfWorker) -> tuple[str | None, list[Finding]]:
    """The text of a page, and what is wrong with it."""
    found = [Finding(page.id, "error", rule, reason) for rule, reason in _pdf(page, worker)]
    if page.md is None:
        without = Finding(page.id, "error", "truth", "no Markdown beside the PDF; write X.md beside X.pdf")
        return None, found if page.reason or _tests_alone(page) else [*found, without]
    try:
        front, text = front_matter.decode(page.md.read_bytes().decode("utf-8"))
    except (OSError, UnicodeDecodeError, FrontMatterError) as error:
        return None, [*found, Finding(page.id, "error", "truth", str(error))]
    if text:
        found += [Finding(page.id, "warning", rule, reason) for rule, reason in _text(front, text)]
    if front.rotation_correction or not front.is_rotation_valid:
        found.append(Finding(page.id, "warning", "rotated", f"by {front.rotation_correction} degrees"))
    return text, found


def _tests_alone(page: Offered) -> bool:
    """Whether a page of a folder with an index need have no truth: it has tests."""
    return page.id != page.document


def _pdf(page: Offered, worker: PdfWorker) -> Iterator[tuple[str, str]]:
    if page.pdf is None:
        yield "pdf", "no PDF beside the Markdown; write X.pdf beside X.md"
        return
    try:
        sizes = worker.pages(page.pdf)
    except PdfError as error:
        yield "pdf", f"{error.reason}: {error}"
        return
    if len(sizes) != 1:
        yield "pdf", f"{len(sizes)} pages; a pair has one: split the document"
    elif min(sizes[0]) <= 0:
        yield "pdf", "the page has no size"


def _text(front: FrontMatter, text: str) -> Iterator[tuple[str, str]]:
    """What filters would say of a text."""
    mended, counts = repair(text)
    for name, count in counts.items():
        yield f"repair {name}", f"{count} places can be mended: scriptorium data filter --filter repair"
    rule, reason = judge(mended)
    if rule:
        yield rule, reason
    share = signals.repetition(signals.words(text))
    if share > REPETITION:
        yield "repetition", f"{share:.0%} of the words only repeat"
    language = identify(signals.TAG.sub(" ", text))
    label = front.primary_language
    if label and language.code and language.confidence >= LANGUAGE_SURE and not same(label, language.code):
        yield "language", f"labelled {label}, reads as {language.code} ({language.confidence})"


def _tests(folder: Path) -> Iterator[Finding]:
    """What is wrong with the tests of a folder in the bench layout."""
    if not (folder / "pdfs").is_dir():
        return
    for path in sorted(folder.glob("*.jsonl")):
        if path.name == URLS:
            continue
        for line, record in records(path):
            try:
                test = check_test(_good(record), path, line)
            except TestError as error:
                yield Finding(path.name, "error", "tests", str(error))
                continue
            if not (folder / "pdfs" / test["pdf"]).is_file():
                yield Finding(path.name, "error", "tests", f"line {line}: {test['pdf']} is not in pdfs/")


def _good(record: dict | TestError) -> dict:
    if isinstance(record, TestError):
        raise record
    return record


def lines(found: list[Finding]) -> str:
    """The findings as JSON lines."""
    return "".join(json.dumps(vars(each), ensure_ascii=False) + "\n" for each in found)


def summary(pages: int, found: list[Finding], show: int) -> Iterator[str]:
    """The findings by level and rule, `show` of each, as lines to print."""
    kinds: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for each in found:
        kinds[each.level, each.rule].append(each)
    for (level, rule), same_kind in sorted(kinds.items()):
        yield f"{level} {rule}: {len(same_kind)}"
        for each in same_kind[:show]:
            yield f"  {each.id}: {each.reason}"
    bad = len({each.id for each in found if each.level == "error"})
    yield f"{pages} pages, {bad} with errors, {len(found)} findings"
