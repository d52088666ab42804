"""The command `scriptorium`: what a person runs on one file or one folder."""

import gc
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from scriptorium import __version__
from scriptorium.commands import lazy_group
from scriptorium.console import use_unicode
from scriptorium.convert import run_flags, source_flags
from scriptorium.convert.outputs import flags
from scriptorium.errors import ConfigError, PartialError, reported

COMMANDS = {
    "convert": "scriptorium.cli:convert",
    "convert plan": "scriptorium.convert.commands:plan",
    "convert worker": "scriptorium.convert.commands:worker",
    "outputs": "scriptorium.convert.outputs.commands:outputs",
    "review-queue": "scriptorium.convert.review:command",
    "viewer": "scriptorium.convert.viewer.commands:viewer",
    "import-workspace": "scriptorium.convert.outputs.commands:import_workspace",
    "bench": "scriptorium.bench.commands:app",
    "data": "scriptorium.mix.commands:app",
    "recipe": "scriptorium.cli:recipe",
    "inspect": "scriptorium.train.commands:inspect",
    "train": "scriptorium.train.commands:app",
    "serve": "scriptorium.serve.commands:serve",
    "serve-api": "scriptorium.convert.service.commands:serve_api",
    "doctor": "scriptorium.doctor.commands:doctor",
    "verify": "scriptorium.verify.commands:verify",
}

OBJECTS_BETWEEN_COLLECTIONS = 20_000
"""Imports make many objects and no garbage: Python, which looks for it after 700, does little else a seventh of the
time until the first request."""

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
    source: source_flags.Sources = None,
    out: Annotated[Path | None, typer.Option(help="Folder for text, report and page store.")] = None,
    server: Annotated[
        list[str] | None,
        typer.Option(help="URL[#MODEL][*WEIGHT] of a running server; again for more servers of the model."),
    ] = None,
    model: Annotated[str, typer.Option(help="Model folder or hub:org/name@revision, served here.")] = "",
    adapter: Annotated[
        str,
        typer.Option(
            help="Model adapter (config/models); by default the one the model was made with, else qwen2.5-vl."
        ),
    ] = "",
    threads: Annotated[int, typer.Option(help="CPU threads of a server that is started here.")] = 2,
    in_flight: Annotated[
        int, typer.Option(min=1, help="Most requests at a server at once; how many are sent adapts to it.")
    ] = 1600,
    retry: source_flags.Retry = None,
    lists: source_flags.Lists = None,
    pages: source_flags.PageRanges = "",
    text_layer: source_flags.TextLayer = None,
    jobs: source_flags.Jobs = 1,
    engine: source_flags.Engine = "",
    box: source_flags.Box = "",
    cache: source_flags.CacheFolder = None,
    dry_run: source_flags.DryRun = False,
    pages_per_second: source_flags.PagesPerSecond = 0.0,
    cost_per_million_tokens: source_flags.CostPerMillion = 0.0,
    tokens_per_page: source_flags.TokensPerPage = 2500.0,
    formats: flags.Formats = flags.FORMATS,
    failed: flags.Failed = "mark",
    failed_budget: flags.FailedBudget = 0.0,
    join: flags.Join = False,
    marks: flags.Marks = "blank",
    front_matter: flags.FrontMatter = False,
    compression: flags.Compression = None,
    dolma_compat: flags.DolmaCompat = False,
    date: flags.Date = "1970-01-01",
    filters: flags.Filter = None,
    patience: run_flags.Patience = 600.0,
    idle_timeout: run_flags.IdleTimeout = 120.0,
    total_timeout: run_flags.TotalTimeout = 600.0,
    logprobs: run_flags.Logprobs = False,
    stop_share: run_flags.StopShare = 0.0,
    progress: run_flags.Shown = run_flags.Kind.auto,
    progress_file: run_flags.ProgressFile = None,
    metrics_port: run_flags.MetricsPort = 0,
    metrics_host: run_flags.MetricsHost = "127.0.0.1",
) -> None:
    """Convert PDFs and images to Markdown and Dolma records, or to other formats.

    Run again with the same OUT it repeats no finished page. Exit code 3: some pages have no text, and
    report.jsonl says why.
    """
    from scriptorium.pages.pool import DocumentPool

    children = DocumentPool()
    if not dry_run:
        children.start()  # at once: it takes as long as all the imports that follow
    from scriptorium.convert.corpus import Asked, Sources, convert_corpus
    from scriptorium.convert.display import Display
    from scriptorium.convert.documents import default_cache
    from scriptorium.convert.outputs.options import parse
    from scriptorium.convert.progress import Progress
    from scriptorium.serve.adapter import adapter_of, drawn_with, load
    from scriptorium.serve.client import Asking

    sources, lists, cache = source or [], lists or [], cache or default_cache()
    if dry_run:
        rates = (pages_per_second, cost_per_million_tokens, tokens_per_page)
        show_dry_run(sources, lists, pages, jobs, cache, rates)
        return
    out = folder_for(out)
    served = run_flags.server_or_model(server, model, "convert")
    options = parse(flags.chosen(locals()), "convert")
    settings = drawn_with(load(adapter or adapter_of(model)), engine, box)
    settings = settings.model_copy(update={"text_layer": text_layer or settings.text_layer})
    manner = Asking(timeout=total_timeout, idle=idle_timeout, patience=patience, logprobs=logprobs)
    asked = Asked(served, settings, threads, in_flight, retry or [], manner)
    told = Progress(cost_per_million_tokens, stop_share)
    display = Display(progress.value, progress_file, metrics_port, metrics_host)
    corpus = Sources(sources, lists, pages, jobs, cache, options.filters)
    report = convert_corpus(corpus, asked, out, options, (told, display), children)
    summarise(report, out, options.formats)


