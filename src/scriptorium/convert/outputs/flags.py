"""The command line's flags for outputs, shared by the commands that write them."""

from typing import Annotated, Any

import typer

from scriptorium.convert.outputs import choices

FORMATS = ["dolma", "markdown"]
NAMES = {"formats", "failed", "failed_budget", "join", "marks", "front_matter", "compression", "dolma_compat"}
NAMES |= {"date", "filters"}

Formats = Annotated[
    list[str],
    typer.Option("--format", help="dolma, markdown, html, text, json or parquet; give it again for another."),
]
Failed = Annotated[
    choices.Failed, typer.Option(help="Pages without a text: left out, marked, or their documents dropped.")
]
FailedBudget = Annotated[
    float, typer.Option(help="With --failed drop: the share of its pages that a document may fail.")
]
Join = Annotated[
    bool,
    typer.Option("--join", help="Make paragraphs and tables whole that go on over a page break."),
]
Marks = Annotated[
    choices.Marks,
    typer.Option(help="Between two pages of Markdown: none, a blank line, <!-- page N -->, {N}---."),
]
FrontMatter = Annotated[bool, typer.Option("--front-matter", help="A head before each Markdown document.")]
Compression = Annotated[
    choices.Compression | None, typer.Option(help="Of Dolma files; gz, or none with --dolma-compat.")
]
DolmaCompat = Annotated[bool, typer.Option("--dolma-compat", help="Dolma records in olmOCR's own layout.")]
Filter = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        help="Leave out: language=en,de (others), form, spam[=0.004], garbled, quality=0.5, olmocr; repeatable.",
    ),
]
Date = Annotated[str, typer.Option(help="With --dolma-compat: the date in the records, YYYY-MM-DD.")]


def chosen(values: dict[str, Any]) -> dict[str, Any]:
    """Of a command's arguments those that are options of the outputs."""
    return {key: value for key, value in values.items() if key in NAMES}
