"""Linting a bench folder from end to end."""

from pathlib import Path

from scriptorium.bench.lint import candidates
from scriptorium.bench.lint.entries import check_lines, read_entries, tests_of
from scriptorium.bench.lint.findings import Finding, in_order
from scriptorium.bench.lint.language import check_languages
from scriptorium.bench.lint.pages import check_places, read_pdfs
from scriptorium.bench.lint.single import check_tests
from scriptorium.bench.lint.together import check_pages
from scriptorium.bench.outputs import Outputs, read_candidate
from scriptorium.errors import InputError


def lint(root: Path, names: list[str] | None = None) -> list[Finding]:
    """Everything that is wrong with a bench folder, by file and line; nothing stops at the first fault.

    `names`: candidates to look at; every folder beside pdfs/ by default. Raises InputError only if the folder
    is not there.
    """
    if not root.is_dir():
        raise InputError(f"{root}: no such folder; name a bench folder (*.jsonl, pdfs/)")
    files = sorted(root.glob("*.jsonl"))
    entries, findings = read_entries(root, files)
    if not entries:
        findings.append(
            Finding("no_tests", ".", None, None, "there is no *.jsonl with a test in it; write one")
        )
    placed = tests_of(entries)
    sizes, unreadable = read_pdfs(root)
    findings += unreadable
    findings += check_lines(root, entries)
    findings += check_places(placed, sizes)
    findings += check_tests(placed)
    findings += check_pages(placed)
    findings += check_languages(placed)
    names = candidates.folders(root) if names is None else names
    outputs: dict[str, Outputs] = {}
    for name in names:
        matched, faults = candidates.check_files(root, name, sizes)
        findings += faults
        if matched:
            outputs[name] = read_candidate(root, name)
    there = [(entry, test) for entry, test in placed if 0 < test["page"] <= sizes.get(test["pdf"], 0)]
    findings += candidates.check_verdicts(outputs, there)
    return in_order(findings)
