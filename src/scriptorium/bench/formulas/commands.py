"""`scriptorium bench crosscheck`: our layout of formulas against a real browser's."""

from pathlib import Path
from typing import Annotated

import typer

from scriptorium.errors import InputError


def crosscheck(
    folder: Annotated[Path, typer.Argument(help="Bench folder: *.jsonl, pdfs/, CANDIDATE/.")],
    candidate: Annotated[
        list[str] | None, typer.Option(help="A candidate, may be repeated; all of FOLDER by default.")
    ] = None,
    chromium: Annotated[Path | None, typer.Option(help="Program; playwright's own by default.")] = None,
) -> None:
    """Judge the formula tests on Chromium's measures as well as on ours, and list where verdicts differ.

    Each formula of a test is compared with each formula of its page, by the rules of olmocr-2026.03.
    """
    from scriptorium.bench.folder import candidates
    from scriptorium.bench.formulas.browser import bench_pairs, cross_check

    pairs = bench_pairs(folder, candidate or candidates(folder))
    if not pairs:
        raise InputError(f"{folder}: no page with a formula test has a formula in a candidate's output")
    check = cross_check(pairs, chromium)
    for reference, hypothesis, ours, theirs in check.differing:
        typer.echo(f"differ: ours {ours}, Chromium {theirs}: {reference!r} in {hypothesis!r}")
    typer.echo(
        f"{check.formulas} formulas, {check.same_symbols} with the same symbols; "
        f"{check.pairs} pairs, {check.pairs - len(check.differing)} with the same verdict"
    )
