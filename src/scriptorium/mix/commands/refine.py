"""`scriptorium data filter` and `scriptorium data split`: folders of pairs made of one."""

from pathlib import Path
from typing import Annotated

import typer

Pairs = Annotated[Path, typer.Argument(help="Folder of pairs, with pages.parquet.")]


def filter_pairs(
    folder: Pairs,
    out: Annotated[Path, typer.Option(help="Folder to write; replaced if it is there.")],
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter", help="rotated, repair, rules, language=en,de, duplicates ...; again for more."
        ),
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(help="Bench folder that no page may be known to; again for more."),
    ] = None,
) -> None:
    """Leave out and mend pages, each drop and each repair with its reason in OUT/audit/pages.jsonl.

    Exit code 4: a page is known to a bench, or too few are left.
    """
    from scriptorium.mix.audit import audit
    from scriptorium.mix.filters import parse

    audit(folder, out, parse(filters or []), against)


def split(
    folder: Pairs,
    out: Annotated[Path, typer.Option(help="Folder for train/ and eval/; those are replaced.")],
    share: Annotated[float, typer.Option(min=0, max=1, help="Documents held out, of each stratum.")] = 0.02,
    least: Annotated[
        int, typer.Option(min=0, help="Pages held out at least, where there are so many.")
    ] = 100,
    by: Annotated[str, typer.Option(help="What makes a stratum: language, kind, both or none.")] = "both",
    salt: Annotated[str, typer.Option(help="Another one holds out other documents.")] = "",
) -> None:
    """Hold documents out for measuring: by a hash of their names, every language and kind of page alike."""
    from scriptorium.mix.held_out import split_pairs

    counts = split_pairs(folder, out, share, least, by, salt)
    typer.echo(", ".join(f"{count} pages in {name}" for name, count in counts.items()))
