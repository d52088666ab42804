"""`scriptorium data`: what a person does with pages and their truth before a model learns from them."""

import typer

from scriptorium.commands import lazy_group

COMMANDS = {
    "validate": "scriptorium.mix.commands.look:validate",
    "report": "scriptorium.mix.commands.look:report",
    "filter": "scriptorium.mix.commands.refine:filter_pairs",
    "split": "scriptorium.mix.commands.refine:split",
    "from-pdfs": "scriptorium.mix.commands.gather:from_pdfs",
    "from-corpus": "scriptorium.mix.commands.gather:from_corpus",
    "from-workspace": "scriptorium.mix.commands.gather:from_workspace",
    "from-transcripts": "scriptorium.mix.commands.gather:from_transcripts",
    "from-markdown": "scriptorium.mix.commands.gather:from_markdown",
    "index": "scriptorium.mix.commands.gather:index",
    "unpack": "scriptorium.mix.commands.gather:unpack",
    "pack": "scriptorium.mix.commands.gather:pack",
    "export": "scriptorium.mix.commands.gather:export",
}

app = typer.Typer(cls=lazy_group(COMMANDS), no_args_is_help=True, add_completion=False)


@app.callback()
def data() -> None:
    """Pages and their truth: look at them, check, filter and split them."""
