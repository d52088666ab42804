"""The command `scriptorium doctor`."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scriptorium.convert.documents import default_cache
from scriptorium.doctor import documents, host, service, software
from scriptorium.doctor.finding import Finding, exit_code
from scriptorium.serve.adapter import adapter_of, load

STYLES = {"ok": "green", "warning": "yellow", "missing": "bold red"}


def doctor(
    files: Annotated[
        list[Path] | None, typer.Argument(help="PDFs to look at: do they open, do they carry their fonts?")
    ] = None,
    server: Annotated[str, typer.Option(help="URL of a running server to try; #NAME picks a model.")] = "",
    model: Annotated[str, typer.Option(help="Model folder or hub:org/name@revision to be served here.")] = "",
    adapter: Annotated[
        str,
        typer.Option(
            help="Model adapter (config/models); by default the one the model was made with, else qwen2.5-vl."
        ),
    ] = "",
    out: Annotated[Path, typer.Option(help="Folder that a conversion would write to.")] = Path(),
    cache: Annotated[Path | None, typer.Option(help="Folder for fetched and unpacked documents.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Look at what this machine has, and say what is missing and how to mend it.

    Exit code 0: nothing is missing; 2: the server or the model that was named does not work; 6: this machine
    lacks something. Warnings change nothing. Keys are never shown.
    """
    findings = [*examine(server, model, adapter, out, cache or default_cache()), *documents.look(files or [])]
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        Console().print(as_table(findings))
    raise typer.Exit(exit_code(findings))


def examine(server: str, model: str, adapter: str, out: Path, cache: Path) -> Iterator[Finding]:
    """Every finding, as it comes. Raises ConfigError for an adapter that is not there."""
    settings = load(adapter or adapter_of(model))
    served_here = bool(model) and not server
    transformers = served_here and settings.engine == "transformers"
    yield from software.look(["serve"] if transformers else [])
    yield from host.look({"outputs": out, "cache": cache}, served_here and settings.engine == "vllm")
    if model:
        yield service.model(model, settings)
    if server:
        yield from service.server(server, settings)


def as_table(findings: list[Finding]) -> Table:
    """The findings as a table for a terminal."""
    table = Table("", "what", "found", "to mend it", box=None, header_style="bold")
    for each in findings:
        state = Text(each.state, STYLES[each.state])
        table.add_row(state, each.what, Text(each.found), Text(each.mend))
    return table
