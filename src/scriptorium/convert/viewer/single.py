"""One page of a corpus as a PDF of its own, upright, whatever its document is."""

from pathlib import Path
from typing import Any

from scriptorium.convert.documents import Pages
from scriptorium.pages.single import IMAGE_SIDE, image_pdf


def write_single(row: dict[str, Any], pages: Pages, path: Path) -> None:
    """Write the page of a row to `path`, turned as its reading was. Same page, same bytes.

    Raises PdfError or SourceError if it cannot be had.
    """
    rotation = int(row.get("rotation") or 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    if (row.get("kind") or "pdf") != "pdf":
        path.write_bytes(image_pdf(pages.render(row, IMAGE_SIDE), rotation))
        return
    path.write_bytes(pages.split(row))
    if rotation:
        with pages.worker.borrow(path) as worker:
            path.write_bytes(worker.turned(path, 360 - rotation))
