"""`scriptorium bench convert` and `adapt`: candidates made here, and candidates read again in a dialect."""

from pathlib import Path
from typing import Annotated, Any

import typer

from scriptorium.errors import ConfigError

CANDIDATES = "candidates.yaml"


def convert(
    folder: Annotated[Path, typer.Argument(help="Bench folder: pdfs/, and where candidates go.")],
    specs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SPEC]...",
            help="YAML files of candidates (FOLDER/candidates.yaml by default), or with --source the name of one.",
        ),
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="Only this candidate, may be repeated.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Begin the candidates anew.")] = False,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop at the first page that fails.")
    ] = False,
    source: Annotated[str | None, typer.Option(help="server, model, text-layer or command.")] = None,
    dialect: Annotated[str | None, typer.Option(help="Output adapter of the tool.")] = None,
    repeats: Annotated[int | None, typer.Option(help="Independent texts of each page.")] = None,
    version: Annotated[str | None, typer.Option(help="Release of the tool, to be recorded.")] = None,
    url: Annotated[str | None, typer.Option(help="server: base URL.")] = None,
    model: Annotated[
        str | None, typer.Option(help="server: name; model: folder, hub:org/name or URL.")
    ] = None,
    key_variable: Annotated[
        str | None, typer.Option(help="server: environment variable that holds the key.")
    ] = None,
    prompt: Annotated[str | None, typer.Option(help="server: prompt.")] = None,
    prompt_file: Annotated[Path | None, typer.Option(help="server: file of the prompt.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="server: tokens an answer may have.")] = None,
    temperature: Annotated[float | None, typer.Option(help="server: sampling temperature.")] = None,
    retries: Annotated[int | None, typer.Option(help="server: tries more of a page that fails.")] = None,
    patience: Annotated[float | None, typer.Option(help="server: seconds to wait while it is away.")] = None,
    image_side: Annotated[int | None, typer.Option(help="server, command: longest side, pixels.")] = None,
    timeout: Annotated[float | None, typer.Option(help="server, command: seconds a page may take.")] = None,
    concurrency: Annotated[int | None, typer.Option(help="server, command: pages at once.")] = None,
    adapter: Annotated[str | None, typer.Option(help="model: model adapter.")] = None,
    threads: Annotated[int | None, typer.Option(help="model: CPU threads of its server.")] = None,
    command: Annotated[
        str | None, typer.Option(help="command: words with {pdf}, {image}, {page}, {out}.")
    ] = None,
    output: Annotated[str | None, typer.Option(help="command: pattern of the file below {out}.")] = None,
) -> None:
    """Read every page of a bench with servers, our own conversion, the text layer or any other tool.

    Run again it reads only the pages that are missing or failed. Exit code 3: pages failed, their sidecars say
    why; 5: a server went away.
    """
    given = {
        "source": source, "dialect": dialect, "repeats": repeats, "version": version, "url": url,
        "model": model, "key_variable": key_variable, "prompt": prompt, "prompt_file": prompt_file,
        "max_tokens": max_tokens, "temperature": temperature, "retries": retries, "patience": patience,
        "image_side": image_side, "timeout": timeout, "concurrency": concurrency, "adapter": adapter,
        "threads": threads, "command": command, "output": output,
    }  # fmt: skip
    from scriptorium.bench.candidates.convert import convert as run

    chosen = wanted(folder, specs or [], only or [], {k: v for k, v in given.items() if v is not None})
    run(folder, chosen, force, fail_fast, lambda name, done: typer.echo(f"{folder / name}: {done}"))


def wanted(folder: Path, specs: list[str], only: list[str], given: dict[str, Any]) -> dict[str, Any]:
    """The candidates that a command line asks for. Raises ConfigError."""
    from scriptorium.bench.candidates.specs import parse, read_candidates

    if given:
        if len(specs) != 1 or "source" not in given:
            raise ConfigError("for one candidate by options: its name, --source, and what the source needs")
        return {specs[0]: parse(specs[0], given, "command line")}
    found: dict[str, Any] = {}
    for path in [Path(spec) for spec in specs] or [folder / CANDIDATES]:
        if path.suffix not in (".yaml", ".yml"):
            raise ConfigError(f"{path}: name a .yaml file of candidates, or give --source and its options")
        for name, spec in read_candidates(path).items():
            if name in found:
                raise ConfigError(f"{path}: candidate {name} stands in an earlier file too; rename one")
            found[name] = spec
    if missing := [name for name in only if name not in found]:
        raise ConfigError(f"--only {missing[0]}: no such candidate; there are: {', '.join(found)}")
    return {name: spec for name, spec in found.items() if not only or name in only}


def adapt(
    folder: Annotated[Path, typer.Argument(help="Bench folder.")],
    candidate: Annotated[str, typer.Argument(help="Candidate whose texts are read again.")],
    new: Annotated[str, typer.Argument(help="Name of the candidate that is made.")],
    dialect: Annotated[str, typer.Option(help="Output adapter of the tool that wrote the texts.")],
    ending: Annotated[
        str, typer.Option(help="How the texts' names end, after <pdf>_pg<page>_repeat<n>.")
    ] = ".md",
    force: Annotated[bool, typer.Option("--force", help="Begin NEW anew.")] = False,
) -> None:
    """Read an existing candidate's texts in another tool's dialect, as a new candidate."""
    from scriptorium.bench.candidates.convert import adapt as run

    ending = ending if ending.startswith(".") else f".{ending}"
    typer.echo(f"{folder / new}: {run(folder, candidate, new, dialect, force, ending)}")
