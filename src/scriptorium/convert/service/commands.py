"""The command `scriptorium serve-api`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from scriptorium.api import IN_FLIGHT, Converter
from scriptorium.convert.service.limits import Limits, Urls
from scriptorium.errors import ConfigError

KEY_VARIABLE = "SCRIPTORIUM_SERVICE_KEY"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def serve_api(
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
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 finds a free one.", min=0, max=65535)] = 8080,
    at_once: Annotated[int, typer.Option(help="Documents that are read at once.", min=1)] = 4,
    waiting: Annotated[int, typer.Option(help="More of them that may wait; then 429.", min=0)] = 16,
    per_client: Annotated[int, typer.Option(help="Documents of one client among both.", min=1)] = 8,
    megabytes: Annotated[int, typer.Option(help="Size of a document, MiB.", min=1)] = 100,
    max_pages: Annotated[int, typer.Option(help="Pages of a request.", min=1)] = 500,
    upload_seconds: Annotated[float, typer.Option(help="For the sending of a document.", min=1)] = 300.0,
    job_seconds: Annotated[float, typer.Option(help="For the reading of a document.", min=1)] = 3600.0,
    drain_seconds: Annotated[
        float, typer.Option(help="After SIGTERM, for what is being read.", min=1)
    ] = 60.0,
    stall_seconds: Annotated[
        float, typer.Option(help="That a client may take nothing of its answer.", min=1)
    ] = 60.0,
    patience: Annotated[
        float, typer.Option(help="Seconds that the model's servers may stay away; then 503.", min=0)
    ] = 120.0,
    urls: Annotated[
        Urls, typer.Option(help="Addresses that may be named instead of a file: public ones, any, or none.")
    ] = "none",
    key_variable: Annotated[
        str, typer.Option(help="Environment variable with the key that clients must send, if it is set.")
    ] = KEY_VARIABLE,
    open_to_all: Annotated[bool, typer.Option(help="Listen beyond this machine without a key.")] = False,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="Another name that the service is called by, as behind a proxy.")
    ] = None,
    cors_origin: Annotated[
        list[str] | None, typer.Option(help="Origin (https://name) of a site whose pages may ask.")
    ] = None,
    proxy: Annotated[
        str, typer.Option(help="Addresses of proxies whose X-Forwarded-For is believed, with commas.")
    ] = "",
    in_flight: Annotated[int, typer.Option(min=1, help="Most requests at a model's server at once.")] = 4
    * IN_FLIGHT,
    threads: Annotated[int, typer.Option(help="CPU threads of a server that is started here.", min=1)] = 2,
    store: Annotated[
        Path | None, typer.Option(help="Page store: pages that are in it are not read again.")
    ] = None,
    log: Annotated[Path | None, typer.Option(help="File for the output of a server started here.")] = None,
) -> None:
    """Read documents for others over HTTP until Ctrl-C or SIGTERM; with a page to try it in a browser."""
    from scriptorium.convert.service.guard import Rules
    from scriptorium.convert.service.run import serve

    key = os.environ.get(key_variable, "")
    if not key and key_variable != KEY_VARIABLE:
        raise ConfigError(f"--key-variable {key_variable}: the environment variable is not set")
    if host not in LOOPBACK and not key and not open_to_all:
        raise ConfigError(
            f"--host {host}: others reach it there; set {key_variable} to a key, or say --open-to-all"
        )
    converter = Converter(
        server=server or [],
        model=model,
        adapter=adapter,
        threads=threads,
        in_flight=in_flight,
        patience=patience,
        store=store,
        log=log,
    )
    limits = Limits(
        size=megabytes << 20,
        pages=max_pages,
        at_once=at_once,
        waiting=waiting,
        each=per_client,
        upload_seconds=upload_seconds,
        job_seconds=job_seconds,
        drain_seconds=drain_seconds,
        stall_seconds=stall_seconds,
        urls=urls,
    )
    hosts = [*LOOPBACK, *(allow_host or [])] if host in LOOPBACK or allow_host else []
    rules = Rules(key, hosts, cors_origin or [])
    serve(converter, limits, rules, host, port, proxy)
