"""The commands `scriptorium inspect` and `scriptorium train`."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def about_train() -> None:
    """Look after a training."""


def inspect(
    sample: Annotated[Path, typer.Argument(help="X.md or X.pdf of a pair, or a .parquet of training rows.")],
    model: Annotated[Path, typer.Option(help="Model folder whose processor makes the tokens.")],
    row: Annotated[int, typer.Option(min=0, help="Row of a .parquet, from 0.")] = 0,
    adapter: Annotated[
        str, typer.Option(help="Model adapter (config/models); by default the one the model was made with.")
    ] = "",
    text_only: Annotated[bool, typer.Option("--text-only", help="The target of pretraining.")] = False,
    out: Annotated[Path, typer.Option(help="HTML page to write.")] = Path("inspect.html"),
) -> None:
    """Show a training sample as the model is given it: tokens, what is learnt, lengths, the image it sees."""
    from scriptorium.files import write_text
    from scriptorium.serve.adapter import adapter_of, load
    from scriptorium.train.inspect import page, read_sample, summary, take_apart

    settings = load(adapter or adapter_of(str(model)))
    found = take_apart(read_sample(sample, row, settings), model, settings, "text" if text_only else "page")
    write_text(out, page(found))
    for line in summary(found):
        typer.echo(line)
    typer.echo(f"every token and the image: {out}")


@app.command()
def status(
    run: Annotated[Path, typer.Argument(help="A run's folder of results, as results/sft.")],
    once: Annotated[bool, typer.Option("--once", help="Print it once and end.")] = False,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks.")] = 2.0,
) -> None:
    """Show how a training is going: step, time left, loss, rate, speed, memory. Live on a terminal."""
    from scriptorium.train.status import describe, read_status

    if once or not sys.stdout.isatty():
        for line in describe(read_status(run)):
            typer.echo(line)
        return
    from rich.live import Live

    with Live(auto_refresh=False) as live:
        while True:
            found = read_status(run)
            live.update("\n".join(describe(found)), refresh=True)
            if found.finished:
                return
            time.sleep(every)
