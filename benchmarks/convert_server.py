"""A chat completions server that costs next to nothing: what a client can do shows against it.

It answers every request with the same page, in one piece or streamed as it is asked, and prints its port.
With `--hold N` it answers none before N are in flight. GET /seen tells how many requests came, the most at one
time, and when the first came and the last answer went (seconds since 1970).

    python benchmarks/convert_server.py --hold 0
"""

import argparse
import asyncio
import json
import time

TEXT = (
    "---\nprimary_language: en\nis_rotation_valid: True\nrotation_correction: 0\nis_table: False\n"
    "is_diagram: False\n---\n" + "The page says a few hundred words, as pages do. " * 60
)
USAGE = {"prompt_tokens": 1600, "completion_tokens": 700, "total_tokens": 2300}
PIECE = 40
"""Characters of a streamed piece; a server sends one for every token or every few."""


class Server:
    """Counts what it sees."""

    def __init__(self, hold: int) -> None:
        self.hold = hold
        self.requests = self.flying = self.most = 0
        self.first = self.last = 0.0
        self.released = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, request after request."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self.reply(head, reader, writer)
                if b"connection: close" in head.lower():
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def reply(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request and answer it."""
        if head.startswith(b"GET"):
            seen = {"requests": self.requests, "most": self.most, "first": self.first, "last": self.last}
            known = json.dumps({"data": [{"id": "olmocr"}], "object": "list"} | seen)
            whole(writer, known) if b"/metrics" not in head else missing(writer)
            return
        self.first = self.first or time.time()
        self.requests += 1
        self.flying += 1
        self.most = max(self.most, self.flying)
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        if self.requests >= self.hold:
            self.released.set()
        await self.released.wait()
        if b'"stream": true' in body[:2000] or b'"stream": true' in body[-2000:]:
            stream(writer)
        else:
            message = {"role": "assistant", "content": TEXT}
            choice = {"index": 0, "finish_reason": "stop", "message": message}
            whole(writer, json.dumps({"choices": [choice], "usage": USAGE}))
        await writer.drain()
        self.flying -= 1
        self.last = time.time()


def whole(writer: asyncio.StreamWriter, text: str) -> None:
    """Answer with a JSON text."""
    data = text.encode()
    writer.write(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(data) + data
    )


def missing(writer: asyncio.StreamWriter) -> None:
    """Answer that there is no such address."""
    writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")


def stream(writer: asyncio.StreamWriter) -> None:
    """Answer with server-sent events in chunks."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    pieces = [TEXT[start : start + PIECE] for start in range(0, len(TEXT), PIECE)]
    for piece in pieces:
        send(writer, {"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]})
    send(writer, {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    send(writer, {"choices": [], "usage": USAGE})
    data = b"data: [DONE]\n\n"
    writer.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data))


def send(writer: asyncio.StreamWriter, event: dict[str, object]) -> None:
    """One event as a chunk."""
    data = b"data: " + json.dumps(event).encode() + b"\n\n"
    writer.write(b"%x\r\n%b\r\n" % (len(data), data))


async def main() -> None:
    """Listen on a free port of the loopback until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hold", type=int, default=0, help="requests in flight before the first answer")
    server = Server(parser.parse_args().hold)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=1 << 20, backlog=4096)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
