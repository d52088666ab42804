"""Documents of every kind that can be converted: PDFs and images, through one limited child process."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from scriptorium.pages.pdf import PageSize, PdfError, PdfWorker

KINDS = ("pdf", "png", "jpeg", "tiff", "webp", "bmp", "gif", "jp2", "heic")


class DocumentWorker(PdfWorker):
    """A PdfWorker that opens images as well: each is a document of one page, a TIFF of one page an image.

    An image is never enlarged, has no text layer, and its size in points is by its own density.
    """

    images = True

    def look(self, path: Path, *, password: str | None = None) -> tuple[str, list[PageSize]]:
        """Kind (one of KINDS, by content) and the size of every page. Raises PdfError."""
        header, _ = self._ask("pages", path, None, password)
        return header["kind"], [PageSize(*size) for size in header["sizes"]]

    def count(self, files: Sequence[tuple[Path, str | None]]) -> Iterator[tuple[str, int] | PdfError]:
        """Kind and number of pages of each of `files`, paths and passwords, or what is wrong with it.

        One request for all: a small file costs a third of what `look` takes. Where a file is the child's end,
        each gets a request of its own.
        """
        try:
            asked = [{"path": str(path), "password": password} for path, password in files]
            header, _ = self._request({"operation": "count", "files": asked}, "several files")
        except PdfError:
            yield from (self._count_one(path, password) for path, password in files)
            return
        for (path, _), found in zip(files, header["found"], strict=True):
            if "reason" in found:
                yield PdfError(found["reason"], f"{path}: {found['message']}")
            else:
                yield found["kind"], found["pages"]

    def _count_one(self, path: Path, password: str | None) -> tuple[str, int] | PdfError:
        try:
            kind, sizes = self.look(path, password=password)
        except PdfError as error:
            return error
        return kind, len(sizes)
