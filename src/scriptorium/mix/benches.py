"""Data sets laid out as olmOCR-bench: `bench_data/*.jsonl` with tests, `bench_data/pdfs/**` with pages.

A truth may lie beside them as a candidate's perfect answer, in `bench_data/claude_original/`; a set without
it has pages with tests alone.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scriptorium.errors import InputError
from scriptorium.mix.pairs import CATEGORY, Page, Pairs, is_safe, not_utf8, open_pdf, pdf_name
from scriptorium.pages import front_matter
from scriptorium.pages.front_matter import FrontMatterError
from scriptorium.pages.pdf import PdfError, PdfWorker
from scriptorium.progress import track

WHOLE = ("train", "test")
"""Names of a split that stand for every category; another name is a category's."""

TRUTHS = "claude_original"

Test = dict[str, Any]


@dataclass
class Tests:
    """The tests of each PDF and page, and the lines that are none."""

    found: dict[str, dict[int, list[Test]]] = field(default_factory=dict)
    bad_lines: list[tuple[Path, int, str]] = field(default_factory=list)


def unpack(root: Path, split: str, pairs: Pairs, worker: PdfWorker) -> None:
    """Keep or reject every page of a split; tests stay as they are but for `pdf` and `page`.

    `root`: the folder `bench_data`. Raises InputError for a split that is not there.
    """
    files = _files(root, split)
    tests = Tests()
    for path in files:
        _read(path, tests)
    for path, number, problem in tests.bad_lines:
        pairs.reject(Page(f"{path.stem}-{number}", 0, path.name), f"test not readable: {problem}")
    names = set(tests.found)
    if split in WHOLE:
        names |= {path.relative_to(root / "pdfs").as_posix() for path in (root / "pdfs").rglob("*.pdf")}
    for name in track(sorted(names), len(names), "documents unpacked"):
        _unpack_pdf(root, name, tests.found.get(name, {}), pairs, worker)


def _files(root: Path, split: str) -> list[Path]:
    """The test files of a split."""
    files = sorted(root.glob("*.jsonl"))
    chosen = [path for path in files if split in (path.stem, *WHOLE)]
    if not chosen:
        names = ", ".join([*WHOLE, *(path.stem for path in files)])
        raise InputError(f"{root}: no split {split!r}; there are {names}")
    return chosen


def _read(path: Path, tests: Tests) -> None:
    """Add the tests of one file, each with its category."""
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            test = json.loads(line)
        except (ValueError, RecursionError) as error:
            tests.bad_lines.append((path, number, f"{path.name}:{number} is not JSON ({error})"))
            continue
        if problem := _problem(test, path.stem):
            tests.bad_lines.append((path, number, f"{path.name}:{number}: {problem}"))
            continue
        pages = tests.found.setdefault(test["pdf"], {})
        pages.setdefault(test["page"], []).append(test | {"category": path.stem})


def _problem(test: Any, category: str) -> str | None:
    if not CATEGORY.fullmatch(category):
        return f"category {category!r}; expected letters, digits, _ and -"
    if not isinstance(test, dict) or not isinstance(test.get("id"), str):
        return "not a JSON object with an id"
    pdf, page = test.get("pdf"), test.get("page")
    if not isinstance(pdf, str) or not pdf.endswith(".pdf") or not is_safe(pdf):
        return f"pdf {pdf!r}; expected the name of a file below pdfs/"
    if not isinstance(page, int) or isinstance(page, bool) or page < 1:
        return f"page {page!r}; expected a whole number from 1"
    if not_utf8(test):
        return "half a surrogate pair; expected UTF-8"
    return None


def _unpack_pdf(root: Path, name: str, tests: dict[int, list[Test]], pairs: Pairs, worker: PdfWorker) -> None:
    """Keep or reject the pages of one PDF: those with tests, or all if none has any."""
    path, document, source = root / "pdfs" / name, name.removesuffix(".pdf"), f"bench_data/pdfs/{name}"
    sha256, count, problem = open_pdf(path, worker)
    if not is_safe(name):
        problem = "document name not usable: too long, or of characters that not every file system takes"
    if problem:
        return pairs.reject(Page(document, 0, source, sha256), problem)
    for number in sorted(tests) or range(1, count + 1):
        page = Page(document, number, source, sha256)
        if number > count:
            pairs.reject(page, f"page missing: the document has {count} pages")
            continue
        try:
            pdf = path.read_bytes() if count == 1 else worker.split(path, number)
            text = _truth(root / TRUTHS / f"{document}_pg{number}_repeat1.md")
        except PdfError as error:
            pairs.reject(page, f"page {error.reason}: {error}")
        except (FrontMatterError, UnicodeDecodeError) as error:
            pairs.reject(page, f"truth not decoded: {error}")
        else:
            placed = [test | {"pdf": pdf_name(page), "page": 1} for test in tests.get(number, [])]
            pairs.keep(page, pdf, text, placed)
    return None


def _truth(path: Path) -> str | None:
    """The truth of a page; None if the set has none."""
    if not path.is_file():
        return None
    text = path.read_bytes().decode("utf-8")
    front_matter.decode(text)
    return text
