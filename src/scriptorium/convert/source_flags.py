"""The command line's flags for what is converted: sources, page ranges, a cache, and what it will take."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

Sources = Annotated[
    list[str] | None,
    typer.Argument(help="Files, folders, globs, manifests, archives, URIs, @LIST, or - for paths on stdin."),
]
Lists = Annotated[list[str] | None, typer.Option("--list", help="Text file of sources, one a line.")]
PageRanges = Annotated[str, typer.Option("--pages", help="Pages of every document, such as 1-5,7,10-.")]
TextLayer = Annotated[
    Literal["fallback", "prefer", "never"] | None,
    typer.Option(
        help="A page's own text stands in for the model: if that gave up, wherever it is good, or nowhere."
    ),
]
Jobs = Annotated[int, typer.Option(min=1, help="Processes that open files while the plan is made.")]
Engine = Annotated[
    str, typer.Option(help="What draws pages first: pypdfium2 or poppler; by default the adapter says it.")
]
Box = Annotated[
    str, typer.Option(help="What of a page is drawn: crop or media; by default the adapter says it (crop).")
]
CacheFolder = Annotated[
    Path | None, typer.Option("--cache", help="Folder for fetched and unpacked documents.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what there is to convert, and end.")]
PagesPerSecond = Annotated[float, typer.Option(min=0, help="With --dry-run: speed, for an estimate of time.")]
CostPerMillion = Annotated[
    float, typer.Option("--cost-per-million-tokens", min=0, help="Price of a million tokens, for the cost.")
]
TokensPerPage = Annotated[
    float, typer.Option(min=0, help="With --dry-run: tokens of a page, image, prompt and answer together.")
]


class Again(StrEnum):
    """What may be asked for again."""

    failed = "failed"
    fallback = "fallback"


Retry = Annotated[
    list[Again] | None,
    typer.Option(help="Ask again for pages that the model gave up on (failed), or also those of poor text."),
]
