"""Pages of a corpus in the layout of a bench: a PDF a page below `pdfs/`, and a candidate for each run."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from scriptorium.convert.documents import Pages, SourceError
from scriptorium.convert.outputs.documents import READ, page_text
from scriptorium.convert.outputs.names import Names, plain_name
from scriptorium.convert.plan import corpus_of
from scriptorium.convert.viewer.pictures import Wanted, chosen
from scriptorium.convert.viewer.runs import Row, Run, badness, side_by_side
from scriptorium.convert.viewer.single import write_single
from scriptorium.errors import InputError
from scriptorium.files import whole, write_json, write_text
from scriptorium.pages.pdf import PdfError
from scriptorium.progress import track


class Summary(NamedTuple):
    """How many pages are in the bench, and how many of those asked for could not be drawn out."""

    pages: int
    lost: int


def write_bench(runs: Sequence[Run], out: Path, choice: str, cache: Path | None = None) -> Summary:
    """Write the pages that `choice` means (as `pictures.chosen`) as the new bench folder `out`.

    Each is `pdfs/<document>_pg<page>.pdf`, one page, and `<run>/<document>_pg<page>_pg1_repeat1.md`; without a
    text a sidecar `.json` says why. Its tests are still to be written. Raises InputError if the folder is there.
    """
    chosen([], choice)
    if out.exists():
        raise InputError(f"{out}: is there already; name a new folder with --to")
    taken = {page.number for page in chosen(list(_pages(runs)), choice)}
    if not taken:
        raise InputError(f"--pages {choice}: no page is chosen; a bench needs one at least")
    homes = [plain_name(run.name, "", "").replace("/", "_") for run in runs]
    names, given, lost = Names(corpus_of(runs[0].plan)), dict[str, str](), 0
    with whole(out) as part, Pages(runs[0].plan, cache) as pages:
        (part / "pdfs").mkdir(parents=True)
        found = ((number, rows) for number, rows in enumerate(side_by_side(runs)) if number in taken)
        for _, rows in track(found, len(taken), "bench"):
            row = next(each for each in rows if each is not None)
            document = row["document"]
            if document not in given:
                given[document] = names.give(row["source"], row.get("member") or "", document)
            name = f"{given[document]}_pg{row['page']}"
            try:
                write_single(row, pages, part / "pdfs" / f"{name}.pdf")
            except (PdfError, SourceError):
                lost += 1
                continue
            for home, each in zip(homes, rows, strict=True):
                _write_output(part / home / f"{name}_pg1_repeat1", each)
    return Summary(len(taken) - lost, lost)


def _pages(runs: Sequence[Run]) -> Iterator[Wanted]:
    for number, rows in enumerate(side_by_side(runs)):
        row = next(each for each in rows if each is not None)
        if row["page"]:
            yield Wanted(number, 0, {}, 0, min(badness(each) for each in rows if each is not None))


def _write_output(stem: Path, row: Row | None) -> None:
    """A page's text, or beside its place why there is none."""
    if row is None or row["status"] not in READ:
        state = "missing" if row is None or row["status"] == "pending" else "error"
        reason = "not in this run" if row is None else row.get("reason") or row["status"]
        write_json(stem.with_name(f"{stem.name}.json"), {"state": state, "error": reason})
        return
    write_text(stem.with_name(f"{stem.name}.md"), page_text(row))
    if row["status"] == "salvaged" and row.get("finish_reason") == "length":
        write_json(stem.with_name(f"{stem.name}.json"), {"state": "truncated"})
