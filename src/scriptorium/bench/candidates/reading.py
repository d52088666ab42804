"""The one loop over the pages of a bench: drawn one after the other, read with several in flight.

The workflow's `read.py` keeps what comes in a JSONL file, `convert.py` in a candidate's folder.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from scriptorium.bench.outputs import page_id
from scriptorium.errors import InputError
from scriptorium.pages.drawing import draw
from scriptorium.pages.pdf import PdfError, PdfWorker
from scriptorium.serve.adapter import Adapter
from scriptorium.serve.client import ChatClient
from scriptorium.serve.reader import Reading, read_page

Prepared = TypeVar("Prepared")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Place:
    """A page to be read: its PDF's path below `pdfs/`, its number from 1, which repeat of it from 1."""

    pdf: str
    page: int
    repeat: int = 1

    @property
    def id(self) -> str:
        """The id of the page, the same for all repeats."""
        return page_id(self.pdf, self.page)


@dataclass(frozen=True)
class Source(Generic[Prepared, Result]):
    """A way to read pages.

    `prepare(worker, path, page)` runs in the caller's thread and may raise PdfError; `read(prepared, place)`
    runs in up to `in_flight` threads, and what it raises ends the run. `stop` has waiting reads give up.
    """

    prepare: Callable[[PdfWorker, Path, int], Prepared]
    read: Callable[[Prepared, Place], Result]
    in_flight: int = 1
    stop: Callable[[], None] = lambda: None


def find_pdfs(root: Path) -> list[Path]:
    """Every *.pdf below `root`, in order. Raises InputError if there is none."""
    pdfs = sorted(root.rglob("*.pdf"))
    if not pdfs:
        raise InputError(f"{root}: no *.pdf in it; name a bench folder")
    return pdfs


def places_of(path: Path, root: Path, pdf: PdfWorker) -> Iterator[Place]:
    """Each page of a PDF; of one that cannot be opened, its page 1."""
    try:
        count = len(pdf.pages(path))
    except PdfError:
        count = 1
    for page in range(1, count + 1):
        yield Place(path.relative_to(root).as_posix(), page)


def read_places(
    places: Iterable[Place], root: Path, source: Source[Prepared, Result], pdf: PdfWorker
) -> Generator[tuple[Place, Result | PdfError], None, None]:
    """What each page was read as, or the fault of its PDF, as they come; drawn no further ahead than one.

    Closing it stops the source and waits for the reads that are under way.
    """
    pool = ThreadPoolExecutor(source.in_flight)
    flying: dict[Future[Result], Place] = {}
    try:
        for place in places:
            try:
                prepared = source.prepare(pdf, root / place.pdf, place.page)
            except PdfError as error:
                yield place, error
                continue
            flying[pool.submit(source.read, prepared, place)] = place
            while len(flying) > source.in_flight:
                yield from _landed(flying)
        while flying:
            yield from _landed(flying)
    finally:
        source.stop()
        pool.shutdown(cancel_futures=True)


def _landed(flying: dict[Future[Result], Place]) -> Iterator[tuple[Place, Result]]:
    for future in wait(flying, return_when=FIRST_COMPLETED).done:
        yield flying.pop(future), future.result()


def model_source(client: ChatClient, adapter: Adapter) -> Source[object, Reading]:
    """Our own conversion: pages drawn as the model adapter asks, read with attempts, rotation and salvage."""
    return Source(
        lambda pdf, path, page: (
            draw(pdf, path, page, adapter.image_side, adapter.drawing, max_scale=adapter.max_scale).pixels
        ),
        lambda image, _: read_page(client, adapter, image),  # type: ignore[arg-type]
        client.endpoint.in_flight,
        client.stop,
    )
