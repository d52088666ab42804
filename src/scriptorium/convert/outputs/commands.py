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


def import_workspace(
    workspace: Annotated[Path, typer.Argument(help="The folder that an olmOCR pipeline worked in.")],
    out: Annotated[Path, typer.Option(help="New folder for plan, store and outputs.")],
    formats: flags.Formats = flags.FORMATS,
    join: flags.Join = False,
    marks: flags.Marks = "blank",
    front_matter: flags.FrontMatter = False,
    compression: flags.Compression = None,
    dolma_compat: flags.DolmaCompat = False,
    date: flags.Date = "1970-01-01",
) -> None:
    """Take over what an olmOCR pipeline has converted: plan, store, report and outputs, as if converted here.

    `scriptorium bench prepare workspace` makes a candidate of a bench from the same folder.
    """
    from scriptorium.convert.importing import import_workspace as take_over
    from scriptorium.convert.report import write_report

    options = parse(flags.chosen(locals()), "import-workspace")
    counts = take_over(workspace, out)
    typer.echo(f"{out}: " + ", ".join(f"{count} {status}" for status, count in counts.items()))
    rebuild(out, options)
    receipt = out / "shards" / "00000.json"
    write_report(out / "plan.parquet", out / "store", [receipt], out / "report.json")
