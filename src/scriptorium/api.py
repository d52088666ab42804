"""Reading documents from Python: one at a time or many, whole or page by page, sync or async.

    import scriptorium

    document = scriptorium.convert_document("report.pdf", server="http://localhost:8000")
    print(document.markdown())

    with scriptorium.Converter(server="http://localhost:8000") as converter:
        for page in converter.convert_pages(open("report.pdf", "rb")):
            print(page.page, page.status, page.text)

All errors are those of scriptorium.errors.
"""

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypedDict, TypeVar, Unpack

from scriptorium.convert.results import Document, PageResult
from scriptorium.errors import ConfigError

if TYPE_CHECKING:
    from scriptorium.convert.live import Engine, Job, Source

__all__ = [
    "Converter",
    "Document",
    "PageResult",
    "aconvert_document",
    "aconvert_pages",
    "convert_document",
    "convert_pages",
]

IN_FLIGHT = 64
"""Requests at a server at once: enough to fill one, and no strain on the process that this runs in."""
PATIENCE_SECONDS = 600.0
Result = TypeVar("Result")


class Settings(TypedDict, total=False):
    """What a Converter is made with.

    `server`: URL[#MODEL][*WEIGHT] of a running server, or several; or `model`: a folder or
    hub:org/name@revision that is served here on `threads` CPU threads, its output in the file `log`. `adapter`:
    name of a model adapter or a YAML file, by default the one the model was made with. `in_flight`: requests
    that are never exceeded at a server. `patience`: seconds that the servers may stay away before ServerError.
    `store`: a folder of pages that were read before; what is read now is added to it.
    """

    server: str | Sequence[str]
    model: str | os.PathLike[str]
    adapter: str
    threads: int
    in_flight: int
    patience: float
    store: str | os.PathLike[str] | None
    log: str | os.PathLike[str] | None


class Asked(TypedDict, total=False):
    """What is asked of a document: `pages` such as "1-5,7" (all of them otherwise), the `password` of a locked
    PDF, the `name` that messages call it by."""

    pages: str
    password: str | None
    name: str


class Converter:
    """Reads documents with one model. A context manager; threads may share it.

    Nothing is started until the first document: then clients, children and, with `model`, the server stay
    until `close`.
    """

    def __init__(self, **settings: Unpack[Settings]) -> None:
        """`settings`: see Settings. Raises ConfigError unless there is a server or a model, not both."""
        server = settings.get("server", "")
        model = os.fspath(settings.get("model", ""))
        servers = server if isinstance(server, str) else " ".join(server)
        if bool(servers) == bool(model):
            raise ConfigError("Converter: give server=URL or model=DIR, one of them")
        for url in servers.split():
            if not url.startswith(("http://", "https://")):
                raise ConfigError(f"server {url}: not a URL; it starts with http:// or https://")
        if unknown := set(settings) - set(Settings.__annotations__):
            raise ConfigError(f"Converter: unknown {', '.join(sorted(unknown))}")
        self._model, self._settings = servers or model, settings
        self._engine: Engine | None = None
        self._closed = False
        self._turn = threading.Lock()

    def open(self) -> Self:
        """Start what all documents need. Raises ConfigError, or ServerError if no server answers."""
        self.engine()
        return self

    def engine(self) -> "Engine":
        """What all documents share, started if it has not been yet."""
        with self._turn:
            if self._closed:
                raise ConfigError("Converter: it is closed; make another one")
            if self._engine is None:
                self._engine = self._start()
            return self._engine

    def _start(self) -> "Engine":
        from scriptorium.convert.live import Engine
        from scriptorium.serve.adapter import adapter_of, load

        given = self._settings
        store, log = given.get("store"), given.get("log")
        return Engine(
            self._model,
            load(given.get("adapter") or adapter_of(os.fspath(given.get("model", "")))),
            threads=given.get("threads", 2),
            in_flight=given.get("in_flight", IN_FLIGHT),
            patience=given.get("patience", PATIENCE_SECONDS),
            store=Path(store) if store else None,
            log=Path(log) if log else None,
        )

    def close(self) -> None:
        """Stop what is under way, and end clients, children and the server that was started here."""
        with self._turn:
            engine, self._engine, self._closed = self._engine, None, True
        if engine is not None:
            engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.close)

    def job(self, source: "Source", *, ordered: bool = True, most: int = 0, **asked: Unpack[Asked]) -> "Job":
        """A document on its way, not opened yet: see convert.live. `most`: pages it may have, 0 for any."""
        from scriptorium.convert.live import Job, Wish

        return Job(self.engine(), Wish(source, ordered=ordered, most=most, **asked))

    def convert(self, source: "Source", **asked: Unpack[Asked]) -> Document:
        """Read a document: a path, a URI, bytes or an open file. `asked`: see Asked.

        Pages that could not be read are in it, with status and reason. Raises DocumentError (an InputError) for
        a file without a page to read, ServerError, ConfigError or HostError.
        """
        return whole(self.job(source, **asked))

    def convert_pages(
        self, source: "Source", *, ordered: bool = True, **asked: Unpack[Asked]
    ) -> Iterator[PageResult]:
        """The pages of a document as they come; in order, or each as soon as it is there. Errors as `convert`.

        Leaving the loop, and closing the iterator, ends the requests.
        """
        job = self.job(source, ordered=ordered, **asked)
        try:
            yield from job
        finally:
            job.close()

    async def aconvert(self, source: "Source", **asked: Unpack[Asked]) -> Document:
        """As `convert`, in a running event loop. Cancelling ends the requests."""
        async with threaded(lambda: self.job(source, **asked)) as (job, run):
            return await run(lambda: whole(job))

    async def aconvert_pages(
        self, source: "Source", *, ordered: bool = True, **asked: Unpack[Asked]
    ) -> AsyncIterator[PageResult]:
        """As `convert_pages`, in a running event loop. Cancelling ends the requests."""
        async with threaded(lambda: self.job(source, ordered=ordered, **asked)) as (job, run):
            while (page := await run(lambda: next(job, None))) is not None:
                yield page


