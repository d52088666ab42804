"""`scriptorium bench`: what a person runs on a bench folder."""

import typer

from scriptorium.commands import lazy_group

COMMANDS = {
    "fetch": "scriptorium.bench.commands.data:fetch",
    "lint": "scriptorium.bench.commands.data:lint",
    "score": "scriptorium.bench.commands.score:score",
    "compare": "scriptorium.bench.commands.score:compare",
    "convert": "scriptorium.bench.commands.convert:convert",
    "adapt": "scriptorium.bench.commands.convert:adapt",
    "crosscheck": "scriptorium.bench.formulas.commands:crosscheck",
    "review": "scriptorium.bench.commands.show:review",
    "report": "scriptorium.bench.commands.show:report",
    "prepare": "scriptorium.bench.prepare.commands:app",
}

app = typer.Typer(cls=lazy_group(COMMANDS), no_args_is_help=True, add_completion=False)


@app.callback()
def bench() -> None:
    """Unit tests of pages."""
