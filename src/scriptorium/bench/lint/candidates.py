"""What is wrong with candidates' outputs, and what their verdicts say of the tests."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from scriptorium.bench.lint.entries import Entry, Placed
from scriptorium.bench.lint.findings import Finding
from scriptorium.bench.lint.pages import Sizes
from scriptorium.bench.outputs import Output, Outputs, page_id, page_names, read_output
from scriptorium.bench.rules import STRICT
from scriptorium.bench.scoring.judging import Cell, judge_output
from scriptorium.bench.tests import Test, check_test
from scriptorium.progress import track

LARGE = 1_000_000
"""Bytes. The fullest page of print has some thousand characters; a text of this size is a loop."""

NAMES = "<pdf>_pg<page>_repeat<n>.md"

Pages = dict[str, list[Placed]]


def folders(root: Path) -> list[str]:
    """The folders beside pdfs/, any of which may be a candidate; hidden ones are none."""
    each = sorted(path for path in root.iterdir() if path.is_dir())
    return [path.name for path in each if path.name != "pdfs" and not path.name.startswith(".")]


def check_files(root: Path, candidate: str, sizes: Sizes) -> tuple[bool, list[Finding]]:
    """Whether a folder holds an output of some page, and the files in it that are none or cannot be used."""
    home = root / candidate
    if not home.is_dir():
        return False, [Finding("candidate_missing", candidate, None, None, "there is no such folder")]
    known = {name.removesuffix(".pdf"): count for name, count in sizes.items()}
    matched = False
    findings: list[Finding] = []
    named = {path: (stem, page) for path, stem, page, _ in page_names(home)}
    for path in sorted(path for path in home.rglob("*.md") if path.is_file()):
        name = path.relative_to(root).as_posix()
        if path not in named:
            findings.append(
                Finding("output_misnamed", name, None, None, f"is not named {NAMES}; it is passed over")
            )
            continue
        stem, page = named[path]
        if not 1 <= page <= max(1, known.get(stem, 0)) or stem not in known:
            message = f"belongs to no page: there is no page {page} of pdfs/{stem}.pdf; move it away"
            findings.append(Finding("output_no_page", name, None, None, message))
            continue
        matched = True
        findings += _check_output(path, name, read_output(path))
    if not matched:
        message = (
            f"is taken for a candidate, but holds no output of any page ({NAMES}); move it out of the bench"
        )
        return False, [Finding("folder_unmatched", candidate, None, None, message)]
    return True, findings


def _check_output(path: Path, name: str, output: Output) -> Iterator[Finding]:
    """An output that cannot be read, or is far too large, a sidecar that cannot be read."""
    if output.text is None and "state" not in output.sidecar:
        problem = output.sidecar.get("error")
        yield Finding("output_unreadable", name, None, None, f"{problem}; it counts as failed, make it again")
    if problem := output.sidecar.get("sidecar_error"):
        yield Finding("sidecar", name, None, None, f"{problem}; it is passed over")
    if (size := path.stat().st_size) > LARGE:
        message = f"has {size:,} bytes, far more than a page holds; it is judged all the same"
        yield Finding("output_large", name, None, None, message)


def _missing(candidate: str, outputs: Outputs, pages: set[str]) -> Iterator[Finding]:
    read = {page for page, each in outputs.items() if any(output.text is not None for output in each)}
    if missing := sorted(pages - read):
        names = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        message = f"{len(missing)} of {len(pages)} pages have no text and fail all their tests: {names}"
        yield Finding("pages_missing", candidate, None, None, message)


def check_verdicts(candidates: dict[str, Outputs], placed: list[Placed]) -> Iterator[Finding]:
    """Pages without an output, and tests that all candidates, none of them, or an empty text pass.

    Verdicts are those of scriptorium-1; a test with several outputs passes if more than half of them do. What
    all or none pass is told where there are two candidates or more.
    """
    pages: Pages = defaultdict(list)
    for entry, test in placed:
        if test["checked"] != "rejected":
            pages[page_id(test["pdf"], test["page"])].append((entry, test))
    passed: dict[Entry, int] = {}
    for name, outputs in candidates.items():
        yield from _missing(name, outputs, set(pages))
        for page, tests in track(pages.items(), len(pages), f"pages of {name}"):
            yield from _count(tests, outputs.get(page, []), passed, name)
    yield from _null(pages)
    if len(candidates) > 1:
        yield from _alike(pages, passed, len(candidates))


def _count(
    tests: list[Placed], outputs: Sequence[Output], passed: dict[Entry, int], name: str
) -> Iterator[Finding]:
    """Add 1 to each test that the outputs of a page pass; name judges that failed."""
    votes = [0] * len(tests)
    for output in outputs:
        cells = _cells([test for _, test in tests], output.text) if output.text is not None else []
        for at, cell in enumerate(cells):
            votes[at] += cell["passed"] is True
            if "error" in cell:
                yield tests[at][0].finding(
                    "judge_error", f"cannot be judged on {name}'s output: {cell['error']}"
                )
    for (entry, _), count in zip(tests, votes, strict=True):
        passed[entry] = passed.get(entry, 0) + (2 * count > len(outputs))


def _cells(tests: list[Test], text: str) -> list[Cell]:
    judged = judge_output((tests, text, (STRICT,), False))
    return [cells[STRICT] for cells in judged]


def _null(pages: Pages) -> Iterator[Finding]:
    """Tests that score without any output, on pages that are not meant to be blank."""
    baselines = [test for tests in pages.values() for _, test in tests if test["type"] == "baseline"]
    blank = {page_id(test["pdf"], test["page"]) for test in baselines if test["max_length"] is not None}
    given = {test["pdf"] for test in baselines}
    for page in pages.keys() - blank:
        tests = [test for _, test in pages[page]]
        if tests[0]["pdf"] not in given:
            tests.append(check_test({"type": "baseline"}, placed=False))  # as scoring adds one
        for (entry, _), cell in zip(pages[page], _cells(tests, ""), strict=False):
            if cell["counts"]:
                yield entry.finding(
                    "null_passes", "an empty output passes; add a test of text that the page has"
                )


def _alike(pages: Pages, passed: dict[Entry, int], count: int) -> Iterator[Finding]:
    for tests in pages.values():
        for entry, _ in tests:
            if passed[entry] == count:
                yield entry.finding("all_pass", f"all {count} candidates pass: it tells none from another")
            elif not passed[entry]:
                yield entry.finding(
                    "none_passes", f"none of {count} candidates passes; look whether it is right"
                )
