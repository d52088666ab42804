"""`scriptorium bench prepare`: candidates and benches made of others."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Make candidates and benches of others; sources stay as they are.",
)

Bench = Annotated[Path, typer.Argument(help="Bench folder: *.jsonl, pdfs/.")]
Out = Annotated[Path, typer.Option(help="New bench folder.")]


@app.command()
def workspace(
    folder: Annotated[Path, typer.Argument(help="The pipeline's workspace, with results/*.jsonl.")],
    bench: Annotated[Path, typer.Option(help="Bench folder that gets the candidate.")],
    name: Annotated[str, typer.Option(help="Name of the candidate.")],
    repeat: Annotated[int, typer.Option(min=1, help="Number of this repeat.")] = 1,
) -> None:
    """A candidate of what an olmOCR pipeline wrote; pages that it lacks stay missing."""
    from scriptorium.bench.prepare.workspace import from_workspace

    done = from_workspace(folder, bench, name, repeat)
    typer.echo(f"{bench / name}: {done.written} pages written, {done.missing} missing")
    if done.unknown:
        typer.echo(f"{len(done.unknown)} sources are no PDF of the bench, {done.unknown[0]!r} first")


@app.command()
def medoid(
    bench: Bench,
    candidate: Annotated[str, typer.Option(help="Candidate with three repeats or more.")],
    name: Annotated[str, typer.Option(help="Name of the new candidate.")],
) -> None:
    """A candidate of the repeat of each page that is most like the other repeats."""
    from scriptorium.bench.prepare import medoid as medoids

    done = medoids.medoid(bench, candidate, name)
    typer.echo(
        f"{bench / name}: {done.chosen} pages by their medoid, {done.first} with fewer than three texts by the "
        f"first, {done.none} without a text"
    )


@app.command("split-tables")
def split_tables(bench: Bench, out: Out) -> None:
    """A bench whose table tests ask for one relation each."""
    from scriptorium.bench.prepare import split_tables as tables

    typer.echo(f"{out}: {tables.split_tables(bench, out)} table tests taken apart")


@app.command()
def rotate(
    bench: Bench,
    out: Out,
    share: Annotated[float, typer.Option(help="Part of the PDFs, more than 0, at most 1.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Seed of the choice of PDFs and angles.")] = 0,
    originals: Annotated[bool, typer.Option("--originals", help="Bring the untouched bench along.")] = False,
) -> None:
    """A bench of pages turned by 90, 180 or 270 degrees, category `rotated`."""
    from scriptorium.bench.prepare import rotate as turning

    typer.echo(f"{out}: {len(turning.rotate(bench, out, share, seed, originals))} PDFs turned")


@app.command()
def degrade(
    bench: Bench,
    out: Out,
    dpi: Annotated[int, typer.Option(min=20, max=600, help="Pixels an inch.")] = 150,
    blur: Annotated[float, typer.Option(min=0, max=50, help="Radius of a Gaussian blur, pixels.")] = 0.0,
    noise: Annotated[float, typer.Option(min=0, max=128, help="Standard deviation, of 255 levels.")] = 0.0,
    grey: Annotated[bool, typer.Option("--grey", help="Without colour.")] = False,
    jpeg: Annotated[int, typer.Option(min=1, max=100, help="JPEG quality.")] = 90,
    seed: Annotated[int, typer.Option(help="Seed of the noise.")] = 0,
) -> None:
    """A bench of the same pages as worse pictures without a text layer; the tests stay."""
    from scriptorium.bench.prepare import degrade as degrading

    damage = degrading.Damage(dpi=dpi, blur=blur, noise=noise, grey=grey, jpeg=jpeg, seed=seed)
    typer.echo(f"{out}: {degrading.degrade(bench, out, damage)} PDFs drawn anew")


@app.command()
def decontaminate(
    bench: Bench,
    against: Annotated[
        Path, typer.Option(help="Training texts: a folder or file of .md, .jsonl, .jsonl.gz.")
    ],
    report: Annotated[Path, typer.Option(help="JSON file for what was found.")],
    share: Annotated[float, typer.Option(min=0, max=1, help="Part of a page's runs of 13 words.")] = 0.1,
    drop: Annotated[Path | None, typer.Option(help="New bench without the pages that overlap.")] = None,
) -> None:
    """Which pages of a bench stand in training texts, by URL and by runs of 13 words."""
    from scriptorium.bench.prepare import decontaminate as comparing

    counts = comparing.decontaminate(bench, against, report, share, drop)["counts"]
    typer.echo(
        f"{counts['pages']} pages: {counts['overlap']} overlap, {counts['unchecked']} have too little text to tell; "
        f"see {report}"
    )
