"""Pictures of a bench's pages, one file a page, kept from one report to the next."""

import contextlib
import io
from hashlib import sha256
from pathlib import Path

from PIL import Image

from scriptorium.bench.folder import Bench
from scriptorium.files import whole
from scriptorium.pages.pdf import PdfError, PdfWorker
from scriptorium.progress import track

SIDE = 1280
"""Longest side in pixels: small print of an A4 page can be read."""
QUALITY = 70
"""Of WebP: about 100 kB a page of print."""


def draw_pages(bench: Bench, folder: Path) -> dict[str, str | PdfError]:
    """Page id to the name of its picture in `folder`, or why there is none.

    A name holds the hash of the PDF: what is there already is not drawn again. Others are removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    hashes: dict[str, str] = {}
    found: dict[str, str | PdfError] = {}
    with PdfWorker() as worker:
        for page, tests in track(bench.pages.items(), len(bench.pages), "pictures"):
            test = tests[0][1]
            pdf = bench.root / "pdfs" / test["pdf"]
            if test["pdf"] not in hashes:
                hashes[test["pdf"]] = sha256(pdf.read_bytes()).hexdigest()[:16]
            path = folder / f"{hashes[test['pdf']]}-{test['page']}-{SIDE}.webp"
            try:
                if not path.is_file():
                    _draw(worker, pdf, test["page"], path)
                found[page] = path.name
            except PdfError as error:
                found[page] = error
    for other in folder.glob("*.webp"):
        if other.name not in found.values():
            with contextlib.suppress(FileNotFoundError):  # another writer of this report removed it
                other.unlink()
    return found


def _draw(worker: PdfWorker, pdf: Path, page: int, path: Path) -> None:
    picture = io.BytesIO()
    Image.fromarray(worker.render(pdf, page, SIDE)).save(picture, "WEBP", quality=QUALITY, method=4)
    with whole(path) as part:
        part.write_bytes(picture.getvalue())
