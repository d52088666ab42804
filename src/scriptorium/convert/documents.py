"""The planned documents as files on this machine: local ones where they lie, the rest out of a cache."""

import contextlib
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scriptorium.convert import archives, remote
from scriptorium.convert.cache import LIMIT, Cache
from scriptorium.convert.inputs import password_key, passwords
from scriptorium.convert.plan import manifests_of
from scriptorium.errors import InputError, blame_host
from scriptorium.files import sha256_file, sha256_json
from scriptorium.pages.drawing import Drawing
from scriptorium.pages.pdf import Drawn, PdfError, Word
from scriptorium.pages.pool import DocumentPool

if TYPE_CHECKING:
    import numpy as np

REMEMBERED = 4096
"""Local files whose hash need not be taken again while they do not change."""


class SourceError(InputError):
    """A planned document that is not there now, or not the one that was planned: its pages stay pending."""


def default_cache() -> Path:
    """The cache of this machine: SCRIPTORIUM_CACHE, else a folder of the user's."""
    named = os.environ.get("SCRIPTORIUM_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "scriptorium" / "documents"


def local(row: dict[str, Any], cache: Cache) -> Path:
    """The file of a plan's row on this machine, its SHA-256 verified. Raises SourceError.

    Fetched or unpacked once a machine, whichever process comes first; one that was killed is continued.
    """
    path = remote.local_path(row["source"])
    if path and not row["member"]:
        _verify(path, row)
        return path
    document = row["document"]
    if cache.has(document):
        return cache.path(document)
    with cache.lock(sha256_json(row["source"])):
        if not cache.has(document):
            if row["member"]:
                _member(row, path, cache)
            else:
                fetched = _fetched(row["source"], cache)
                _verify(fetched, row)
                cache.add(fetched, document)
    return cache.path(document)


def _verify(path: Path, row: dict[str, Any]) -> None:
    try:
        found = sha256_file(path)
    except OSError as error:
        blame_host(error, _label(row))
        raise SourceError(f"{_label(row)}: {error.strerror}; it was there when the plan was made") from error
    if found != row["document"]:
        if path.suffix == ".fetch":
            path.unlink()
        raise SourceError(f"{_label(row)}: changed since the plan was made; plan again")


def _label(row: dict[str, Any]) -> str:
    return remote.shown(row["source"]) + (f"::{row['member']}" if row["member"] else "")


def _fetched(source: str, cache: Cache) -> Path:
    try:
        return remote.fetch(source, cache.spool)
    except remote.FetchError as error:
        raise SourceError(str(error)) from error


def _member(row: dict[str, Any], archive: Path | None, cache: Cache) -> None:
    """Put a member of an archive into the cache; a remote archive stays there as well."""
    if archive:
        _unpack(row, archive, cache)
        return
    name = cache.archive(row["source"])
    if cache.has(name):
        try:
            _unpack(row, cache.path(name), cache)
            return
        except SourceError:  # it is an older one than the plan's, perhaps
            cache.path(name).unlink(missing_ok=True)
    _unpack(row, cache.add(_fetched(row["source"], cache), name), cache)


def _unpack(row: dict[str, Any], archive: Path, cache: Cache) -> None:
    """Put a member into the cache. A tar is read from its start, so what follows comes along while there is room."""
    try:
        kind = archives.archive_kind(archive)
    except OSError as error:
        blame_host(error, _label(row))
        raise SourceError(f"{_label(row)}: {error.strerror}; it was there when the plan was made") from error
    if kind not in ("zip", "tar"):
        raise SourceError(f"{_label(row)}: no archive any more; plan again")
    found = False
    wanted = (lambda name: name == row["member"]) if kind == "zip" else (lambda _: True)
    with contextlib.closing(archives.members(archive, kind, cache.spool, wanted)) as members:
        for member in members:
            if not member.path:
                continue
            document, size = sha256_file(member.path), member.path.stat().st_size
            hit = document == row["document"]
            if hit or (found and size <= cache.room()):
                cache.add(member.path, document)
            else:
                member.path.unlink()
            if found and size > cache.room():
                break
            found = found or hit
            if found and kind == "zip":
                break
    if not found:
        raise SourceError(f"{_label(row)}: gone from the archive, torn or changed; plan again")


class Pages:
    """Pages of planned documents, by the rows of the plan; a context manager that threads may share.

    Methods raise PdfError for what is wrong with a document, SourceError for one that is not there now.
    """

    def __init__(
        self,
        plan: Path | Sequence[str] | None,
        cache: Path | None = None,
        limit: int = LIMIT,
        children: int | DocumentPool = 1,
    ) -> None:
        """`plan`: its file, or the manifests it was made from; without it no passwords are known.

        `children`: processes that open documents, 0 for one a core; or those of the caller, which are closed
        in the end as well.
        """
        self.cache = Cache(cache or default_cache(), limit)
        self.worker = children if isinstance(children, DocumentPool) else DocumentPool(children)
        found = manifests_of(plan) if isinstance(plan, Path) else plan or ()
        self.passwords = passwords(found)
        self._known: OrderedDict[Path, tuple[tuple[int, int, int], str]] = OrderedDict()
        self._turn = threading.Lock()

    def __enter__(self) -> "Pages":
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.close()

    def render(self, row: dict[str, Any], side: int, *, max_scale: float | None = None) -> "np.ndarray":
        """The page as uint8 (H, W, 3) RGB on white, longest side `side` pixels; an image not enlarged."""
        with self._place(row) as (path, password):
            return self.worker.render(path, row["page"], side, max_scale=max_scale, password=password)

    def draw(
        self, row: dict[str, Any], side: int, drawing: Drawing, *, max_scale: float | None = None
    ) -> Drawn:
        """As render, with what drew it; a page of a PDF by another engine if the first one cannot."""
        with self._place(row) as (path, password):
            more = {"second": row["kind"] == "pdf", "max_scale": max_scale, "password": password}
            return self.worker.draw(path, row["page"], side, drawing, **more)

    def text(self, row: dict[str, Any]) -> str:
        """The page's text layer; empty if it has none."""
        with self._place(row) as (path, password):
            return self.worker.text(path, row["page"], password=password)

    def picture(self, row: dict[str, Any]) -> float:
        """The share of the page that its largest picture covers."""
        with self._place(row) as (path, password):
            return self.worker.picture(path, row["page"], password=password)

    def text_fields(self, row: dict[str, Any]) -> int:
        """How many text fields the form of the row's document has."""
        with self._place(row) as (path, password):
            return self.worker.text_fields(path, password=password)

    def words(self, row: dict[str, Any]) -> list[Word]:
        """The words of the text layer with their places; none if there is no layer."""
        with self._place(row) as (path, password):
            return self.worker.words(path, row["page"], password=password)

    def split(self, row: dict[str, Any]) -> bytes:
        """The page of a PDF as a PDF of its own. Same file, same bytes."""
        with self._place(row) as (path, password), self.worker.borrow(path) as worker:
            return worker.split(path, row["page"], password=password)

    @contextlib.contextmanager
    def _place(self, row: dict[str, Any]) -> Iterator[tuple[Path, str | None]]:
        path = self.path(row)
        try:
            yield path, self.passwords.get(password_key(row["source"], row["id"]))
        except PdfError as error:
            if error.reason == "missing":  # between the look and the opening
                raise SourceError(f"{_label(row)}: it went away while it was read; run again") from error
            raise

    def path(self, row: dict[str, Any]) -> Path:
        """As `local`; a local file is hashed again only when it has changed. Raises SourceError."""
        path = remote.local_path(row["source"])
        if path is None or row["member"]:
            return local(row, self.cache)
        try:
            status = path.stat()
        except OSError as error:
            blame_host(error, _label(row))
            raise SourceError(
                f"{_label(row)}: {error.strerror}; it was there when the plan was made"
            ) from error
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        with self._turn:  # many threads want the pages of one document: it is hashed once
            if self._known.get(path) != (stamp, row["document"]):
                local(row, self.cache)
                self._known[path] = (stamp, row["document"])
                if len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
        return path
