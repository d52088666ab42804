"""Documents as somebody brings them: pages are read while they wait, without a plan or a corpus.

The pages of one document go the way that those of a shard go: `look`, `page_rows`, `read_row`, the store if
there is one. An Engine is what documents share; a Job is one document on its way.
"""

import contextlib
import os
import shutil
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO
from uuid import uuid4

from scriptorium.convert import archives, remote
from scriptorium.convert.documents import Pages
from scriptorium.convert.inputs import Document as Input
from scriptorium.convert.inputs import password_key
from scriptorium.convert.look import look
from scriptorium.convert.plan import page_rows
from scriptorium.convert.ranges import parse_ranges
from scriptorium.convert.results import PageResult, page_of
from scriptorium.convert.shard import read_row, settings_of, store_reading
from scriptorium.errors import HostError, InputError
from scriptorium.pages.sheet import budget_for
from scriptorium.pages.store import Store, content_key
from scriptorium.serve.adapter import Adapter
from scriptorium.serve.client import ChatClient
from scriptorium.serve.reader import asking
from scriptorium.serve.several import endpoints
from scriptorium.serve.share import Share, Stopped

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO
"""A path, a URI, the bytes of a file, or an open one."""


class DocumentError(InputError):
    """A document that has no page to read. `reason`: a code, such as damaged, encrypted, not_a_pdf."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


class TooManyPages(InputError):
    """A document with more pages than may be asked for at once."""


@dataclass(frozen=True)
class Wish:
    """What is to be read: the source, ranges of pages as people write them, in which order they are wanted.

    `name`: what messages call the document; `most`: pages that may be read, 0 for any number.
    """

    source: Source
    pages: str = ""
    password: str | None = None
    name: str = ""
    ordered: bool = True
    most: int = 0


class Engine:
    """What all documents share: servers, client, the children that open files, threads. Threads may share it."""

    def __init__(
        self,
        model: str,
        adapter: Adapter,
        *,
        threads: int,
        in_flight: int,
        patience: float,
        store: Path | None = None,
        log: Path | None = None,
    ) -> None:
        """Starts or asks the servers: `model` as `serve.several.endpoints` takes it. Raises as that does."""
        self.adapter, self.model = adapter, model
        self.jobs: set[Job] = set()
        self._turn = threading.Lock()
        with contextlib.ExitStack() as stack:
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="scriptorium-")))
            served = stack.enter_context(
                endpoints(model, adapter, threads, log or self.folder / "server.log", in_flight)
            )
            self.client = stack.enter_context(ChatClient(served, patience, asking(adapter)))
            self.documents = stack.enter_context(Pages(None, children=0))
            self.budget = budget_for(self.documents.worker.size)
            self.ahead = 2 * self.documents.worker.size
            self.settings = settings_of(model, adapter) if store else {}
            self.store = Store(store) if store else None
            self.writer = stack.enter_context(self.store.writer("live")) if self.store else None
            self.pool = ThreadPoolExecutor(self.client.cap + self.ahead, "scriptorium-page")
            stack.callback(self.pool.shutdown, cancel_futures=True)
            self._stack = stack.pop_all()

    def close(self) -> None:
        """Stop what is under way, and end clients and children."""
        with self._turn:
            jobs = list(self.jobs)
        for job in jobs:
            job.cancel()
        for job in jobs:
            job.close()
        self._stack.close()

    def room(self) -> int:
        """Pages that one document may have under way: all have the same share of what the servers take."""
        return max(1, -(-(self.client.room + self.ahead) // max(1, len(self.jobs))))

    def enter(self, job: "Job") -> None:
        """Count a document in."""
        with self._turn:
            self.jobs.add(job)

    def leave(self, job: "Job") -> None:
        """Count a document out."""
        with self._turn:
            self.jobs.discard(job)

    def keep(self, key: str, row: dict[str, Any], reading: Any) -> None:
        """Put a page into the store, if there is one."""
        if self.writer is not None:
            with self._turn:
                store_reading(key, row, reading, self.writer)


class Job(Iterator[PageResult]):
    """A document on its way: an iterator over its pages, for one thread; `cancel` may come from any.

    `start` opens the document; the facts about it are there then.
    """

    def __init__(self, engine: Engine, wish: Wish) -> None:
        self.engine, self.wish = engine, wish
        self.name = wish.name or name_of(wish.source)
        self.sha256 = self.kind = ""
        self.page_count = self.total = 0
        self.client = Share(engine.client)
        self.rows: list[dict[str, Any]] = []
        self._left: deque[tuple[int, dict[str, Any]]] = deque()
        self._flying: dict[Future[PageResult], int] = {}
        self._landed: SimpleQueue[Future[PageResult] | None] = SimpleQueue()
        self._ready: dict[int, PageResult] = {}
        self._given = 0
        self._found: dict[str, dict[str, Any]] = {}
        self._id = uuid4().hex
        self._own: Path | None = None
        self._file: Path | None = None
        self._locked = ""
        self._started = self._stopped = self._closed = False

    def start(self) -> "Job":
        """Open the document. Raises DocumentError if it has no page, TooManyPages, InputError for the ranges."""
        if self._started:
            return self
        self._started = True
        self.engine.enter(self)
        try:
            if self._stopped:
                raise Stopped(f"{self.name}: stopped")
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def _open(self) -> None:
        ranges = parse_ranges(self.wish.pages)
        path = self._file = self._path()
        if archives.archive_kind(path) in ("zip", "tar"):
            raise DocumentError("archive", f"{self.name}: an archive; bring its files one by one")
        asked = Input(path.as_posix(), self._id, ranges, self.wish.password)
        (found,) = look(asked, self.engine.documents.worker, self.engine.documents.cache)
        if found.reason:
            code, _, sentence = found.reason.partition(": ")
            raise DocumentError(code, self._said(sentence))
        if self.wish.password:
            self._locked = password_key(asked.source, self._id)
            self.engine.documents.passwords[self._locked] = self.wish.password
        self.sha256, self.kind, self.page_count = (
            found.row["document"],
            found.row["kind"],
            found.row["pages"],
        )
        self.rows = list(page_rows(found.row, found, 1))
        self.total = len(self.rows)
        if 0 < self.wish.most < self.total:
            raise TooManyPages(
                f"{self.name}: {self.total} pages; at most {self.wish.most} at once: ask for a range of pages"
            )
        self._left = deque(enumerate(self.rows))
        self._look_up()

    def _path(self) -> Path:
        """The document as a file on this machine."""
        source = self.wish.source
        if isinstance(source, str | os.PathLike):
            text = os.fspath(source)
            path = remote.local_path(text)
            if path is None:
                self._own = remote.fetch(text, self.engine.folder / self._id)
                return self._own
            if path.is_dir():
                raise InputError(f"{path}: a folder; bring its files one by one, or run scriptorium convert")
            if not path.is_file():
                raise DocumentError("missing", f"{path}: no such file")
            return path.absolute()
        self._own = self.engine.folder / self._id
        with self._own.open("wb") as file:
            if isinstance(source, bytes | bytearray | memoryview):
                file.write(source)
            else:
                shutil.copyfileobj(_binary(source), file)
        return self._own

    def _said(self, text: str) -> str:
        """A message, with the document's name in place of the file's."""
        return text.replace(str(self._file), self.name)

    def _look_up(self) -> None:
        """What the store has of the pages."""
        engine = self.engine
        if engine.store is None:
            return
        for row in self.rows:
            row["key"] = content_key(row["document"], row["page"], engine.settings)
        found = engine.store.find(row["key"] for row in self.rows if row["status"] == "pending")
        self._found = {key: engine.store.read(place) for key, place in found.items()}

    def __iter__(self) -> "Job":
        return self

    def __next__(self) -> PageResult:
        """The next page, in order or as they come. Raises ServerError, ConfigError, HostError, or Stopped."""
        try:
            self.start()
            return self._next()
        except BaseException:
            self.close()
            raise

    def _next(self) -> PageResult:
        while True:
            if self._stopped:
                raise Stopped(f"{self.name}: stopped")
            self._send()
            ready = self._given if self.wish.ordered else next(iter(self._ready), None)
            if ready is not None and ready in self._ready:
                self._given += 1
                return self._ready.pop(ready)
            if not self._flying:
                raise StopIteration
            future = self._landed.get()
            if future is not None:
                self._ready[self._flying.pop(future)] = future.result()

    def _send(self) -> None:
        """Have as many pages under way as there is room for; what is known already is ready at once."""
        while self._left and len(self._flying) < self.engine.room():
            index, row = self._left.popleft()
            known = self._found.get(row.get("key", ""))
            if known or row["status"] != "pending":
                self._ready[index] = page_of(row | (known or {}))
                continue
            future = self._submit(row)
            self._flying[future] = index
            future.add_done_callback(self._landed.put)

    def _submit(self, row: dict[str, Any]) -> "Future[PageResult]":
        try:
            return self.engine.pool.submit(self._read, row)
        except RuntimeError as error:  # no more threads, or the engine has been closed meanwhile
            if "thread" in str(error):
                raise HostError(f"{error}; this host allows no more (ulimit -u): lower in_flight") from error
            raise Stopped(f"{self.name}: the converter is closed") from error

    def _read(self, row: dict[str, Any]) -> PageResult:
        if self._stopped:
            raise Stopped(f"{self.name}: stopped")
        engine = self.engine
        reading = read_row(row, self.client, engine.adapter, engine.documents, engine.budget)
        if reading is None:
            reason = "missing: the document went away or changed while it was read"
            return page_of(row | {"reason": reason})
        engine.keep(row.get("key", ""), row, reading)
        record = asdict(reading)
        return page_of(row | record | {"reason": self._said(record["reason"])})

    def cancel(self) -> None:
        """Stop: requests end now, and whoever waits for a page gets Stopped. Any thread may say so."""
        self._stopped = True
        self.client.hang_up()
        self._landed.put(None)

    def close(self) -> None:
        """Stop if it is not done, wait until nothing is under way, and leave no file behind."""
        if self._closed:
            return
        self._closed = True
        self.cancel()
        for future in list(self._flying):
            future.cancel()
        wait(list(self._flying))
        self.client.pools.close()
        self.engine.documents.passwords.pop(self._locked, None)
        if self._own is not None:
            if self._own.parent != self.engine.folder:
                shutil.rmtree(self._own.parent, ignore_errors=True)
            else:
                self._own.unlink(missing_ok=True)
        self.engine.leave(self)


def name_of(source: Source) -> str:
    """What messages call a source: its path or URI without keys, the name of an open file, else `document`."""
    if isinstance(source, str | os.PathLike):
        return remote.shown(text) if remote.is_uri(text := os.fspath(source)) else text
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "document"


def _binary(source: Any) -> BinaryIO:
    if not hasattr(source, "read"):
        raise InputError(f"source: found {type(source).__name__}; give a path, a URI, bytes or an open file")
    if isinstance(source.read(0), str):
        raise InputError("source: a file that is open as text; open it with mode 'rb'")
    return source
