"""Commands that write outputs without reading a page: `scriptorium outputs`, `scriptorium import-workspace`."""

from pathlib import Path
from typing import Annotated

import typer

from scriptorium.convert.outputs import flags
from scriptorium.convert.outputs.options import Options, parse
from scriptorium.errors import InputError, PartialError


def outputs(
    out: Annotated[
        str,
        typer.Argument(help="A folder that `convert`, workers or the workflow wrote, or s3://bucket/prefix."),
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
    filters: flags.Filter = None,
) -> None:
    """Write the outputs and the report of a corpus, in other formats or otherwise. No page is read for it.

    Exit code 3: some pages are pending, because workers have not come to them or their documents are gone.
    """
    from scriptorium.convert.place import copied

    options = parse(flags.chosen(locals()), "outputs")
    with copied(out) as folder:
        pending = rebuild(folder, options, out)
    if pending:
        raise PartialError(f"{pending} pages are pending; their rows of the report say so")


def rebuild(out: Path, options: Options, named: str) -> int:
    """Write outputs and report from what lies in `out`, and say how many; the number of pending pages.

    `named`: what a person calls `out`, which may be a copy of a bucket.
    """
    from scriptorium.convert.outputs.write import write_outputs
    from scriptorium.convert.report import write_report
    from scriptorium.job import lease

    plan, store, receipts = out / "plan.parquet", out / "store", receipts_of(out, named)
    with lease(out / "lease"):
        done = write_outputs(plan, store, receipts, out, options)
        report = write_report(plan, store, receipts, out / "report.json", options.filters)
    typer.echo(f"{done.written} documents in {', '.join(f'{named}/{name}' for name in options.formats)}")
    if done.unread or done.dropped:
        typer.echo(
            f"{done.unread} without a page that was read, {done.dropped} dropped; {named}/documents.jsonl says which"
        )
    return int(report["statuses"].get("pending", 0))


def receipts_of(out: Path, named: str) -> list[Path]:
    """The receipts of the shards of the plan in `out`: those of an earlier plan with more shards are passed over.

    `named`: what a person calls `out`. Raises InputError if there are none.
    """
    from scriptorium.convert.plan import shards_of

    found = sorted((out / "shards").glob("*.json"))
    shards = shards_of(out / "plan.parquet") if found else 0
    receipts = [path for path in found if int(path.name.partition(".")[0]) < shards]
    if not receipts:
        raise InputError(f"{named}: no shards/*.json in it; name a folder that a conversion has finished")
    return receipts


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

    options = parse(flags.chosen(locals()), "import-workspace")
    counts = take_over(workspace, out)
    typer.echo(f"{out}: " + ", ".join(f"{count} {status}" for status, count in counts.items()))
    rebuild(out, options, str(out))
