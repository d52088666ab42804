"""The command line's flags for how servers are asked and how a run is shown, shared by the commands that read pages."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from scriptorium.errors import ConfigError


class Kind(StrEnum):
    """How the progress is shown."""

    auto = "auto"
    table = "table"
    lines = "lines"
    json = "json"
    none = "none"


Patience = Annotated[
    float, typer.Option(min=0, help="Seconds that all servers may stay away before the run ends.")
]
IdleTimeout = Annotated[
    float, typer.Option(min=0.1, help="Seconds of silence in a streamed answer before it is asked for again.")
]
TotalTimeout = Annotated[
    float, typer.Option(min=0.1, help="Seconds that one answer may take before it is asked for again.")
]
Logprobs = Annotated[
    bool, typer.Option("--logprobs", help="Keep the mean log-probability of each page's tokens.")
]
StopShare = Annotated[
    float,
    typer.Option(
        "--stop-after-failed-share",
        min=0,
        max=1,
        help="End with code 4 if the model fails on more than this share of the first 500 pages; 0: never.",
    ),
]
Shown = Annotated[
    Kind, typer.Option(help="On stderr; auto: a table on a terminal, else a line now and then.")
]
ProgressFile = Annotated[Path | None, typer.Option(help="File to which the progress is added as JSON lines.")]
MetricsPort = Annotated[int, typer.Option(min=0, max=65535, help="Port of /metrics for Prometheus; 0: none.")]
MetricsHost = Annotated[str, typer.Option(help="Address at which /metrics is served.")]


def server_or_model(server: list[str] | None, model: str, command: str) -> str:
    """What `--server` or `--model` names: URLs with spaces between them, or the model. Raises ConfigError."""
    if bool(server) == bool(model):
        raise ConfigError(f"{command}: give --server URL or --model DIR, one of them")
    for url in server or []:
        if not url.startswith(("http://", "https://")):
            raise ConfigError(f"--server {url}: not a URL; it starts with http:// or https://")
    return " ".join(server or []) or model
