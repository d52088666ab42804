"""An S3 server (moto) behind a line that misbehaves: `python -m tests.faults.s3 SEED SHARE`, a process of its own.

SHARE of all requests meet a fault, drawn from SEED: `slow` (503 SlowDown), `error` (500), `refused` (closed before
the server has seen it), `lost` (the server does what is asked, the answer never comes), `cut` (half an answer, reset).
The first line of standard output is the address, with the bucket `bucket`; GET /played tells how often each came.
The process ends when its standard input does.
"""

import asyncio
import contextlib
import json
import random
import socket
import struct
import sys
from collections import Counter
from urllib.parse import urlsplit

FAULTS = ("slow", "error", "refused", "lost", "cut")
XML = '<?xml version="1.0"?><Error><Code>{}</Code><Message>as ordered</Message></Error>'
CODES = {"slow": (503, "SlowDown"), "error": (500, "InternalError")}


async def message(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """The next request as it came; who waits to be told to go on is told."""
    head = await reader.readuntil(b"\r\n\r\n")
    fields = dict(
        line.lower().split(": ", 1) for line in head.decode("latin-1").strip().split("\r\n")[1:] if line
    )
    if "100-continue" in fields.get("expect", ""):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if "chunked" in fields.get("transfer-encoding", ""):
        return head + await reader.readuntil(b"0\r\n\r\n")
    return head + await reader.readexactly(int(fields.get("content-length", "0")))


def closing(request: bytes) -> bytes:
    """The request, asking for the connection to be closed behind the answer."""
    head, _, body = request.partition(b"\r\n\r\n")
    lines = [
        line for line in head.split(b"\r\n") if not line.lower().startswith((b"connection:", b"expect:"))
    ]
    return b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body


class Line:
    """The way to the server at `address`, with faults."""

    def __init__(self, address: str, seed: int, share: float) -> None:
        found = urlsplit(address)
        self.host, self.port = found.hostname, found.port
        self.chance, self.share = random.Random(seed), share
        self.played: Counter[str] = Counter()

    async def upstream(self, request: bytes) -> bytes:
        """The server's whole answer."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        writer.write(closing(request))
        await writer.drain()
        answer = await reader.read()
        writer.close()
        return answer

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request and its answer, or what becomes of it."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            request = await message(reader, writer)
            if request.startswith(b"GET /played "):
                body = json.dumps(self.played).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
                )
                writer.write(body)
            else:
                fault = self.chance.choice(FAULTS) if self.chance.random() < self.share else "none"
                self.played[fault] += 1
                await self.play(fault, request, writer)
            await writer.drain()
        writer.close()

    async def play(self, fault: str, request: bytes, writer: asyncio.StreamWriter) -> None:
        """Answer a request as the fault has it."""
        if fault in CODES:
            status, code = CODES[fault]
            body = XML.format(code).encode()
            head = f"HTTP/1.1 {status} {code}\r\nconnection: close\r\ncontent-type: application/xml\r\n"
            writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
            return
        if fault == "refused":
            return
        answer = await self.upstream(request)
        if fault == "none":
            writer.write(answer)
        if fault == "cut":
            writer.write(answer[: len(answer) // 2])
            await writer.drain()
            link = writer.get_extra_info("socket")
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


async def main(seed: int, share: float) -> None:
    """Serve until standard input ends."""
    import boto3
    from moto.server import ThreadedMotoServer

    moto = ThreadedMotoServer(port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    address = f"http://{host}:{port}"
    boto3.client("s3", endpoint_url=address).create_bucket(Bucket="bucket")
    server = await asyncio.start_server(Line(address, seed, share).connection, "127.0.0.1", 0, limit=1 << 24)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
