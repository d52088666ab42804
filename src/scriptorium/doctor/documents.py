"""PDFs that were named: whether they open, and whether they carry the fonts that their text is set in."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from scriptorium.convert.ranges import shown
from scriptorium.doctor.finding import CONFIG, Finding
from scriptorium.pages.document import DocumentWorker
from scriptorium.pages.pdf import PdfError

MOST_FONTS = 5
"""Names of fonts that are told."""


def look(files: Sequence[Path]) -> Iterator[Finding]:
    """A finding for each file, and one more where pages use fonts that it does not carry."""
    if not files:
        return
    with DocumentWorker() as worker:
        for path in files:
            yield from one(path, worker)


def one(path: Path, worker: DocumentWorker) -> Iterator[Finding]:
    """The findings about one file."""
    try:
        kind, sizes = worker.look(path)
    except PdfError as error:
        yield Finding(path.name, "missing", str(error), MENDS.get(error.reason, ""), CONFIG)
        return
    torn: list[int] = []
    lacking: dict[str, list[int]] = defaultdict(list)
    for page in range(1, len(sizes) + 1):
        try:
            for font in worker.missing_fonts(path, page):
                lacking[font].append(page)
        except PdfError:
            torn.append(page)
    yield Finding(path.name, "ok", f"{kind}, {len(sizes)} pages")
    if torn:
        yield Finding(
            path.name, "warning", f"damaged: pages {shown(torn)}", "qpdf IN.pdf OUT.pdf may mend it"
        )
    if lacking:
        pages = sorted({page for pages in lacking.values() for page in pages})
        names = ", ".join(sorted(lacking)[:MOST_FONTS]) + (", ..." if len(lacking) > MOST_FONTS else "")
        found = f"fonts that are not embedded: {names}; pages {shown(pages)} are drawn with stand-ins"
        mend = "apt-get install fonts-liberation (fonts-noto-cjk), or --engine poppler, which uses fontconfig"
        yield Finding(path.name, "warning", found, mend)


MENDS = {
    "missing": "look at the path",
    "encrypted": "give the password in a manifest, or qpdf --decrypt --password=... IN.pdf OUT.pdf",
    "damaged": "apt-get install poppler-utils for a second look, or qpdf IN.pdf OUT.pdf",
}
"""What may help where a document does not open."""
