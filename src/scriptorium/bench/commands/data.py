"""`scriptorium bench fetch` and `lint`: the tests and pages of a bench, fetched and checked."""

from pathlib import Path
from typing import Annotated

import typer

from scriptorium.errors import ConfigError


def fetch(
    repo: Annotated[str, typer.Argument(help="Data set of the hub.")] = "allenai/olmOCR-bench",
    out: Annotated[Path, typer.Option(help="Bench folder to make or to complete.")] = Path("olmocr-bench"),
    revision: Annotated[
        str, typer.Option(help="Commit, tag or branch; by default the commit that our recipes use.")
    ] = "",
    category: Annotated[
        list[str] | None, typer.Option(help="Only this category, may be repeated; all by default.")
    ] = None,
    lock: Annotated[
        Path | None, typer.Option(help="Lock of another machine: fetch exactly those bytes.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=32, help="Downloads at once.")] = 8,
    verify: Annotated[bool, typer.Option("--verify", help="Fetch nothing; check OUT by its lock.")] = False,
) -> None:
    """Fetch a bench from the hub (HF_ENDPOINT, HF_TOKEN) and write OUT.lock.json with every file's SHA-256."""
    from scriptorium.bench import fetch as fetching

    if verify:
        problems = fetching.verify(out, lock)
        for problem in problems:
            typer.echo(problem)
        raise typer.Exit(2 if problems else 0)
    if not revision and not lock and repo != fetching.PUBLISHED:
        raise ConfigError(f"--revision: name a commit, tag or branch of {repo}")
    found = fetching.fetch(repo, revision or fetching.REVISION, out, category or (), workers, lock)
    typer.echo(f"{out}: {len(found['files'])} files of hub:{found['repo']}@{found['revision']}")


def lint(
    folder: Annotated[Path, typer.Argument(help="Bench folder: *.jsonl, pdfs/, CANDIDATE/.")],
    candidate: Annotated[
        list[str] | None, typer.Option(help="Only this candidate, may be repeated; all by default.")
    ] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write every finding to this file.")] = None,
    notes: Annotated[bool, typer.Option("--notes", help="Print notes too, not only their number.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Make the safe repairs: drop repeated lines.")] = False,
    drop_rejected: Annotated[bool, typer.Option(help="With --fix: drop tests that were rejected.")] = False,
    drop_unused: Annotated[bool, typer.Option(help="With --fix: delete PDFs that no test names.")] = False,
) -> None:
    """Name everything that is wrong with a bench, by file and line. Exit code 2: there are errors."""
    from scriptorium.bench.lint import report

    if (drop_rejected or drop_unused) and not fix:
        raise ConfigError("--drop-rejected and --drop-unused: give --fix too; without it nothing is written")
    if fix:
        report.mend(folder, drop_rejected, drop_unused)
    if report.tell(folder, candidate, json_out, notes):
        raise typer.Exit(2)