def folder_for(out: Path | None) -> Path:
    """The folder to write to. Raises ConfigError if there is none, for a file, and for a bucket's address."""
    if out is None:
        raise ConfigError("convert: give --out, a folder for text, report and page store")
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out}: a file, not a folder; name a folder, or one to be made")
    if re.match(r"[a-z0-9+.-]{2,}:/", out.as_posix()):  # a path has lost one of the slashes
        uri = out.as_posix().replace(":/", "://", 1)
        steps = f"convert plan SOURCE... --out {uri}; convert worker {uri} ...; outputs {uri}"
        raise ConfigError(f"--out {uri}: convert writes to a folder. For a bucket: {steps}")
    return out


def show_dry_run(
    sources: list[str],
    lists: list[str],
    pages: str,
    jobs: int,
    cache: Path,
    rates: tuple[float, float, float],
) -> None:
    """Say what there is to convert. Raises PartialError if some of it cannot be read."""
    from scriptorium.convert.estimate import dry_run, lines

    found = dry_run(sources, lists, pages, jobs, cache, rates)
    for line in lines(found):
        typer.echo(line)
    if found.unreadable:
        raise PartialError(f"{found.unreadable} files or pages cannot be read")


def summarise(report: dict[str, Any], out: Path, formats: Sequence[str]) -> None:
    """Say what came out. Raises PartialError if a page or a file has no text."""
    counts = ", ".join(f"{count} {status}" for status, count in report["statuses"].items())
    typer.echo(f"{report['files']} files, {report['pages']} pages: {counts}")
    typer.echo(f"text in {', '.join(str(out / name) for name in formats)}")
    if fallen := report["statuses"].get("fallback_text"):
        reason = report["first"]["fallback_text"]["reason"]
        typer.echo(f"{fallen} pages have the text layer's text, not the model's: {reason}")
    lost = sum(report["statuses"].get(status, 0) for status in ("gave_up", "unreadable", "pending"))
    if lost:
        raise PartialError(f"{lost} pages or files have no text; {out / 'report.jsonl'} says why")


@recipe.callback()
def about_recipe() -> None:
    """What a recipe does."""


def recipe_show(
    name: Annotated[str, typer.Argument(help="Name of a recipe, or a path.")],
    on: Annotated[
        list[str] | None, typer.Option(help="GPUs to estimate for, as 8xH100; again for others.")
    ] = None,
    price: Annotated[float | None, typer.Option(help="Dollars a GPU and hour, instead of ours.")] = None,
    mfu: Annotated[
        float | None, typer.Option(min=0.01, max=1.0, help="Share of the GPUs' peak, instead of a range.")
    ] = None,
    values: Annotated[
        bool, typer.Option("--json", help="Every run with all values resolved, as JSON.")
    ] = False,
) -> None:
    """Show a recipe: its runs, what they descend from, steps and pages, and what they would cost on some GPUs."""
    from scriptorium.recipe.costs import machine
    from scriptorium.recipe.plan import make_plan
    from scriptorium.recipe.recipe import load
    from scriptorium.recipe.show import lines

    recipe = load(name)
    if values:
        for run in make_plan(recipe).values():
            typer.echo(run.model_dump_json(indent=2))
        return
    machines = [machine(each, price) for each in on or ("1xB200", "8xH100", "8xH200")]
    for line in lines(recipe, machines, mfu):
        typer.echo(line)


def main() -> None:
    """Entry point: an error that a person can mend becomes a message on stderr and an exit code."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    use_unicode()
    with reported():
        app()
