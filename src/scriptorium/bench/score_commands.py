"""`scriptorium bench score` and `compare`: what a person runs on candidates."""

import json
from pathlib import Path
from typing import Annotated

import typer


def score(
    folder: Annotated[Path, typer.Argument(help="Bench folder: *.jsonl, pdfs/, CANDIDATE/.")],
    candidate: Annotated[list[str] | None, typer.Option(help="A folder in FOLDER; all by default.")] = None,
    rules: Annotated[
        list[str] | None, typer.Option(help="Rule set, may be repeated; all by default.")
    ] = None,
) -> None:
    """Score candidates' Markdown against a bench's tests."""
    from scriptorium.bench import scores
    from scriptorium.bench.folder import candidates
    from scriptorium.bench.rules import RULES

    for name in candidate or candidates(folder):
        found = scores.score(folder, name, rules or RULES)
        typer.echo(json.dumps(found.to_json(), indent=2, ensure_ascii=False))
