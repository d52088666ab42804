"""Parquet: a row a page, in the order of the plan."""

from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from scriptorium.convert.outputs.documents import Document
from scriptorium.convert.outputs.options import Options
from scriptorium.convert.outputs.pages import row

ROWS = 2000
"""Pages in a row group, and in memory."""
SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("member", pa.string()),
        ("id", pa.string()),
        ("document", pa.string()),
        ("page", pa.int32()),
        ("pages", pa.int32()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("text", pa.string()),
        ("score", pa.float64()),
        ("primary_language", pa.string()),
        ("is_rotation_valid", pa.bool_()),
        ("rotation_correction", pa.int32()),
        ("is_table", pa.bool_()),
        ("is_diagram", pa.bool_()),
        ("rotation", pa.int32()),
        ("finish_reason", pa.string()),
        ("attempts", pa.int32()),
        ("prompt_tokens", pa.int64()),
        ("tokens", pa.int64()),
    ]
)
FILE = "pages.parquet"


class Writer:
    """Writes `pages.parquet` into a folder that it makes."""

    def __init__(self, folder: Path, options: Options) -> None:
        del options  # it has none of its own
        folder.mkdir(parents=True)
        self.file = pq.ParquetWriter(folder / FILE, SCHEMA, compression="zstd")
        self.rows: list[dict[str, Any]] = []

    def add(self, document: Document) -> str:
        """Add the pages of a document; the name of the file."""
        for page in document.pages:
            found = row(document, page)
            self.rows.append({name: found.get(name) for name in SCHEMA.names})
            if len(self.rows) >= ROWS:
                self.flush()
        return FILE

    def flush(self) -> None:
        """Write the rows that wait."""
        if self.rows:
            self.file.write_table(pa.Table.from_pylist(self.rows, schema=SCHEMA))
        self.rows = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.flush()
        self.file.close()
