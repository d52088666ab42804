"""Marked pages as training pairs: `pdfs/<document>_pg<page>.pdf` and `.md`, and `pages.parquet` over them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from scriptorium.convert.documents import Pages, SourceError
from scriptorium.convert.outputs.documents import page_text
from scriptorium.convert.outputs.names import Names
from scriptorium.convert.plan import corpus_of
from scriptorium.convert.viewer.data import text_sha256
from scriptorium.convert.viewer.runs import Row, Run, origin
from scriptorium.convert.viewer.single import write_single
from scriptorium.convert.viewer.targets import Mark, target
from scriptorium.errors import InputError
from scriptorium.files import whole
from scriptorium.pages.front_matter import FrontMatterError
from scriptorium.pages.pdf import PdfError
from scriptorium.progress import track

COLUMNS = ("id", "document", "page", "pdf", "md", "source", "sha256", "verdict", "reason", "group")
"""Of pages.parquet, as every folder of pairs has them."""


class Summary(NamedTuple):
    """How many pages became pairs, could not, and were only marked wrong."""

    kept: int
    rejected: int
    wrong: int


class Unusable(InputError):
    """A marked page that cannot become a pair; the message says why."""


def write_pairs(marks: Sequence[Mark], runs: Sequence[Run], out: Path, cache: Path | None = None) -> Summary:
    """Write the pages marked right or fixed as pairs into the new folder `out`.

    A page that cannot be used has a row with the reason in pages.parquet. Raises InputError if the folder is
    there, or no mark asks for a pair.
    """
    wanted = [mark for mark in marks if mark.mark != "wrong"]
    if not wanted:
        raise InputError(f"marks: none of {len(marks)} is right or fixed; there is nothing to learn from")
    if out.exists():
        raise InputError(f"{out}: is there already; name a new folder with --to")
    found = _rows({(mark.document, mark.page) for mark in wanted}, runs)
    verdicts: list[Row] = []
    with whole(out) as part, Pages(runs[0].plan, cache) as pages:
        (part / "pdfs").mkdir(parents=True)
        names = _names(wanted, found, runs)
        for mark in track(wanted, len(wanted), "pairs"):
            verdicts.append(_verdict(mark, found.get((mark.document, mark.page), {}), names, pages, part))
        _write_index(verdicts, part / "pages.parquet")
    kept = sum(row["verdict"] == "kept" for row in verdicts)
    return Summary(kept, len(verdicts) - kept, len(marks) - len(wanted))


def _rows(keys: set[tuple[str, int]], runs: Sequence[Run]) -> dict[tuple[str, int], dict[str, Row]]:
    """The rows of some pages, by document and page, then by run."""
    found: dict[tuple[str, int], dict[str, Row]] = {}
    for run in runs:
        for row in run.rows():
            if (key := (row["document"], row["page"])) in keys:
                found.setdefault(key, {})[run.id] = row
    return found


def _names(
    marks: Sequence[Mark], found: dict[tuple[str, int], dict[str, Row]], runs: Sequence[Run]
) -> dict[str, str]:
    """A name for every document, whatever the order of the marks."""
    first = {
        mark.document: row for mark in marks for row in found.get((mark.document, mark.page), {}).values()
    }
    names = Names(corpus_of(runs[0].plan))
    order = sorted(first.items(), key=lambda each: (origin(each[1]), each[0]))
    return {document: names.give(row["source"], row.get("member") or "", document) for document, row in order}


def _verdict(mark: Mark, rows: dict[str, Row], names: dict[str, str], pages: Pages, folder: Path) -> Row:
    """Write the pair of a mark; its row of pages.parquet."""
    name = names.get(mark.document, mark.document)
    place = f"pdfs/{name}_pg{mark.page}"
    told = {
        "id": f"{name}_pg{mark.page}",
        "document": name,
        "page": mark.page,
        "sha256": mark.document,
        "group": "",
    }
    try:
        row = _row(mark, rows)
        text = target(mark, row, text_sha256(page_text(row))).encode()
        write_single(row, pages, folder / f"{place}.pdf")
        (folder / f"{place}.md").write_bytes(text)
    except (Unusable, FrontMatterError, PdfError, SourceError, UnicodeEncodeError) as error:
        (folder / f"{place}.pdf").unlink(missing_ok=True)
        why = "the text is not UTF-8" if isinstance(error, UnicodeEncodeError) else str(error)
        source = origin(next(iter(rows.values()))) if rows else ""
        return told | {"pdf": "", "md": "", "source": source, "verdict": "rejected", "reason": why}
    return told | {
        "pdf": f"{place}.pdf",
        "md": f"{place}.md",
        "source": origin(row),
        "verdict": "kept",
        "reason": "",
    }


def _row(mark: Mark, rows: dict[str, Row]) -> Row:
    """The row that a mark is about. A fix has a text of its own, so any run will do. Raises Unusable."""
    if not rows:
        raise Unusable("no such page in the runs that were given")
    if mark.settings in rows:
        return rows[mark.settings]
    if mark.mark == "fixed":
        return next(iter(rows.values()))
    raise Unusable("marked on a text that was read with other settings; name that run too")


def _write_index(rows: list[dict[str, Any]], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.int32() if name == "page" else pa.string()) for name in COLUMNS])
    rows = sorted(rows, key=lambda row: (row["id"], row["source"], row["reason"]))
    pq.write_table(pa.Table.from_pylist(rows, schema), path, compression="zstd")
