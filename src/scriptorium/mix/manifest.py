"""The manifest of unpacked pages: one row a page that was offered, kept or rejected, as parquet.

`pages.parquet` has the columns that every folder of pairs has; `manifest.parquet` also says the page's id in
its data set, where it was found, what it holds.
"""

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from scriptorium.errors import InputError, ThresholdError
from scriptorium.mix.pairs import COLUMNS

MORE = pa.schema(
    [
        ("row", pa.string()),
        ("url", pa.string()),
        ("page_number", pa.int64()),
        ("bytes", pa.int64()),
        ("characters", pa.int64()),
        ("primary_language", pa.string()),
        ("is_rotation_valid", pa.bool_()),
        ("rotation_correction", pa.int32()),
        ("is_table", pa.bool_()),
        ("is_diagram", pa.bool_()),
    ]
)
"""What the manifest says beside the columns of pages.parquet. `row` is the id in the data set, `page_number` that
of the page in the document it was cut from, rotation is counter-clockwise."""

MANIFEST = pa.schema([*COLUMNS, *MORE])


def write(folder: Path, parts: Iterable[Path]) -> pa.Table:
    """Write manifest.parquet and pages.parquet, sorted by id, out of the manifests of a folder's parts."""
    tables = [pq.read_table(path) for path in parts]
    whole = pa.concat_tables([MANIFEST.empty_table(), *tables])
    whole = whole.sort_by([(name, "ascending") for name in ("id", "source", "reason")])
    pq.write_table(whole, folder / "manifest.parquet", compression="zstd")
    pq.write_table(whole.select(COLUMNS.names), folder / "pages.parquet", compression="zstd")
    return whole


def read(folder: Path) -> list[dict[str, Any]]:
    """The kept rows of a folder's manifest, sorted by id. Raises InputError if it has none."""
    path = folder / "manifest.parquet"
    try:
        return pq.read_table(path, filters=[("verdict", "==", "kept")]).to_pylist()
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{path}: cannot be read ({error}); unpack the data set anew") from error


def tell(table: pa.Table) -> Counter[str]:
    """Say on stderr how many pages were kept and why others were not. Returns the rejects by reason."""
    rejected = table.filter(pc.equal(table["verdict"], "rejected"))["reason"].to_pylist()
    reasons = Counter(reason.partition(":")[0] for reason in rejected)
    print(f"{len(table) - len(rejected)} pages kept, {len(rejected)} rejected", file=sys.stderr)
    for reason, count in sorted(reasons.items()):
        print(f"rejected {count}: {reason}", file=sys.stderr)
    return reasons


def check_budget(folder: Path, table: pa.Table, most: float) -> None:
    """Raise ThresholdError if a larger share of pages than `most` was rejected."""
    rejected = pc.sum(pc.equal(table["verdict"], "rejected")).as_py() or 0
    if rejected > most * len(table):
        raise ThresholdError(
            f"{folder}: {rejected} of {len(table)} pages are rejected, more than the share {most:g} that is allowed; "
            "column `reason` of pages.parquet says why. Mend the source, or allow more."
        )
