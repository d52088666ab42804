"""The command `scriptorium verify`."""

import contextlib
import platform
import re
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from scriptorium.bench.folder import load_bench
from scriptorium.bench.outputs import read_outputs
from scriptorium.bench.read import read_bench
from scriptorium.bench.scoring.scores import score_outputs
from scriptorium.doctor import host
from scriptorium.errors import PartialError, ThresholdError
from scriptorium.files import read_jsonl, write_json, write_text
from scriptorium.receipt import device, weights_sha256
from scriptorium.serve.adapter import adapter_of, load
from scriptorium.serve.external import external
from scriptorium.verify.report import as_markdown, found, match, read

PAGES = Path(__file__).parent / "pages"
EXPECTED = Path(__file__).parent / "expected"
"""Recorded results, `<name of the model>.json`; a model without one is not compared."""
PACKAGES = ("scriptorium", "pypdfium2", "torch", "transformers", "vllm")
LOST = ("gave_up", "unreadable")


def verify(
    model: Annotated[str, typer.Argument(help="Model folder, hub:org/name@revision, or a server's URL.")],
    adapter: Annotated[
        str,
        typer.Option(
            help="Model adapter (config/models); by default the one the model was made with, else qwen2.5-vl."
        ),
    ] = "",
    out: Annotated[Path, typer.Option(help="Folder for the report, the texts and the server's log.")] = Path(
        "verify"
    ),
    expect: Annotated[Path | None, typer.Option(help="A verify.json of another run to compare with.")] = None,
    threads: Annotated[int, typer.Option(help="CPU threads of a server that is started here.", min=1)] = 2,
) -> None:
    """Read five pages with a model, test what it read, and print a report that you can post.

    The pages come with the package. OUT/verify.json holds the texts: give it as --expect elsewhere to see
    whether the same model does the same there. Read pages are kept in OUT; another OUT reads them again.
    Exit code 3: a page has no text; 4: not as recorded.
    """
    settings = load(adapter or adapter_of(model))
    name = name_of(model)
    recorded = expect or EXPECTED / f"{slug(name)}.json"
    expected = read(recorded) if expect or recorded.is_file() else None
    read_bench(PAGES, model, settings, threads, out / "state", out / "pages.jsonl", out / "server.log")
    scores = score_outputs(
        load_bench(PAGES), read_outputs(out / "pages.jsonl"), "verify", nulls=False, explain=False
    )
    rows = read_jsonl(out / "pages.jsonl")
    this = found(name, settings.name, settings.prompt_sha256, system(), rows, scores)
    compared = match(this, expected) if expected else None
    report = as_markdown(this, compared)
    write_json(out / "verify.json", this.to_json())
    write_text(out / "verify.md", report)
    typer.echo(report)
    if lost := [row["pdf"] for row in rows if row["status"] in LOST]:
        raise PartialError(f"no text of {', '.join(lost)}; {out / 'server.log'} may say why")
    if compared and not compared.alike:
        raise ThresholdError(f"not as recorded in {recorded}; {out / 'verify.md'} shows where")


def name_of(model: str) -> str:
    """What to call a model in a report: no path of a machine, no address of a server."""
    if model.startswith(("http://", "https://")):
        return external(model).model
    if model.startswith("hub:"):
        return model.removeprefix("hub:")
    folder = Path(model)
    weights = weights_sha256(folder)[:16] if (folder / "config.json").is_file() else ""
    return f"{folder.resolve().name} {weights}".strip()


def slug(name: str) -> str:
    """A model's name as that of a file, without its revision."""
    return re.sub(r"[^a-z0-9.]+", "-", name.partition("@")[0].lower()).strip("-.")


def system() -> dict[str, str]:
    """Versions and hardware that a report names: those of this machine, where the server may not be."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    gpu = host.gpu(needed=False)
    return versions | {
        "system": f"{platform.system()} {platform.machine()}",
        "device": gpu.found if gpu.state == "ok" else device(),
    }
