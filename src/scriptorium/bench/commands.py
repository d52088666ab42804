"""`scriptorium bench`: what a person runs on a bench folder."""

from pathlib import Path
from typing import Annotated

import typer

from scriptorium.bench import convert_commands, score_commands
from scriptorium.errors import ConfigError

app = typer.Typer(no_args_is_help=True, help="Unit tests of pages.")
app.command()(score_commands.score)
app.command()(score_commands.compare)
app.command()(convert_commands.convert)
app.command()(convert_commands.adapt)


@app.command()
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


@app.command()
def review(
    folder: Annotated[Path, typer.Argument(help="Bench folder: *.jsonl, pdfs/, CANDIDATE/.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes one that is free.")] = 0,
    host: Annotated[str, typer.Option(help="Address; by default for this host only.")] = "127.0.0.1",
    name: Annotated[str, typer.Option(help="Who edits; by default the browser asks once.")] = "",
    browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the browser.")] = True,
) -> None:
    """Check and write tests in the browser, with live verdicts on every candidate of the folder."""
    from scriptorium.bench.review.serve import serve

    serve(folder, host, port, name, browser)


@app.command()
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


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Bench folder: *.jsonl, pdfs/, CANDIDATE/.")],
    out: Annotated[Path, typer.Option(help="Folder of the report; an earlier report there is replaced.")],
    candidate: Annotated[
        list[str] | None, typer.Option(help="A candidate, may be repeated; all of FOLDER by default.")
    ] = None,
    profile: Annotated[
        str, typer.Option(help="drop-headers, or keep-headers: score headers and footers apart.")
    ] = "drop-headers",
    jobs: Annotated[int, typer.Option(min=1, help="Processes that judge.")] = 1,
) -> None:
    """Write a report that opens in a browser without a network: scores, and each page beside its texts."""
    from scriptorium.bench.html_report import write_report

    typer.echo(write_report(folder, candidate or [], out, profile=profile, jobs=jobs))
