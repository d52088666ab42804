"""The report of a folder of pairs: counts, a sheet of sample pages beside their truth, and a card of the data set.

`report.html` needs no server, no network and no script; `report.json` has the counts; `README.md` is the card.
"""

import base64
from html import escape
from pathlib import Path

from scriptorium.bench.rendered import rendered
from scriptorium.files import whole, write_json, write_text
from scriptorium.mix.facts import Facts, count
from scriptorium.mix.offered import Offered
from scriptorium.pages import front_matter
from scriptorium.pages.image import encode_png
from scriptorium.pages.pdf import PdfError, PdfWorker
from scriptorium.pages.view import STATIC

SIDE = 900
"""Longest side of a sample page, px."""

STYLE = Path(__file__).with_name("report.css")


def report(folder: Path, out: Path, samples: int = 24, title: str = "", licence: str = "unknown") -> Facts:
    """Write the report of a folder of pairs to the folder `out`, whole or not at all. Same folder, same bytes.

    Raises InputError for a folder without pages.
    """
    facts = count(folder, samples)
    facts.name = title or facts.name
    with whole(out) as part, PdfWorker() as worker:
        part.mkdir()
        write_json(part / "report.json", facts.told())
        write_text(part / "report.html", _html(facts, [_sample(*each, worker) for each in facts.samples]))
        write_text(part / "README.md", card(facts, licence))
    return facts


def _html(facts: Facts, samples: list[str]) -> str:
    css = (STATIC / "page_view.css").read_text("utf-8") + STYLE.read_text("utf-8")
    kept = f"{facts.pages:,} pages of {facts.documents:,} documents, {facts.rejected.total():,} left out"
    tables = [
        _table("Kinds of pages", facts.kinds.most_common()),
        _table("Languages", facts.languages.most_common(30)),
        _table("Characters of a page", facts.histogram),
        _table("Left out, by reason", facts.rejected.most_common()),
        _table(
            "Mended, pages", [(name, each["pages"]) for name, each in facts.audit.get("repaired", {}).items()]
        ),
        _table("Tests by type", facts.tests.most_common()),
        _table("Tests by category", facts.categories.most_common()),
        _table("Rotation, degrees", sorted(facts.rotations.items())),
        _table("Steps of a curriculum", facts.groups.most_common()),
    ]
    body = [
        f"<h1>{escape(facts.name)}</h1><p class=soft>{kept}</p>",
        f'<div class="counts">{"".join(tables)}</div>',
        f"<h2>{len(samples)} sample pages beside their truth</h2>",
        *samples,
    ]
    head = f'<meta charset="utf-8"><title>{escape(facts.name)}</title><style>{css}</style>'
    return (
        f"<!doctype html>\n<html lang=en><head>{head}</head><body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def _table(caption: str, rows: list[tuple[str, int]] | list[tuple[int, int]]) -> str:
    if not rows:
        return ""
    most = max(number for _, number in rows) or 1
    lines = [
        f"<tr><td>{escape(str(name))}</td><td class=number>{number:,}</td>"
        f'<td><span class="bar" style="width:{80 * number / most:.0f}px"></span></td></tr>'
        for name, number in rows
    ]
    return f"<table><caption>{escape(caption)}</caption>{''.join(lines)}</table>"


def _sample(kind: str, page: Offered, worker: PdfWorker) -> str:
    """A page's picture beside its truth as it is read."""
    text = front_matter.body(page.md.read_text("utf-8")) if page.md else ""
    shown = rendered(text, []) if text.strip() else '<p class="nothing">no text</p>'
    return (
        f'<article class="sample"><header>{escape(page.id)} <span class=soft>{escape(kind)}</span></header>'
        f'<div class="picture-side">{_picture(page, worker)}</div>'
        f'<div class="text-body" data-mode="rendered">{shown}</div></article>'
    )


def _picture(page: Offered, worker: PdfWorker) -> str:
    if page.pdf is None:
        return "no PDF"
    try:
        png = encode_png(worker.render(page.pdf, 1, SIDE))
    except PdfError as error:
        return f"cannot be drawn: {escape(error.reason)}"
    return f'<img alt="{escape(page.id)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def card(facts: Facts, licence: str) -> str:
    """The card of a data set, as the hub reads it: what it is made of, and what nobody has said of it yet."""
    languages = sorted(name for name in facts.languages if name != "none")
    sizes = ["n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M"]
    size = sizes[min(len(sizes) - 1, sum(facts.pages >= bound for bound in (1e3, 1e4, 1e5, 1e6)))]
    head = ["---", f"license: {licence}", "task_categories: [image-to-text]", f"size_categories: [{size}]"]
    head += ["language:", *(f"- {name}" for name in languages)] if languages else []
    lengths = ", ".join(f"{name} {value:,}" for name, value in facts.percentiles.items())
    lines = [
        *head,
        "---",
        f"# {facts.name}",
        "",
        f"{facts.pages:,} pages of {facts.documents:,} documents, each a PDF of one page and its text in Markdown: "
        r"tables in HTML, formulas between `\(` `\)` and `\[` `\]`, five lines of front matter.",
        "",
        f"Characters of a page: {lengths}. {facts.formulas:,} formulas, {facts.tables:,} tables.",
        "",
        *_listed("Kinds of pages", facts.kinds),
        *_listed("Languages", facts.languages),
        *_listed("Left out", facts.rejected),
        *_listed("Tests", facts.tests),
        "## Source and licence",
        "",
        f"Licence of this collection: {licence}. The pages' own rights remain; where they came from, and who wrote "
        "their text, is for the publisher to say here.",
        "",
    ]
    return "\n".join(lines)


def _listed(title: str, counts: dict[str, int]) -> list[str]:
    if not counts:
        return []
    rows = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return (
        [f"## {title}", "", "| what | pages |" if title != "Tests" else "| type | tests |", "|---|--:|"]
        + [f"| {name} | {number:,} |" for name, number in rows]
        + [""]
    )
