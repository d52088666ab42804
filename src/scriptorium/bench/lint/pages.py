"""What is wrong between a bench's tests and its PDFs."""

from collections.abc import Iterator
from pathlib import Path

from scriptorium.bench.lint.entries import Placed
from scriptorium.bench.lint.findings import Finding
from scriptorium.pages.pdf import PdfError, PdfWorker
from scriptorium.progress import track

Sizes = dict[str, int]
"""Path of a PDF below pdfs/ to its number of pages; 0 for one that cannot be opened."""


def read_pdfs(root: Path) -> tuple[Sizes, list[Finding]]:
    """The PDFs of a bench with their numbers of pages, and those that cannot be opened."""
    pdfs = sorted((root / "pdfs").rglob("*.pdf"))
    sizes: Sizes = {}
    findings = []
    with PdfWorker() as worker:
        for path in track(pdfs, len(pdfs), "PDFs opened"):
            name = path.relative_to(root / "pdfs").as_posix()
            try:
                found = worker.pages(path)
                sizes[name] = len(found)
                damaged = [number for number, size in enumerate(found, 1) if not min(size) > 0]
            except PdfError as error:
                sizes[name], damaged = 0, []
                problem = str(error).removeprefix(f"{path}: ")
                findings.append(_about(name, f"cannot be opened ({error.reason}): {problem}; replace it"))
            for number in damaged:
                findings.append(_about(name, f"page {number} is damaged or has no area; replace the PDF"))
    for path in sorted((root / "pdfs").rglob("*")):
        if path.is_file() and path.suffix != ".pdf":
            name = path.relative_to(root).as_posix()
            findings.append(
                Finding("pdf_ending", name, None, None, "does not end in .pdf: it is no page of the bench")
            )
    return sizes, findings


def _about(name: str, message: str) -> Finding:
    return Finding("pdf_unreadable", f"pdfs/{name}", None, None, message)


def check_places(placed: list[Placed], sizes: Sizes) -> Iterator[Finding]:
    """Tests of PDFs or pages that are not there, and pages without a test."""
    for entry, test in placed:
        count = sizes.get(test["pdf"])
        if count is None:
            problem = f"pdf: {test['pdf']!r} is not below pdfs/; add the PDF or drop the test"
            yield entry.finding("pdf_missing", problem)
        elif count and test["page"] > count:
            yield entry.finding("page_missing", f"page: {test['page']}, but {test['pdf']} has {count} pages")
    tested = {(test["pdf"], test["page"]) for _, test in placed if test["checked"] != "rejected"}
    for name, count in sizes.items():
        if missing := [str(page) for page in range(1, count + 1) if (name, page) not in tested]:
            pages = f"page {missing[0]} has" if len(missing) == 1 else f"pages {', '.join(missing[:20])} have"
            more = f" (and {len(missing) - 20} more)" if len(missing) > 20 else ""
            message = f"{pages} no test{more}; write some, or --fix --drop-unused for a PDF that none names"
            yield Finding("page_untested", f"pdfs/{name}", None, None, message)
