"""The command `scriptorium serve`: a model server in the foreground, for whoever asks it by URL."""

import os
import secrets
import signal
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
import yaml

from scriptorium.errors import ConfigError
from scriptorium.serve.adapter import adapter_of, load
from scriptorium.serve.endpoint import KEY_VARIABLE
from scriptorium.serve.process import Order, shown_command
from scriptorium.serve.server import check_order, serving
from scriptorium.serve.vllm import Value

LOOK_SECONDS = 1.0


def serve(
    model: Annotated[str, typer.Argument(help="Model folder or hub:org/name@revision.")],
    adapter: Annotated[
        str,
        typer.Option(
            help="Model adapter (config/models); by default the one the model was made with, else qwen2.5-vl."
        ),
    ] = "",
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 finds a free one.", min=0, max=65535)] = 0,
    threads: Annotated[int, typer.Option(help="CPU threads of the server.", min=1)] = 2,
    option: Annotated[
        list[str] | None,
        typer.Option(help="An option of the engine as NAME=VALUE, such as gpu-memory-utilization=0.8."),
    ] = None,
    log: Annotated[Path, typer.Option(help="File for the server's output.")] = Path("scriptorium-serve.log"),
    print_command: Annotated[
        bool, typer.Option(help="Print the engine's command, and start nothing.")
    ] = False,
) -> None:
    """Serve a model on this machine until Ctrl-C, and start it again when it dies.

    It listens on 127.0.0.1 only. vLLM asks for the key in SCRIPTORIUM_API_KEY; if that is not set, a random one
    is made and shown once. `transformers serve` knows no keys.
    """
    if model.startswith(("http://", "https://")):
        raise ConfigError(f"serve {model}: a URL is a server already; name a model folder or hub:org/name")
    settings = load(adapter or adapter_of(model))
    options = dict(parse_option(text) for text in option or [])
    key = os.environ.get(KEY_VARIABLE) or secrets.token_urlsafe(24)
    order = Order(model, settings, threads, log, port, options, key)
    if print_command:
        typer.echo(shown_command(order))
        return
    check_order(order)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    typer.echo(f"starting {model} with {settings.engine}; its output goes to {log}", err=True)
    with serving(model, settings, threads, log, port, options, key) as endpoint:
        if settings.engine == "vllm" and not os.environ.get(KEY_VARIABLE):
            typer.echo(f"export {KEY_VARIABLE}={key}")
        typer.echo(f"ready: --server {endpoint.base_url}#{endpoint.model} --adapter {settings.name}")
        try:
            while True:
                endpoint.check()
                time.sleep(LOOK_SECONDS)
        except KeyboardInterrupt:
            typer.echo("stopping", err=True)


def parse_option(text: str) -> tuple[str, Value]:
    """NAME=VALUE; the value is a number or true or false where it looks like one, else a text."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip("-"):
        raise ConfigError(f"--option {text}: expected NAME=VALUE, such as max-num-seqs=16")
    try:
        read = yaml.safe_load(value)
    except yaml.YAMLError:
        read = value
    return name.strip("-"), read if isinstance(read, bool | int | float) else value
