"""`scriptorium bench review` and `report`: a bench in the browser."""

from pathlib import Path
from typing import Annotated

import typer


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
