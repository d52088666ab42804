"""Commands that write outputs without reading a page: `scriptorium outputs`, `scriptorium import-workspace`."""

from pathlib import Path
from typing import Annotated

import typer

from scriptorium.convert.outputs import flags
from scriptorium.convert.outputs.options import Options, parse
from scriptorium.errors import InputError


def outputs(
    out: Annotated[
        Path, typer.Argument(help="A folder that `convert` or the workflow wrote: plan and store.")
    ],
    formats: flags.Formats = flags.FORMATS,
    failed: flags.Failed = "mark",
    failed_budget: flags.FailedBudget = 0.0,
    join: flags.Join = False,
    marks: flags.Marks = "blank",
    front_matter: flags.FrontMatter = False,
    compression: flags.Compression = None,
    dolma_compat: flags.DolmaCompat = False,
    date: flags.Date = "1970-01-01",
) -> None:
    """Write the outputs of a converted corpus again, in other formats or otherwise. No page is read for it."""
    rebuild(out, parse(flags.chosen(locals()), "outputs"))


def rebuild(out: Path, options: Options) -> None:
    """Write outputs from what lies in `out`, and say how many."""
    from scriptorium.convert.outputs.write import write_outputs
    from scriptorium.job import lease

    receipts = sorted((out / "shards").glob("*.json"))
    if not receipts:
        raise InputError(f"{out}: no shards/*.json in it; name a folder that a conversion has finished")
    with lease(out / "lease"):
        done = write_outputs(out / "plan.parquet", out / "store", receipts, out, options)
    typer.echo(f"{done.written} documents in {', '.join(str(out / name) for name in options.formats)}")
    if done.unread or done.dropped:
        typer.echo(
            f"{done.unread} without a page that was read, {done.dropped} dropped; {out / 'documents.jsonl'} says which"
        )
