"""The commands of a fleet: `scriptorium convert plan` makes the plan, `scriptorium convert worker` works through it."""

from typing import Annotated

import typer

from scriptorium.convert import run_flags, source_flags
from scriptorium.convert.outputs import flags

SHARDS = 16


def plan(
    out: Annotated[str, typer.Option(help="Folder, or s3://bucket/prefix, for plan, store and outputs.")],
    source: source_flags.Sources = None,
    shards: Annotated[
        int, typer.Option(min=1, help="Parts that workers take one at a time; 2,000 to 10,000 pages each.")
    ] = SHARDS,
    lists: source_flags.Lists = None,
    pages: source_flags.PageRanges = "",
    jobs: source_flags.Jobs = 1,
    cache: source_flags.CacheFolder = None,
    filters: flags.Filter = None,
) -> None:
    """Plan a conversion for workers: one row a page, in shards.

    Every worker must be able to open the sources as they are written here: use URIs, or a file system that all share.
    Planned again after files have come, no page is read twice; keep the number of shards.
    """
    from scriptorium.convert.documents import default_cache
    from scriptorium.convert.filters import parse
    from scriptorium.convert.place import PLAN, writable
    from scriptorium.convert.plan import plan_corpus, statuses

    with writable(out) as folder:
        plan_corpus(
            source or [],
            shards,
            folder / PLAN,
            lists=lists or [],
            pages=pages,
            jobs=jobs,
            cache=cache or default_cache(),
            filters=parse(filters or []),
        )
        counts = ", ".join(f"{count} {status}" for status, count in statuses(folder / PLAN).items())
    typer.echo(f"planned {counts} in {shards} shards")
    typer.echo(f"now start workers: scriptorium convert worker {out} --server URL")


def worker(
    out: Annotated[str, typer.Argument(help="Folder, or s3://bucket/prefix, with a plan (`convert plan`).")],
    server: Annotated[
        list[str] | None,
        typer.Option(
            help="URL, URL#MODEL or URL*WEIGHT of a running server; again for more servers of the model."
        ),
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
    text_layer: source_flags.TextLayer = None,
    engine: source_flags.Engine = "",
    box: source_flags.Box = "",
    retry: source_flags.Retry = None,
    cache: source_flags.CacheFolder = None,
    lease_seconds: Annotated[
        float, typer.Option(help="Silence after which others take a shard; the same for all workers.")
    ] = 180.0,
    heartbeat_seconds: Annotated[float, typer.Option(help="Between two signs of life.")] = 30.0,
    patience: run_flags.Patience = 600.0,
    idle_timeout: run_flags.IdleTimeout = 120.0,
    total_timeout: run_flags.TotalTimeout = 600.0,
    logprobs: run_flags.Logprobs = False,
    stop_share: run_flags.StopShare = 0.0,
    cost_per_million_tokens: source_flags.CostPerMillion = 0.0,
    progress: run_flags.Shown = run_flags.Kind.auto,
    progress_file: run_flags.ProgressFile = None,
    metrics_port: run_flags.MetricsPort = 0,
    metrics_host: run_flags.MetricsHost = "127.0.0.1",
) -> None:
    """Convert the shards of a plan, together with any number of other workers, until every page is done.

    Start as many as you like, on as many machines, and stop them as you like. Exit code 3: documents of some pages are
    gone. `scriptorium outputs OUT` then writes the text.
    """
    from scriptorium.convert.display import Display, showing
    from scriptorium.convert.documents import default_cache
    from scriptorium.convert.progress import Progress
    from scriptorium.convert.worker import Job, work
    from scriptorium.serve.adapter import adapter_of, drawn_with, load
    from scriptorium.serve.client import Asking

    served = run_flags.server_or_model(server, model, "convert worker")
    settings = drawn_with(load(adapter or adapter_of(model)), engine, box)
    settings = settings.model_copy(update={"text_layer": text_layer or settings.text_layer})
    told = Progress(cost_per_million_tokens, stop_share)
    job = Job(
        where=out,
        model=served,
        adapter=settings,
        threads=threads,
        cache=cache or default_cache(),
        in_flight=in_flight,
        retry=[str(each) for each in retry or []],
        lease=lease_seconds,
        heartbeat=heartbeat_seconds,
        manner=Asking(timeout=total_timeout, idle=idle_timeout, patience=patience, logprobs=logprobs),
        progress=told,
    )
    with showing(told, Display(progress.value, progress_file, metrics_port, metrics_host)):
        found = work(job)
    counts = ", ".join(f"{count} {status}" for status, count in sorted(found.items()))
    typer.echo(f"{out}: every page is done: {counts or 'there are none'}")
    typer.echo(f"the text: scriptorium outputs {out}")
