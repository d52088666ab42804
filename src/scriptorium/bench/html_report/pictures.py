"""Pictures of a bench's pages, one file a page, kept from one report to the next."""

import contextlib
import io
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from hashlib import sha256
from pathlib import Path
from queue import SimpleQueue

from PIL import Image

from scriptorium.bench.folder import Bench
from scriptorium.files import whole
from scriptorium.pages.pdf import PdfError, PdfWorker
from scriptorium.progress import track

SIDE = 1280
"""Longest side in pixels: small print of an A4 page can be read."""
QUALITY = 70
EFFORT = 2
"""Of WebP: about 70 kB a page. More effort (4) makes files 3 % smaller in twice the time."""

Pictures = dict[str, str | PdfError]
"""Page id to the name of its picture, or why there is none."""


def draw_pages(bench: Bench, folder: Path, jobs: int = 1) -> Pictures:
    """The pictures of a bench's pages in `folder`, drawn by `jobs` processes.

    A name holds the hash of the PDF: what is there already is not drawn again. Others are removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    workers: SimpleQueue[PdfWorker] = SimpleQueue()
    hashed = cache(lambda pdf: sha256(pdf.read_bytes()).hexdigest()[:16])

    def draw(place: tuple[str, int]) -> str | PdfError:
        pdf, page = bench.root / "pdfs" / place[0], place[1]
        path = folder / f"{hashed(pdf)}-{page}-{SIDE}.webp"
        worker = workers.get()
        try:
            if not path.is_file():
                _draw(worker, pdf, page, path)
            return path.name
        except PdfError as error:
            return error
        finally:
            workers.put(worker)

    places = [(tests[0][1]["pdf"], tests[0][1]["page"]) for tests in bench.pages.values()]
    with contextlib.ExitStack() as stack:
        for _ in range(jobs):
            workers.put(stack.enter_context(PdfWorker()))
        pool = stack.enter_context(ThreadPoolExecutor(jobs))
        drawn = track(pool.map(draw, places), len(places), "pictures")
        found = dict(zip(bench.pages, drawn, strict=True))
    for other in set(folder.glob("*.webp")) - {folder / str(name) for name in found.values()}:
        other.unlink(missing_ok=True)
    return found


def _draw(worker: PdfWorker, pdf: Path, page: int, path: Path) -> None:
    picture = io.BytesIO()
    Image.fromarray(worker.render(pdf, page, SIDE)).save(picture, "WEBP", quality=QUALITY, method=EFFORT)
    with whole(path) as part:
        part.write_bytes(picture.getvalue())