def whole(job: "Job") -> Document:
    """The document when all of its pages are done, in order."""
    try:
        pages = sorted(job, key=lambda page: page.page)
        return Document(job.name, job.sha256, job.kind, job.page_count, pages)
    finally:
        job.close()


Run = Callable[[Callable[[], Result]], Any]


@contextlib.asynccontextmanager
async def threaded(make: Callable[[], "Job"]) -> AsyncIterator[tuple["Job", Run[Any]]]:
    """A job, and a way to wait for what it does in a thread of its own; the job is stopped when the block ends."""
    loop = asyncio.get_running_loop()
    thread = ThreadPoolExecutor(1, "scriptorium-job")
    made: list[Job] = []

    def begin() -> "Job":
        made.append(make())
        return made[0]

    def run(work: Callable[[], Any]) -> "asyncio.Future[Any]":
        future = loop.run_in_executor(thread, work)
        future.add_done_callback(seen)
        return future

    try:
        job = await loop.run_in_executor(thread, begin)
        yield job, run
    finally:
        for each in made:
            each.cancel()
        thread.submit(closed, made)  # after what the thread is at
        thread.shutdown(wait=False)


def seen(future: "asyncio.Future[Any]") -> None:
    """Take note of a future's error: nobody waits for that of a job that was stopped."""
    if not future.cancelled():
        future.exception()


def closed(jobs: "list[Job]") -> None:
    """Close jobs."""
    for job in jobs:
        job.close()


def convert_document(source: "Source", *, pages: str = "", **settings: Unpack[Settings]) -> Document:
    """Read one document: `Converter(**settings).convert(source)`. A Converter reads many without starting anew."""
    with Converter(**settings) as converter:
        return converter.convert(source, pages=pages)


def convert_pages(
    source: "Source", *, pages: str = "", ordered: bool = True, **settings: Unpack[Settings]
) -> Iterator[PageResult]:
    """The pages of one document as they come: see Converter.convert_pages."""
    with Converter(**settings) as converter:
        yield from converter.convert_pages(source, pages=pages, ordered=ordered)


async def aconvert_document(source: "Source", *, pages: str = "", **settings: Unpack[Settings]) -> Document:
    """As `convert`, in a running event loop."""
    async with Converter(**settings) as converter:
        return await converter.aconvert(source, pages=pages)


async def aconvert_pages(
    source: "Source", *, pages: str = "", ordered: bool = True, **settings: Unpack[Settings]
) -> AsyncIterator[PageResult]:
    """As `convert_pages`, in a running event loop."""
    async with Converter(**settings) as converter:
        found = converter.aconvert_pages(source, pages=pages, ordered=ordered)
        async with contextlib.aclosing(found):  # type: ignore[type-var]
            async for page in found:
                yield page
