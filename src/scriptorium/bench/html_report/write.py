"""Writing the report's folder: pictures, a script of data for each page, the index, the viewer's files."""

import html
import shutil
from collections.abc import Sequence
from pathlib import Path
from string import Template

from scriptorium.bench.folder import candidates as candidates_of
from scriptorium.bench.folder import load_bench
from scriptorium.bench.html_report.page_data import Results, index, page_data
from scriptorium.bench.html_report.pictures import Pictures, draw_pages
from scriptorium.bench.html_report.scores_page import scores_page
from scriptorium.bench.outputs import read_candidate
from scriptorium.bench.rules import OLMOCR, STRICT, check_rules
from scriptorium.bench.scoring.scores import score_outputs
from scriptorium.errors import InputError
from scriptorium.files import whole, write_text
from scriptorium.pages import view
from scriptorium.progress import track

STATIC = Path(__file__).parent / "static"
SCRIPTS = ("report.css", "store.js", "filters.js", "rail.js", "inspector.js", "report.js")

MARKER = ".scriptorium-report"
"""The file that says that a folder is a report, which may be written over."""


def write_report(
    folder: Path,
    candidates: Sequence[str],
    out: Path,
    rules: Sequence[str] = (STRICT, OLMOCR),
    *,
    profile: str = "drop-headers",
    jobs: int = 1,
) -> Path:
    """Write the report on candidates of a bench folder (all of them if none is named) to the folder `out`.

    Returns the path of its index.html. Pictures that `out` holds already are used again; a folder with other
    things in it is refused. Raises InputError, TestError, ConfigError.
    """
    check_rules(tuple(rules))
    bench = load_bench(folder)
    names = list(dict.fromkeys(candidates)) or candidates_of(bench.root)
    if not names:
        raise InputError(f"{folder}: no candidate in it; make one with `scriptorium bench convert`")
    outputs = [read_candidate(bench.root, name) for name in names]
    _claim(out)
    scores = [
        score_outputs(bench, each, name, tuple(rules), profile=profile, jobs=jobs, nulls=name == names[0])
        for name, each in zip(names, outputs, strict=True)
    ]  # null candidates are the same for all
    results = Results(bench, scores, list(outputs), tuple(rules))
    pictures = draw_pages(bench, out / "pictures", jobs)
    _write_data(results, pictures, out / "data")
    _copy_static(out / "static")
    name = bench.root.resolve().name
    template = Template((STATIC / "index.html").read_text(encoding="utf-8"))
    page = template.substitute(
        title=html.escape(f"{name}: bench report"), name=html.escape(name), scores=scores_page(results)
    )
    write_text(out / "index.html", page)
    return out / "index.html"


def _claim(out: Path) -> None:
    """Make `out` a report's folder. Raises InputError where it holds something else."""
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / MARKER).is_file())):
        raise InputError(f"{out}: not empty and no report; name a new folder with --out")
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / MARKER, "A report of scriptorium; it is replaced when written again.\n")


def _write_data(results: Results, pictures: Pictures, folder: Path) -> None:
    with whole(folder) as part:
        (part / "pages").mkdir(parents=True)
        pages = list(results.bench.pages)
        for number, page in enumerate(track(pages, len(pages), "report")):
            data = page_data(results, page, pictures[page])
            view.write_call(part / "pages" / f"{number:05}.js", "__page", number, data)
        view.write_call(part / "index.js", "__index", index(results, pictures))


def _copy_static(folder: Path) -> None:
    with whole(folder) as part:
        part.mkdir()
        for name in SCRIPTS:
            shutil.copyfile(STATIC / name, part / name)
        for name in view.FILES:
            shutil.copyfile(view.STATIC / name, part / name)
