"""Judging every output of a candidate, pages as units: one reading of a text serves all tests and rule sets."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from scriptorium.bench.folder import Bench
from scriptorium.bench.outputs import MISSING, Output, Outputs
from scriptorium.bench.rules import counted, judge_checked
from scriptorium.bench.scoring.verdict_cache import VerdictCache
from scriptorium.bench.tests import Test
from scriptorium.bench.verdict import Verdict
from scriptorium.progress import track

if TYPE_CHECKING:
    from scriptorium.bench.text.page import Page

Cell = dict[str, Any]
"""One verdict as it is kept: passed, counts, code, evidence, margin, would_pass_if; error where one came."""

Judged = list[dict[str, Cell]]
"""The cells of one output: for each test of the page, rule set to cell."""

Task = tuple[list[Test], str, tuple[str, ...], bool]
"""A page's tests, a text, the rule sets, and whether to explain."""

CHUNK = 8
"""Pages that a process of the pool takes at a time."""


def judge_output(task: Task) -> Judged:
    """The cells of one text under each rule set."""
    # Imported here, as in judges.rule_sets: loading this takes longer than scoring where all verdicts are kept.
    from scriptorium.bench.text.page import Page

    tests, text, rules, explained = task
    page = Page(text)
    judged: Judged = [{} for _ in tests]
    for name in rules:
        found = [_verdict(test, page, name, explained) for test in tests]
        won = counted(tests, [verdict for verdict, _ in found], name)
        for cells, (verdict, error), counts in zip(judged, found, won, strict=True):
            cells[name] = _cell(verdict, counts, error)
    for cells in judged:
        _share_evidence(cells)
    return judged


def _verdict(test: Test, page: "Page", rules: str, explained: bool) -> tuple[Verdict, str | None]:
    """A verdict, explained where it fails. A judge that raises costs its own test only; the error is kept."""
    from scriptorium.bench.judges.explain import explain

    try:
        verdict = judge_checked(test, page, rules)
        failed = explained and verdict.passed is False
        return explain(test, page, rules, verdict) if failed else verdict, None
    except Exception as error:
        return Verdict(False, "error"), f"{type(error).__name__}: {error}"


def _share_evidence(cells: dict[str, Cell]) -> None:
    """What one rule set found where another passes the test too is evidence for both."""
    shown = next((cell["evidence"] for cell in cells.values() if cell["passed"] and cell["evidence"]), None)
    for cell in cells.values():
        if cell["passed"] and cell["evidence"] is None:
            cell["evidence"] = shown


def _cell(verdict: Verdict, counts: bool, error: str | None) -> Cell:
    cell: Cell = {
        "passed": verdict.passed,
        "counts": counts,
        "code": verdict.code,
        "evidence": list(verdict.evidence) if verdict.evidence else None,
        "margin": verdict.margin,
        "would_pass_if": verdict.would_pass_if,
    }
    return cell if error is None else cell | {"error": error}


def failed(output: Output, tests: Sequence[Test], rules: Sequence[str]) -> Judged:
    """The cells of an output that has no text: every test fails, and the code is its state."""
    error = output.sidecar.get("error")
    verdict = Verdict(False, output.state)
    return [
        {name: _cell(verdict, False, None if error is None else str(error)) for name in rules} for _ in tests
    ]


def judge_outputs(
    bench: Bench,
    outputs: Outputs,
    rules: tuple[str, ...],
    *,
    cache: VerdictCache,
    jobs: int = 1,
    explain: bool = True,
    what: str = "pages",
) -> dict[str, list[tuple[Output, Judged]]]:
    """The outputs of each page of the bench with their cells; a page without any has one missing output."""
    tests = {page: [test for _, test in rows] for page, rows in bench.pages.items()}
    found = {page: list(outputs.get(page) or [MISSING]) for page in bench.pages}
    tasks = {
        (page, index): (tests[page], output.text, rules, explain)
        for page, each in found.items()
        for index, output in enumerate(each)
        if output.text is not None
    }
    judged = _judge(tasks, cache, jobs, what)
    return {
        page: [
            (output, judged[page, index] if output.text is not None else failed(output, tests[page], rules))
            for index, output in enumerate(each)
        ]
        for page, each in found.items()
    }


Key = tuple[str, int]


def _judge(tasks: dict[Key, Task], cache: VerdictCache, jobs: int, what: str) -> dict[Key, Judged]:
    """The cells of each task, from the cache where they are known; equal tasks are judged once."""
    names = {key: cache.key(task) for key, task in tasks.items()}
    known = cache.read(names.values())
    left = {name: tasks[key] for key, name in names.items() if name not in known}
    results = _run(list(left.values()), jobs)
    fresh = dict(zip(left, track(results, len(left), what), strict=True)) if left else {}
    cache.write(fresh)
    known |= fresh
    return {key: known[name] for key, name in names.items()}


def _run(tasks: list[Task], jobs: int) -> Iterator[Judged]:
    from concurrent.futures import ProcessPoolExecutor

    jobs = min(jobs, max(1, len(tasks) // CHUNK))
    with ProcessPoolExecutor(jobs) if jobs > 1 else nullcontext() as pool:
        yield from (
            map(judge_output, tasks) if pool is None else pool.map(judge_output, tasks, chunksize=CHUNK)
        )
