"""Saying no to a request whose body is still on its way."""

import asyncio
import json

from starlette.types import Receive, Send

from scriptorium.convert.service.problems import Problem

DRAINED = 4 << 20
DRAIN_SECONDS = 2.0
"""Bytes, and seconds, of a body that are read and thrown away: a connection that is closed with bytes unread is
reset, and the answer may be lost with it."""


async def refuse(problem: Problem, receive: Receive, send: Send) -> None:
    """Answer with a problem, and close the connection if there is more of the body than is worth reading."""
    body = json.dumps(problem.body(), ensure_ascii=False).encode()
    fields = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        "connection": "close",
        **problem.headers(),
    }
    if problem.status == 401:
        fields["www-authenticate"] = "Bearer"
    headers = [(name.encode(), value.encode()) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            await _drain(receive)
    except TimeoutError:  # it is slow, or comes to no end
        pass
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _drain(receive: Receive) -> None:
    left = DRAINED
    while left > 0:
        message = await receive()
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return
        left -= len(message["body"])
