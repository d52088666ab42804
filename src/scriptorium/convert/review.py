"""The review queue: the pages that a person should look at, the worst first, with what speaks against each."""

import heapq
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from scriptorium.convert.outputs.documents import pages_of, read_settings
from scriptorium.convert.quality import quality
from scriptorium.files import whole

FILE = "review.jsonl"
COLUMNS = ("source", "member", "id", "document", "page", "status")


def review_queue(
    plan: Path, store: Path, receipts: list[Path], out: Path, below: float = 0.8, most: int = 10_000
) -> list[dict[str, Any]]:
    """Write the rows of the `most` worst pages with a score under `below` to `out`, a JSON object a line.

    A row has the page, its status, `score` and `reasons`. Equal scores are in the order of the plan.
    """
    rows = scored(plan, store, receipts, below)
    worst = heapq.nsmallest(most, rows, key=lambda row: row["score"])
    with whole(out) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        for row in worst:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return worst


def scored(plan: Path, store: Path, receipts: list[Path], below: float) -> Iterator[dict[str, Any]]:
    """The rows of all pages with a score under `below`, in the order of the plan."""
    for page in pages_of(plan, store, read_settings(receipts)):
        found = quality(page)
        if found and found.score < below:
            yield {key: page[key] for key in COLUMNS} | {"score": found.score, "reasons": list(found.reasons)}


def command(
    out: Annotated[
        str, typer.Argument(help="What `convert`, the workflow or workers wrote: a folder or s3://...")
    ],
    below: Annotated[float, typer.Option(min=0, max=1, help="Pages with a lower score.")] = 0.8,
    most: Annotated[int, typer.Option(min=1, help="Pages in the queue.")] = 10_000,
    show: Annotated[int, typer.Option(min=0, help="Pages that are printed.")] = 20,
) -> None:
    """List the pages to look at, the worst first, and why: OUT/review.jsonl. No page is read for it."""
    from scriptorium.convert.outputs.commands import receipts_of
    from scriptorium.convert.place import copied

    with copied(out) as folder:
        receipts = receipts_of(folder, out)
        rows = review_queue(folder / "plan.parquet", folder / "store", receipts, folder / FILE, below, most)
    for row in rows[:show]:
        source = f"{row['source']}::{row['member']}" if row["member"] else row["source"]
        typer.echo(
            f"{row['score']:.2f}  {source}, page {row['page']}, {row['status']}: {'; '.join(row['reasons'])}"
        )
    typer.echo(f"{len(rows)} pages with a score below {below:g} in {out}/{FILE}")
