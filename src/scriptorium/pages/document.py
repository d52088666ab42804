"""Documents of every kind that can be converted: PDFs and images, through one limited child process."""

from pathlib import Path

from scriptorium.pages.pdf import PageSize, PdfWorker

KINDS = ("pdf", "png", "jpeg", "tiff", "webp", "bmp", "gif")


class DocumentWorker(PdfWorker):
    """A PdfWorker that opens images as well: each is a document of one page, a TIFF of one page an image.

    An image is never enlarged, has no text layer, and its size in points is by its own density.
    """

    images = True

    def look(self, path: Path, *, password: str | None = None) -> tuple[str, list[PageSize]]:
        """Kind (one of KINDS, by content) and the size of every page. Raises PdfError."""
        header, _ = self._ask("pages", path, None, password)
        return header["kind"], [PageSize(*size) for size in header["sizes"]]
