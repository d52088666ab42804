"""A document on its way in: the bytes of the request, or of an address that it names, into a file with a bound."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.requests import Request

from scriptorium.convert.service.fetch import fetch
from scriptorium.convert.service.limits import Limits
from scriptorium.convert.service.problems import Problem

LONGEST_JSON = 64 << 10


def check_head(request: Request, limits: Limits) -> None:
    """Refuse what the head of the request shows to be of no use. Raises Problem 400, 403, 413 or 415."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith("multipart/"):
        raise Problem(
            415, "MediaType", "send the file itself as the body (curl --data-binary @FILE), not a form"
        )
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem(415, "MediaType", "send the file as it is, without a content-encoding")
    if kind == "application/json" and limits.urls == "none":
        raise Problem(403, "UrlsOff", "this service fetches no addresses: send the file itself as the body")
    length = request.headers.get("content-length", "")
    if length and (not length.isascii() or not length.isdigit()):
        raise Problem(400, "BadRequest", f"content-length: found {length!r}")
    if length and int(length) > limits.size:
        raise too_large(limits, int(length))


def too_large(limits: Limits, size: int | None = None) -> Problem:
    """The answer to a document that is too large."""
    found = f"{size} bytes" if size is not None else "the document is larger"
    return Problem(413, "TooLarge", f"{found}; at most {limits.size} bytes are taken")


@contextlib.asynccontextmanager
async def received(request: Request, path: Path, limits: Limits) -> AsyncIterator[Path]:
    """The document as the file `path`, which goes when the block ends. Raises Problem."""
    try:
        async with asyncio.timeout(limits.upload_seconds):
            if request.headers.get("content-type", "").startswith("application/json"):
                url = _url(await _body(request, LONGEST_JSON))
                await fetch(url, path, limits)
            else:
                await _spool(request, path, limits)
    except TimeoutError as error:
        path.unlink(missing_ok=True)
        message = f"the document did not come within {limits.upload_seconds:g} s"
        raise Problem(408, "Timeout", message) from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    try:
        yield path
    finally:
        with contextlib.suppress(
            PermissionError
        ):  # Windows, while a child has it open: it goes with its folder
            path.unlink(missing_ok=True)


async def _spool(request: Request, path: Path, limits: Limits) -> None:
    size = 0
    with path.open("wb") as file:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limits.size:
                raise too_large(limits)
            file.write(chunk)
    if not size:
        raise Problem(400, "BadRequest", "no document: send the file itself as the body of the request")


async def _body(request: Request, longest: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > longest:
            raise Problem(413, "TooLarge", f"JSON of more than {longest} bytes")
    return bytes(body)


def _url(body: bytes) -> str:
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Problem(400, "BadRequest", f"not JSON: {error}") from error
    if not isinstance(asked, dict) or not isinstance(asked.get("url"), str):
        raise Problem(400, "BadRequest", 'expected JSON such as {"url": "https://..."}')
    return asked["url"]
