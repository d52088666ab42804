"""The audited step of a mix: a folder of pairs to another one, each page that is left out or mended with its reason.

`audit/pages.jsonl` has a line for each drop and each repair, `audit/summary.json` their counts. Files that stay as
they are become hard links, so that the second folder takes next to no disk.
"""

import json
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scriptorium.errors import InputError, ThresholdError
from scriptorium.files import whole, write_json
from scriptorium.mix.contamination import known
from scriptorium.mix.filters import REVISION, Filters
from scriptorium.mix.sieve import URLS, Log, Sieve
from scriptorium.pages.pdf import PdfWorker

Row = dict[str, Any]
AUDIT, SUMMARY = "audit/pages.jsonl", "audit/summary.json"
SHOWN = 3
"""Contaminated pages that an error names; the log has them all."""


def audit(pages: Path, out: Path, filters: Filters, against: list[Path] | None = None) -> Row:
    """Write the pairs of `pages` that the filters let through to `out`, whole or not at all; what was done is returned.

    `against`: bench folders that models are measured on. A page that is known there fails the step (ThresholdError)
    or, with `contamination=drop`, is left out. Raises InputError for folders or files that cannot be used, and
    ThresholdError also where fewer pages are kept than `keep` asks.
    """
    table = read_index(pages)
    asked = filters.contamination != "off" and bool(against)
    measured = known(against or [], filters.contamination_by == "both") if asked else None
    with whole(out) as part, tempfile.TemporaryDirectory() as scratch, PdfWorker() as worker:
        (part / AUDIT).parent.mkdir(parents=True)
        with (part / AUDIT).open("w", encoding="utf-8", newline="\n") as file:
            step = Sieve(table, pages, part, filters, Log(file), worker, measured, Path(scratch))
            reasons = step.run()
        summary = _summary(table, reasons, filters, step.log)
        _refuse(summary, filters, step.known)
        close(pages, part, table, reasons)
        write_json(part / SUMMARY, summary)
    for rule, count in sorted(step.log.dropped.items()):
        print(f"dropped {count}: {rule}", file=sys.stderr)
    for rule, count in sorted(step.log.repaired.items()):
        print(f"repaired {count} pages, {step.log.places[rule]} places: {rule}", file=sys.stderr)
    print(f"{summary['kept']} of {summary['read']} pages kept", file=sys.stderr)
    return summary


def read_index(folder: Path) -> pa.Table:
    """The table `pages.parquet` of a folder of pairs. Raises InputError."""
    path = folder / "pages.parquet"
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{path}: cannot be read ({error}); name a folder of pairs") from error
    wanted = ("id", "document", "pdf", "md", "sha256", "verdict", "reason")
    if missing := [name for name in wanted if name not in table.column_names]:
        raise InputError(f"{path}: no column {missing[0]!r}; make the folder anew")
    return table


def _summary(table: pa.Table, reasons: list[str], filters: Filters, log: Log) -> Row:
    was = sum(verdict == "kept" for verdict in table["verdict"].to_pylist())
    told = {key: str(value) if isinstance(value, Path) else value for key, value in asdict(filters).items()}
    return {
        "read": was,
        "kept": reasons.count(""),
        "revision": REVISION,
        "filters": told,
        "dropped": dict(sorted(log.dropped.items())),
        "repaired": {
            rule: {"pages": log.repaired[rule], "places": log.places[rule]} for rule in sorted(log.repaired)
        },
    }


def _refuse(summary: Row, filters: Filters, contaminated: list[str]) -> None:
    """Raise ThresholdError for known pages, or for too few that are left."""
    for line in contaminated:
        print(f"contaminated {line}", file=sys.stderr)
    if contaminated:
        shown = "; ".join(contaminated[:SHOWN])
        raise ThresholdError(
            f"{len(contaminated)} of {summary['read']} pages are known to the pages that models are measured on: "
            f"{shown}. Take them out (a deny list), write contamination=drop to leave them out, or contamination=off"
        )
    if summary["kept"] < max(1, filters.keep * summary["read"]):
        raise ThresholdError(
            f"{summary['kept']} of {summary['read']} pages are left, keep={filters.keep} asks for more: "
            f"dropped {summary['dropped']}; loosen the filters, or lower keep"
        )


def close(pages: Path, out: Path, table: pa.Table, reasons: list[str]) -> None:
    """Write the index (each row with its reason, "" if it is kept), the tests of what is kept, the addresses."""
    verdicts = ["rejected" if reason else "kept" for reason in reasons]
    columns: dict[str, list[str]] = {"verdict": verdicts, "reason": reasons}
    for name in ("pdf", "md"):
        old = table[name].to_pylist()
        columns[name] = ["" if reason else path for path, reason in zip(old, reasons, strict=True)]
    for name, values in columns.items():
        index = table.schema.get_field_index(name)
        table = table.set_column(
            index, table.schema.field(index), pa.array(values, table.schema.field(index).type)
        )
    pq.write_table(table, out / "pages.parquet", compression="zstd")
    kept = {path.removeprefix("pdfs/") for path in columns["pdf"] if path}
    for path in sorted(pages.glob("*.jsonl")):
        if path.name == URLS:
            (out / AUDIT).parent.mkdir(exist_ok=True)
            shutil.copyfile(path, (out / AUDIT).with_name(URLS))
        else:
            _tests(path, out / path.name, kept)


def _tests(path: Path, out: Path, kept: set[str]) -> None:
    """Copy the tests of pages that are kept, line by line as they are."""
    try:
        lines = [line for line in path.read_text("utf-8").split("\n") if line.strip()]
        left = [line for line in lines if json.loads(line)["pdf"] in kept]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a file of tests ({error!r}); make the folder anew") from error
    if left:
        out.write_text("".join(f"{line}\n" for line in left), "utf-8", newline="\n")
