"""Single-page pairs rendered once to training rows: a parquet file that a trainer maps into memory."""

import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scriptorium.errors import InputError
from scriptorium.files import read_jsonl, whole
from scriptorium.mix.pairs import kept_pages
from scriptorium.pages import front_matter
from scriptorium.pages.front_matter import FrontMatterError
from scriptorium.pages.image import encode_png
from scriptorium.pages.pdf import PdfError, PdfWorker
from scriptorium.progress import track

COLUMNS = pa.schema(
    [
        ("id", pa.string()),
        ("document", pa.string()),
        ("page", pa.int32()),
        ("image", pa.binary()),
        ("text", pa.string()),
        ("tests", pa.string()),
        ("group", pa.string()),
    ]
)
"""The columns of a file of rows. `text` is null for a page that has tests and no truth."""

GROUP_ROWS = 1000
"""Rows in a row group: what a writer holds in memory, and a reader at least reads."""

SETTINGS: dict[str, Any] = {
    "version": "2.6",
    "data_page_version": "1.0",
    "compression": {name: "none" if name == "image" else "zstd" for name in COLUMNS.names},
    "compression_level": {name: 3 for name in COLUMNS.names if name != "image"},
    "use_dictionary": ["document", "group"],
    "write_statistics": ["id"],
}
"""Writer settings, all fixed, so that the same rows are the same bytes. PNG is packed already."""

Row = dict[str, Any]


def pack(pages: Path, out: Path, side: int, max_scale: float | None = None) -> None:
    """Render the kept pages of `pages` (longest side `side` px, less by `max_scale`) to `out`, sorted by id.

    A page that cannot be rendered or whose truth cannot be read is left out, and said so on stderr. Raises
    InputError when no page is left, or for a test file that cannot be read.
    """
    kept = kept_pages(pages)
    tests = _tests(pages)
    count = 0
    with whole(out) as part:
        with pq.ParquetWriter(part, COLUMNS, **SETTINGS) as writer, PdfWorker() as worker:
            rows = _rows(kept, pages, tests, worker, side, max_scale)
            while batch := list(islice(rows, GROUP_ROWS)):
                writer.write_table(pa.Table.from_pylist(batch, COLUMNS), row_group_size=GROUP_ROWS)
                count += len(batch)
        if not count:
            raise InputError(f"{pages}: none of {len(kept)} kept pages can be rendered; the log says why")
    print(f"{count} rows, {len(kept) - count} pages left out", file=sys.stderr)


def _tests(pages: Path) -> dict[str, list[Row]]:
    """The tests of each PDF, in the order of the files' names and of their lines."""
    tests: dict[str, list[Row]] = {}
    for path in sorted(pages.glob("*.jsonl")):
        try:
            for test in read_jsonl(path):
                tests.setdefault(test["pdf"], []).append(test)
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: not a file of tests ({error!r}); make the folder anew") from error
    return tests


def _rows(
    kept: list[Row],
    pages: Path,
    tests: dict[str, list[Row]],
    worker: PdfWorker,
    side: int,
    max_scale: float | None,
) -> Iterator[Row]:
    """The rows of the kept pages that can be rendered and read."""
    for page in track(kept, len(kept), "pages rendered"):
        try:
            text = _text(pages, page)
            image = encode_png(worker.render(pages / page["pdf"], 1, side, max_scale=max_scale))
        except (PdfError, FrontMatterError, OSError, UnicodeDecodeError) as error:
            print(f"left out {page['id']}: {error}", file=sys.stderr)
            continue
        own = tests.get(page["pdf"].removeprefix("pdfs/"), [])
        row = {name: page[name] for name in ("id", "document", "page", "group")}
        yield row | {"image": image, "text": text, "tests": json.dumps(own, ensure_ascii=False)}


def _text(pages: Path, page: Row) -> str | None:
    """The truth of a page, checked; None if it has none."""
    if not page["md"]:
        return None
    text = (pages / page["md"]).read_bytes().decode("utf-8")
    front_matter.decode(text)
    return text
