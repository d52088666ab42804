"""The answer to a conversion: a line of JSON for each page as it is done, or the whole document in one piece."""

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.types import Send

from scriptorium.api import Run
from scriptorium.convert.results import Document, PageResult
from scriptorium.convert.service.problems import Problem, problem_of
from scriptorium.convert.service.wishes import FORMS, Asked
from scriptorium.errors import ScriptoriumError

if TYPE_CHECKING:
    from scriptorium.convert.live import Job

PICTURE_SIDE = 1100
"""Longest side, pixels, of the picture of a page for people to look at."""
PICTURE_QUALITY = 80
BEAT_SECONDS = 15.0
"""After so long without a page an empty line is sent, so that nobody on the way takes the line for dead."""


class Stalled(Exception):
    """The client takes nothing of its answer."""


class Sender:
    """Sends an answer; knows whether it has begun, for then a fault cannot be a status any more."""

    def __init__(self, send: Send, stall_seconds: float) -> None:
        self._send, self._stall_seconds = send, stall_seconds
        self.begun = False

    async def begin(self, kind: str, **headers: str) -> None:
        """Status 200 and headers."""
        self.begun = True
        fields = {"content-type": kind, "cache-control": "no-store", **headers}
        listed = [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
        await self._send({"type": "http.response.start", "status": 200, "headers": listed})

    async def line(self, value: dict[str, Any]) -> None:
        """A line of JSON."""
        await self.piece(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace") + b"\n")

    async def piece(self, data: bytes) -> None:
        """Some bytes of the body. Raises Stalled if the client does not take those before."""
        try:
            async with asyncio.timeout(self._stall_seconds):
                await self._send({"type": "http.response.body", "body": data, "more_body": True})
        except TimeoutError as error:
            raise Stalled from error

    async def end(self) -> None:
        """The end of the body."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})


async def answer(job: "Job", pages: AsyncIterator[PageResult | None], asked: Asked, sender: Sender) -> None:
    """Answer with the pages of a job that has been started; None among them: nothing new for a while."""
    if asked.form == "ndjson":
        await _stream(job, pages, asked, sender)
    else:
        await _whole(job, pages, asked, sender)


async def steps(job: "Job", run: Run[PageResult | None], deadline: float) -> AsyncIterator[PageResult | None]:
    """The pages of a job, and None now and then while there is none. Raises TimeoutError at `deadline`, a time of
    the event loop."""
    now = asyncio.get_running_loop().time
    while True:
        coming = run(lambda: next(job, None))
        while not (await asyncio.wait({coming}, timeout=min(BEAT_SECONDS, max(0.0, deadline - now()))))[0]:
            if now() >= deadline:
                raise TimeoutError
            yield None
        if coming.result() is None:
            return
        yield coming.result()


async def _stream(job: "Job", pages: AsyncIterator[PageResult | None], asked: Asked, sender: Sender) -> None:
    await sender.begin(FORMS["ndjson"], x_accel_buffering="no")
    head = {"name": job.name, "sha256": job.sha256, "kind": job.kind, "page_count": job.page_count}
    await sender.line({"type": "document", **head, "pages": job.total})
    statuses: dict[str, int] = {}
    try:
        async for page in pages:
            if page is None:
                await sender.piece(b"\n")
                continue
            statuses[page.status] = statuses.get(page.status, 0) + 1
            more = await run_in_threadpool(_extras, job, page, asked) if asked.html or asked.images else {}
            await sender.line({"type": "page", **page.to_dict(), **more})
    except (ScriptoriumError, Problem, TimeoutError) as error:
        await sender.line({"type": "error", **problem_of(error).body()})
    else:
        await sender.line({"type": "end", "statuses": dict(sorted(statuses.items()))})
    await sender.end()


async def _whole(job: "Job", pages: AsyncIterator[PageResult | None], asked: Asked, sender: Sender) -> None:
    found = [page async for page in pages if page is not None]
    found.sort(key=lambda page: page.page)
    document = Document(job.name, job.sha256, job.kind, job.page_count, found)
    text = await run_in_threadpool(_text, document, asked)
    own = {"content_security_policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'"}
    counts = ", ".join(f"{status}={count}" for status, count in document.statuses.items())
    kind = FORMS[asked.form] + ("" if asked.form == "json" else "; charset=utf-8")
    await sender.begin(kind, x_page_statuses=counts, **(own if asked.form == "html" else {}))
    await sender.piece(text.encode("utf-8", "replace"))
    await sender.end()


def _text(document: Document, asked: Asked) -> str:
    if asked.form == "json":
        return json.dumps(document.to_dict(), ensure_ascii=False)
    renderers = {"markdown": document.markdown, "html": document.html, "text": document.plain_text}
    return renderers[asked.form](**asked.output)


def _extras(job: "Job", page: PageResult, asked: Asked) -> dict[str, Any]:
    """What people look at: sanitised HTML of the text, a picture of the page as a data URL or null."""
    from scriptorium.convert.viewer.texts import rendered

    more: dict[str, Any] = {}
    if asked.html:
        more["html"] = rendered(page.text)
    if asked.images:
        more["image"] = picture(job, page)
    return more


def picture(job: "Job", page: PageResult) -> str | None:
    """A JPEG of the page, turned as it was read, as a data URL; None if it cannot be drawn."""
    from PIL import Image

    from scriptorium.convert.documents import SourceError
    from scriptorium.pages.pdf import PdfError
    from scriptorium.pages.rotation import rotate

    row = next(row for row in job.rows if row["page"] == page.page)
    try:
        array = job.engine.documents.draw(row, PICTURE_SIDE, job.engine.adapter.drawing).pixels
    except (PdfError, SourceError):
        return None
    file = io.BytesIO()
    turned = rotate(array, page.rotation) if page.rotation else array
    Image.fromarray(turned).save(file, "JPEG", quality=PICTURE_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")
