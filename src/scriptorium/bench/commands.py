"""`scriptorium bench`: what a person runs on a bench folder."""

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Unit tests of pages.")


@app.command()
def score(
    folder: Annotated[Path, typer.Argument(help="Bench folder: *.jsonl, pdfs/, CANDIDATE/.")],
    candidate: Annotated[str, typer.Option(help="Name of the candidate, a folder in FOLDER.")],
    rules: Annotated[
        list[str] | None, typer.Option(help="Rule set, may be repeated; all by default.")
    ] = None,
) -> None:
    """Score a candidate's Markdown against a bench's tests and print the scores as JSON."""
    from scriptorium.bench.scores import score_folder

    typer.echo(json.dumps(score_folder(folder, candidate, *(rules or [])), indent=2, ensure_ascii=False))
