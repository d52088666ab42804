"""A lint as a person reads it, and as JSON."""

from collections import Counter
from pathlib import Path

import typer

from scriptorium.bench.lint import repair
from scriptorium.bench.lint.findings import CODES, counts
from scriptorium.bench.lint.folder import lint
from scriptorium.files import write_json


def mend(folder: Path, rejected: bool, unused: bool) -> None:
    """Say which repairs are made, then make them."""
    repairs = repair.plan(folder, rejected=rejected, unused=unused)
    for each in repairs:
        typer.echo(str(each))
    repair.apply(folder, repairs)


def tell(folder: Path, candidates: list[str] | None, json_out: Path | None, notes: bool) -> int:
    """Print the findings of a bench and return how many are errors; notes are counted unless asked for."""
    findings = lint(folder, candidates)
    number = counts(findings)
    for finding in findings:
        if notes or finding.severity != "note":
            typer.echo(str(finding))
    codes = Counter(finding.code for finding in findings if finding.severity == "note")
    if codes and not notes:
        held = ", ".join(f"{code} {codes[code]}" for code in CODES if codes[code])
        typer.echo(f"notes, shown with --notes: {held}")
    typer.echo(f"{folder}: {number['error']} errors, {number['warning']} warnings, {number['note']} notes")
    if json_out:
        write_json(json_out, {"counts": number, "findings": [finding.to_json() for finding in findings]})
    return number["error"]
