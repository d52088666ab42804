"""A bench folder: its tests by page, and the candidates in it."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from scriptorium.bench.outputs import page_id, page_names, page_sidecars
from scriptorium.bench.tests import Test, TestError, check_test, records
from scriptorium.errors import InputError

Paged = dict[str, list[tuple[str, Test]]]
"""Page id to the page's tests, each with its category."""

REJECTED = "rejected"
"""What a reviewer writes into `checked` of a test that is wrong: it is kept in its file and never scored."""


@dataclass(frozen=True)
class Bench:
    """The tests of a bench by page, in the order of PDFs and pages.

    `root`: the bench folder. `pdfs`: the paths below `root/pdfs` that are considered. `strict_only`: ids of
    tests that olmocr-2026.03 does not know. `rejected`: how many tests reviewers rejected.
    """

    root: Path
    pages: Paged
    pdfs: list[str]
    strict_only: frozenset[str] = frozenset()
    rejected: int = 0

    @property
    def tests(self) -> int:
        """How many tests there are."""
        return sum(len(tests) for tests in self.pages.values())

    @cached_property
    def blank(self) -> set[str]:
        """The ids of the pages that should hold (nearly) nothing: those of a test with `max_length`."""
        return {
            page
            for page, tests in self.pages.items()
            if any(test["type"] == "baseline" and test["max_length"] is not None for _, test in tests)
        }

    def only(self, categories: set[str], without: set[str]) -> "Bench":
        """The bench with the tests of some categories alone, less some types, and the pages that have one."""
        pages = {
            page: [each for each in tests if each[0] in categories and each[1]["type"] not in without]
            for page, tests in self.pages.items()
        }
        return replace(self, pages={page: tests for page, tests in pages.items() if tests})


def load_bench(path: Path | str) -> Bench:
    """The tests of a bench folder (`pdfs/`, a `*.jsonl` per category) or of one of its `*.jsonl` files.

    As in olmOCR-bench, a PDF without any baseline test gets one for its page 1, in the category `baseline`;
    under scriptorium-1 alone, so does every further page of it that has tests. Raises InputError for a folder
    that is no bench, TestError for a test that cannot be used, an id used twice, or a PDF that is not there.
    """
    path = Path(path)
    one = path.suffix == ".jsonl"
    root = path.parent if one else path
    files = [path] if one else sorted(root.glob("*.jsonl"))
    pdfs = {pdf.relative_to(root / "pdfs").as_posix() for pdf in (root / "pdfs").rglob("*.pdf")}
    if not files or not pdfs:
        raise InputError(f"{path}: not a bench folder: it needs pdfs/*.pdf and a *.jsonl per category")
    found = _checked(files, pdfs)
    kept = [(category, test) for category, test in found if test["checked"] != REJECTED]
    considered = sorted({test["pdf"] for _, test in found} if one else pdfs)
    automatic, further = _baselines(found, kept, considered)
    _refuse_taken(automatic + further, found, root)
    return Bench(
        root=root,
        pages=by_page(kept + [("baseline", test) for test in automatic + further]),
        pdfs=considered,
        strict_only=frozenset(test["id"] for test in further),
        rejected=len(found) - len(kept),
    )


def _checked(files: list[Path], pdfs: set[str]) -> list[tuple[str, Test]]:
    """Every test of the files with its category. Raises TestError."""
    seen: dict[str, str] = {}
    found = []
    for file in files:
        for line, record in records(file):
            if isinstance(record, TestError):
                raise record
            test = check_test(record, file, line)
            if test["id"] in seen:
                raise TestError(f"{test['id']!r} is used in {seen[test['id']]} too", file, line, "id")
            if test["pdf"] not in pdfs:
                problem = f"test {test['id']!r} is about {test['pdf']!r}, which is not in pdfs/"
                raise TestError(problem, file, line, "pdf")
            seen[test["id"]] = file.name
            found.append((file.stem, test))
    return found


def _baselines(
    found: list[tuple[str, Test]], kept: list[tuple[str, Test]], pdfs: list[str]
) -> tuple[list[Test], list[Test]]:
    """The automatic baseline tests: of the first pages, and of further pages with tests."""
    tested = {test["pdf"] for _, test in found if test["type"] == "baseline"}
    first = [_baseline(pdf, 1) for pdf in pdfs if pdf not in tested]
    later = {(test["pdf"], test["page"]) for _, test in kept if test["page"] > 1}
    return first, [_baseline(pdf, page) for pdf, page in sorted(later) if pdf not in tested]


def _baseline(pdf: str, page: int) -> Test:
    name = f"{pdf}_baseline" if page == 1 else f"{pdf}_pg{page}_baseline"
    return check_test({"pdf": pdf, "page": page, "id": name, "type": "baseline"})


def _refuse_taken(automatic: list[Test], found: list[tuple[str, Test]], root: Path) -> None:
    """Raises TestError where a test of a file bears the id of an automatic one."""
    taken = {test["id"] for test in automatic} & {test["id"] for _, test in found}
    if taken:
        raise TestError(f"{min(taken)!r} is the id of an automatic baseline test; choose another", root)


def by_page(tests: list[tuple[str, Test]]) -> Paged:
    """The tests by page id, in the order of PDFs and pages; the order within a page is kept."""
    pages: Paged = {}
    for category, test in sorted(tests, key=lambda each: (each[1]["pdf"], each[1]["page"])):
        pages.setdefault(page_id(test["pdf"], test["page"]), []).append((category, test))
    return pages


def candidates(folder: Path) -> list[str]:
    """The candidates of a bench folder, by name: folders with an output, if only a failed one, for one of its PDFs."""
    stems = {
        pdf.relative_to(folder / "pdfs").as_posix().removesuffix(".pdf")
        for pdf in (folder / "pdfs").rglob("*.pdf")
    }
    others = sorted(each for each in folder.iterdir() if each.is_dir() and each.name != "pdfs")
    return [
        each.name
        for each in others
        if any(stem in stems for _, stem, _, _ in (*page_names(each), *page_sidecars(each)))
    ]
