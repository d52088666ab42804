"""The command `scriptorium viewer`: look at a converted corpus, compare two runs, take what was marked."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scriptorium.convert import source_flags
from scriptorium.errors import ConfigError, PartialError

if TYPE_CHECKING:
    from scriptorium.convert.viewer.runs import Run


def viewer(
    runs: Annotated[
        list[Path],
        typer.Argument(help="A converted OUT; a second one, or a report.json of an earlier run, to compare."),
    ],
    to: Annotated[Path | None, typer.Option(help="Folder to write; by default OUT/viewer.")] = None,
    pages: Annotated[
        str,
        typer.Option(help="Pages that are drawn: all, none, worst:N or sample:N. Texts are there for all."),
    ] = "worst:500",
    side: Annotated[
        int, typer.Option(min=100, max=4000, help="Longest side of a picture, in pixels.")
    ] = 1280,
    jobs: Annotated[int, typer.Option(min=1, help="Pages that are drawn at a time.")] = 1,
    cache: source_flags.CacheFolder = None,
    pairs: Annotated[
        Path | None,
        typer.Option(help="Marks that the viewer exported: write training pairs of them to --to."),
    ] = None,
    bench: Annotated[
        bool,
        typer.Option(
            "--bench", help="Write a bench folder of the pages instead: pdfs/ and a candidate a run."
        ),
    ] = False,
) -> None:
    """Make a folder in which a browser shows each page beside its text, or take the marks made there.

    The folder needs no server and no network: open its index.html. Exit code 3: some marked pages cannot be
    used; pages.parquet says why.
    """
    from scriptorium.convert.documents import default_cache
    from scriptorium.convert.viewer.runs import open_runs

    opened = open_runs(runs)
    cache = cache or default_cache()
    if pairs and bench:
        raise ConfigError("viewer: --pairs and --bench write different folders; give one of them")
    if pairs or bench:
        if to is None:
            raise ConfigError("viewer: name the folder to write with --to")
        if pairs:
            _pairs(pairs, opened, to, cache)
        else:
            _bench(opened, to, pages, cache)
        return
    from scriptorium.convert.viewer.write import write_viewer

    if to is None and not runs[0].is_dir():
        raise ConfigError("viewer: name the folder to write with --to")
    done = write_viewer(opened, to or runs[0] / "viewer", pages, side, jobs, cache)
    typer.echo(
        f"{done.pages:,} pages, {done.pictures:,} pictures, {done.bytes / 1e6:,.1f} MB:"
        f" open {(to or runs[0] / 'viewer') / 'index.html'}"
    )
    if done.faults:
        typer.echo(
            f"{done.faults:,} pages have no picture; the viewer says why. Documents are looked for under the names that"
            " the conversion was given: run this in the same folder as that",
            err=True,
        )


def _pairs(marks: Path, runs: "list[Run]", to: Path, cache: Path) -> None:
    from scriptorium.convert.viewer.pairs import write_pairs
    from scriptorium.convert.viewer.targets import read_marks

    done = write_pairs(read_marks(marks), runs, to, cache)
    typer.echo(f"{done.kept} pairs in {to}; {done.wrong} pages are only marked wrong")
    if done.rejected:
        raise PartialError(f"{done.rejected} marked pages cannot be used; {to / 'pages.parquet'} says why")


def _bench(runs: "list[Run]", to: Path, pages: str, cache: Path) -> None:
    from scriptorium.convert.viewer.bench import write_bench

    done = write_bench(runs, to, pages, cache)
    typer.echo(f"{done.pages} pages in {to}; `scriptorium bench review {to}` opens them")
    if done.lost:
        raise PartialError(f"{done.lost} pages are left out: they cannot be taken from their documents")
