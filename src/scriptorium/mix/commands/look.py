"""`scriptorium data validate` and `scriptorium data report`: what a folder of pairs holds, and what is wrong in it."""

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Argument(help="Folder of pairs: X.pdf beside X.md, or with pages.parquet.")]


def validate(
    folder: Folder,
    out: Annotated[
        Path | None, typer.Option("--json", help="Write every finding to this file, one a line.")
    ] = None,
    show: Annotated[int, typer.Option(min=0, help="Findings of a kind that are printed.")] = 3,
) -> None:
    """Name what is wrong with anyone's pairs, by page. Exit code 2: some cannot be learnt from."""
    from scriptorium.files import write_text
    from scriptorium.mix.validate import lines, summary
    from scriptorium.mix.validate import validate as look

    pages, found = look(folder)
    if out:
        write_text(out, lines(found))
    for line in summary(pages, found, show):
        typer.echo(line)
    if any(each.level == "error" for each in found):
        raise typer.Exit(2)


def report(
    folder: Folder,
    out: Annotated[Path, typer.Option(help="Folder for report.html, report.json and the card README.md.")],
    samples: Annotated[int, typer.Option(min=0, help="Pages to show, of every kind alike.")] = 24,
    title: Annotated[str, typer.Option(help="Name of the data set; by default the folder's.")] = "",
    licence: Annotated[
        str, typer.Option(help="Licence, as the hub names it: odc-by, cc0-1.0 ...")
    ] = "unknown",
) -> None:
    """Count what a folder of pairs holds, and show sample pages beside their truth."""
    from scriptorium.mix.report import report as write

    facts = write(folder, out, samples, title, licence)
    typer.echo(
        f"{facts.pages} pages of {facts.documents} documents, {facts.rejected.total()} left out: {out}"
    )
