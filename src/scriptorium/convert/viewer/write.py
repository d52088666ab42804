"""Writing the viewer's folder: pictures, texts in chunks, the index, the page that opens."""

import contextlib
import html
import shutil
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import NamedTuple

from scriptorium.convert.documents import Pages
from scriptorium.convert.viewer.data import CHUNK, SEARCHED, Index, page_value, searched
from scriptorium.convert.viewer.overview import overview
from scriptorium.convert.viewer.pictures import SIDE, Wanted, chosen, draw
from scriptorium.convert.viewer.runs import Row, Run, badness, side_by_side
from scriptorium.errors import InputError
from scriptorium.files import whole, write_text
from scriptorium.pages import view
from scriptorium.progress import counted

STATIC = Path(__file__).parent / "static"
SCRIPTS = (
    "viewer.css",
    "formulas.js",
    "store.js",
    "filters.js",
    "list.js",
    "marks.js",
    "facts.js",
    "viewer.js",
)

MARKER = ".scriptorium-viewer"
"""The file that says that a folder is a viewer, which may be written over."""


class Summary(NamedTuple):
    """What was written: pages, pictures, pages without one that should have it, bytes in all."""

    pages: int
    pictures: int
    faults: int
    bytes: int


def write_viewer(
    runs: Sequence[Run],
    out: Path,
    pages: str = "worst:500",
    side: int = SIDE,
    jobs: int = 1,
    cache: Path | None = None,
) -> Summary:
    """Write the viewer of one run, or of two side by side, to the folder `out`; its page is `index.html`.

    `pages`: those that are drawn, as `pictures.chosen` takes them; texts are there for all. A viewer that is
    there is replaced, its pictures are used again. Raises InputError for a folder with other things in it.
    """
    chosen([], pages)  # a wrong word is told before the work, not after it
    _claim(out)
    with whole(out / "data") as part:
        index, all_pages = _write_texts(runs, part)
        wanted = chosen(all_pages, pages)
        faults = _draw(wanted, runs, out / "pictures", side, jobs, cache)
        known = sorted(set(faults.values()))
        for page in wanted:
            fault = faults.get(page.number)
            index.rows[page.number][2] = known.index(fault) + 1 if fault else 0
        view.write_call(part / "index.js", "__index", index.value(runs[0].name, known, side))
    _copy_static(out / "static")
    _write_page(index, out)
    return Summary(len(index.rows), len(wanted) - len(faults), len(faults), _size(out))


def _claim(out: Path) -> None:
    """Make `out` a viewer's folder. Raises InputError where it holds something else."""
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / MARKER).is_file())):
        raise InputError(f"{out}: not empty and no viewer; name a new folder with --to")
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / MARKER, "A viewer of scriptorium; it is replaced when written again.\n")


def _write_texts(runs: Sequence[Run], folder: Path) -> tuple[Index, list[Wanted]]:
    """Write the chunks of all pages; the index, and the pages that could be drawn."""
    for name in ("pages", "texts"):
        (folder / name).mkdir(parents=True)
    index, wanted = Index(runs), list[Wanted]()
    chunk: list[object] = []
    words: list[str] = []

    def flush(last: bool) -> None:
        count = len(index.rows)
        if chunk and (last or len(chunk) == CHUNK):
            number = (count - 1) // CHUNK
            view.write_call(folder / "pages" / f"{number:05}.js", "__pages", number, chunk)
            chunk.clear()
        if words and (last or len(words) == SEARCHED):
            number = (count - 1) // SEARCHED
            view.write_call(folder / "texts" / f"{number:05}.js", "__texts", number, words)
            words.clear()

    for rows in counted(side_by_side(runs), "pages"):
        index.add(rows)
        wanted += _wanted(rows, len(index.rows) - 1)
        chunk.append(page_value(rows))
        words.append(searched(rows))
        flush(last=False)
    flush(last=True)
    return index, wanted


def _wanted(rows: Sequence[Row | None], number: int) -> list[Wanted]:
    """The page as one to draw, as the first run that has it turned it; none where there is no page."""
    run, row = next((run, row) for run, row in enumerate(rows) if row is not None)
    if not row["page"]:
        return []
    planned = {key: row.get(key) or "" for key in ("document", "source", "member", "id", "page")}
    worst = min(badness(each) for each in rows if each is not None)
    return [Wanted(number, run, planned, int(row.get("rotation") or 0), worst)]


def _draw(
    wanted: Sequence[Wanted], runs: Sequence[Run], folder: Path, side: int, jobs: int, cache: Path | None
) -> dict[int, str]:
    with contextlib.ExitStack() as stack:
        sources = [stack.enter_context(Pages(run.plan, cache, children=jobs)) for run in runs]
        return draw(wanted, sources, folder, side, jobs)


def _copy_static(folder: Path) -> None:
    with whole(folder) as part:
        part.mkdir()
        for name in SCRIPTS:
            shutil.copyfile(STATIC / name, part / name)
        for name in (*view.FILES, view.KATEX.name, "LICENSE.katex"):
            shutil.copyfile(view.STATIC / name, part / name)


def _write_page(index: Index, out: Path) -> None:
    name = " and ".join(run.name for run in index.runs)
    template = Template((STATIC / "index.html").read_text(encoding="utf-8"))
    page = template.substitute(
        title=html.escape(f"{name}: pages"), name=html.escape(name), overview=overview(index)
    )
    write_text(out / "index.html", page)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
