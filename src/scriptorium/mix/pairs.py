"""A folder of single-page pairs in the bench layout, with a verdict for every page that was offered.

`pdfs/<document>_pg<page>.pdf` and `.md`, `<category>.jsonl` (tests), `pages.parquet` (one row a page).
"""

import hashlib
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scriptorium.bench.tests import TestError, check_test
from scriptorium.errors import InputError
from scriptorium.files import sha256_file
from scriptorium.pages.pdf import PageSize, PdfError, PdfWorker

Test = dict[str, Any]

COLUMNS = pa.schema(
    [
        ("id", pa.string()),
        ("document", pa.string()),
        ("page", pa.int32()),
        ("pdf", pa.string()),
        ("md", pa.string()),
        ("source", pa.string()),
        ("sha256", pa.string()),
        ("verdict", pa.string()),
        ("reason", pa.string()),
        ("group", pa.string()),
    ]
)
"""The columns of `pages.parquet`."""

LONGEST = 200
"""Bytes in a file's name; most file systems take 255, and a suffix is still to come."""

CATEGORY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Page:
    """Where a page comes from. `page` counts from 1; 0 stands for a document that could not be opened."""

    document: str
    page: int
    source: str
    sha256: str = ""
    group: str = ""

    @property
    def id(self) -> str:
        return f"{self.document}_pg{self.page}"


class Pairs:
    """Writes the pairs of one folder. `close` writes tests and index, and says what was kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[dict[str, Any]] = []
        self.tests: dict[str, list[Test]] = {}
        self.ids: set[tuple[str, str]] = set()
        (folder / "pdfs").mkdir(parents=True)

    def reject(self, page: Page, reason: str) -> None:
        """Note that a page is left out, and why."""
        self.rows.append(row_of(page, "", "", "rejected", reason))

    def keep(self, page: Page, pdf: bytes, text: str | None, tests: list[Test]) -> None:
        """Write a page (a one-page PDF), its truth (None: it has none, only tests) and its placed tests.

        Each test says its `category`; its `pdf` is `pdf_name(page)`.
        """
        path = self.folder / "pdfs" / pdf_name(page)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pdf)
        if text is not None:
            path.with_name(f"{path.name.removesuffix('.pdf')}.md").write_text(text, "utf-8", newline="\n")
        for test in tests:
            category = test["category"]
            self.ids.add((category, test["id"]))
            self.tests.setdefault(category, []).append({k: v for k, v in test.items() if k != "category"})
        name = f"pdfs/{page.id}"
        self.rows.append(row_of(page, f"{name}.pdf", "" if text is None else f"{name}.md", "kept", ""))

    def place(self, page: Page, tests: Any) -> list[Test]:
        """A page's tests with `pdf` and `page` filled in. Raises TestError for one that cannot be used."""
        if not isinstance(tests, list):
            raise TestError("tests are a JSON list")
        placed = [self._place(page, test) for test in tests]
        ids = [(test["category"], test["id"]) for test in placed]
        if twice := [key for key, count in Counter(ids).items() if count > 1 or key in self.ids]:
            raise TestError(f"{twice[0][1]!r} is used twice in category {twice[0][0]}", field="id")
        return placed

    def sizes(self, page: Page, pdf: bytes, worker: PdfWorker) -> list[PageSize]:
        """The pages' sizes in points of a PDF that is still in memory. Raises PdfError."""
        path = self.folder / f".{hashlib.sha256(page.source.encode()).hexdigest()}.pdf"
        try:
            path.write_bytes(pdf)
            return worker.pages(path)
        except PdfError as error:  # named by where it came from: the path here is another in every run
            raise PdfError(error.reason, str(error).replace(str(path), page.source)) from error
        finally:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Write the tests, one file a category, and `pages.parquet`, sorted by id."""
        for category, tests in self.tests.items():
            lines = "".join(json.dumps(test, ensure_ascii=False) + "\n" for test in tests)
            (self.folder / f"{category}.jsonl").write_text(lines, "utf-8", newline="\n")
        rows = sorted(self.rows, key=lambda row: (row["id"], row["source"], row["reason"]))
        pq.write_table(pa.Table.from_pylist(rows, COLUMNS), self.folder / "pages.parquet", compression="zstd")
        reasons = Counter(row["reason"].partition(":")[0] for row in rows if row["verdict"] == "rejected")
        print(f"{len(rows) - reasons.total()} pages kept, {reasons.total()} rejected", file=sys.stderr)
        for reason, count in sorted(reasons.items()):
            print(f"rejected {count}: {reason}", file=sys.stderr)

    def _place(self, page: Page, test: Any) -> Test:
        if not isinstance(test, dict):
            raise TestError("a test is a JSON object")
        category = test.get("category")
        if not isinstance(category, str) or not CATEGORY.fullmatch(category):
            raise TestError(
                f"must name a .jsonl file (letters, digits, _ and -), found {category!r}", field="category"
            )
        placed = {"pdf": pdf_name(page), "page": 1} | {
            k: v for k, v in test.items() if k not in ("pdf", "page")
        }
        check_test(placed)
        return placed


def row_of(page: Page, pdf: str, md: str, verdict: str, reason: str) -> dict[str, Any]:
    """The row of `pages.parquet` for a page, kept or rejected."""
    row = {**vars(page), "id": page.id, "pdf": pdf, "md": md, "verdict": verdict, "reason": reason}
    return {key: _utf8(value) if isinstance(value, str) else value for key, value in row.items()}


def _utf8(text: str) -> str:
    """The text, with what UTF-8 cannot hold (from a file's or a member's name) escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def not_utf8(value: Any) -> bool:
    """Whether a JSON value holds text that UTF-8 cannot: half a surrogate pair, written as an escape."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def open_pdf(path: Path, worker: PdfWorker) -> tuple[str, int, str]:
    """SHA-256, number of pages and what is wrong of a PDF: "", if nothing is."""
    sha256 = ""
    try:
        if path.is_file():  # a pipe would be read for ever
            sha256 = sha256_file(path)
        return sha256, len(worker.pages(path)), ""
    except OSError as error:
        return sha256, 0, f"document missing: {path}: cannot be read ({error.strerror})"
    except PdfError as error:
        return sha256, 0, f"document {error.reason}: {error}"


def is_safe(name: str) -> bool:
    """Whether a name with slashes stays below its folder, and each part is one that file systems take."""
    parts = name.split("/")
    return all(part not in ("", ".", "..") and len(part.encode()) <= LONGEST for part in parts) and not (
        set(name) & {"\0", "\\"}
    )


def pdf_name(page: Page) -> str:
    """The page's file below `pdfs/`, as its tests name it."""
    return f"{page.id}.pdf"


def kept_pages(folder: Path) -> list[dict[str, Any]]:
    """The kept rows of a folder's `pages.parquet`, sorted by id. Raises InputError if there are none."""
    path = folder / "pages.parquet"
    try:
        rows = pq.read_table(path).to_pylist()
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{path}: cannot be read ({error}); make the folder anew") from error
    if missing := [name for name in COLUMNS.names if rows and name not in rows[0]]:
        raise InputError(f"{path}: no column {missing[0]!r}; make the folder anew")
    kept = [row for row in rows if row["verdict"] == "kept"]
    if not kept:
        raise InputError(f"{path}: no page is kept, of {len(rows)}; its column `reason` says why")
    return sorted(kept, key=lambda row: row["id"])
