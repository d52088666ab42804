"""The command `scriptorium`: what a person runs on one file or one folder."""

from pathlib import Path
from typing import Annotated, Any

import typer

from scriptorium import __version__
from scriptorium.commands import lazy_group
from scriptorium.errors import ConfigError, PartialError, reported

COMMANDS = {
    "convert": "scriptorium.cli:convert",
    "bench": "scriptorium.bench.commands:app",
    "recipe": "scriptorium.cli:recipe",
}

app = typer.Typer(
    cls=lazy_group(COMMANDS), no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
recipe = typer.Typer(
    cls=lazy_group({"show": "scriptorium.cli:recipe_show"}), no_args_is_help=True, add_completion=False
)


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    """From page data to a document-OCR model, and from the model to converted corpora."""
    if show:
        typer.echo(__version__)
        raise typer.Exit


def convert(
    source: Annotated[Path, typer.Argument(help="A PDF, or a folder of them.")],
    out: Annotated[Path, typer.Option(help="Folder for text, report and page store.")],
    server: Annotated[str, typer.Option(help="URL of a running server; #NAME picks a model.")] = "",
    model: Annotated[str, typer.Option(help="Model folder or hub:org/name@revision, served here.")] = "",
    adapter: Annotated[
        str, typer.Option(help="Model adapter (config/models); by default the one the model was made with.")
    ] = "",
    threads: Annotated[int, typer.Option(help="CPU threads of a server that is started here.")] = 2,
) -> None:
    """Convert a PDF or a folder of PDFs to Markdown and Dolma records.

    Run again with the same OUT it repeats no finished page. Exit code 3: some pages have no text, and
    report.json says why.
    """
    from scriptorium.convert.outputs import write_outputs
    from scriptorium.convert.plan import plan_corpus
    from scriptorium.convert.report import write_report
    from scriptorium.convert.shard import convert_shard
    from scriptorium.serve.adapter import adapter_of, load

    if bool(server) == bool(model):
        raise ConfigError("convert: give --server URL or --model DIR, one of them")
    if server and not server.startswith(("http://", "https://")):
        raise ConfigError(f"--server {server}: not a URL; it starts with http:// or https://")
    settings = load(adapter or adapter_of(model))
    plan, store, shard = out / "plan.parquet", out / "store", out / "shards" / "00000.json"
    plan_corpus(source, 1, plan)
    convert_shard(plan, 0, server or model, settings, threads, store, shard)
    write_outputs(plan, store, [shard], out / "dolma", out / "markdown")
    report = write_report(plan, store, [shard], out / "report.json")
    summarise(report, out)


def summarise(report: dict[str, Any], out: Path) -> None:
    """Say what came out. Raises PartialError if a page or a file has no text."""
    counts = ", ".join(f"{count} {status}" for status, count in report["statuses"].items())
    typer.echo(f"{report['files']} files, {report['pages']} pages: {counts}")
    typer.echo(f"text in {out / 'markdown'} and {out / 'dolma'}")
    if fallen := [row for row in report["rows"] if row["status"] == "fallback_text"]:
        typer.echo(f"{len(fallen)} pages have the text layer's text, not the model's: {fallen[0]['reason']}")
    lost = sum(report["statuses"].get(status, 0) for status in ("gave_up", "unreadable", "pending"))
    if lost:
        raise PartialError(f"{lost} pages or files have no text; {out / 'report.json'} says why")


@recipe.callback()
def about_recipe() -> None:
    """What a recipe does."""


def recipe_show(name: Annotated[str, typer.Argument(help="Name of a recipe, or a path.")]) -> None:
    """Print the runs of a recipe, in order, with every value resolved."""
    from scriptorium.recipe.plan import make_plan
    from scriptorium.recipe.recipe import load

    for run in make_plan(load(name)).values():
        typer.echo(run.model_dump_json(indent=2))


def main() -> None:
    """Entry point: an error that a person can mend becomes a message on stderr and an exit code."""
    with reported():
        app()
