"""A model server that misbehaves on order: `python -m tests.faults.server SCRIPT [ANSWERS]`, a process of its own.

SCRIPT is JSON: {"rules": [...], "delay": seconds before each answer, "stream": bool, "hold": bool}. A chat
request is answered by the first rule all of whose conditions hold, and truly where none does:

    visits    the page has been asked for fewer times than this
    share     [r, m]: the hash of the page's image is r modulo m
    requests  fewer chat requests than this came before
    seconds   this long after the first chat request

`fault` is a key of FAULTS. A request without an image (a probe) meets only rules without visits and share.
While `hold` is true chat requests wait; with `stream` answers come as events to who asks for them.
ANSWERS is a JSON file of true answers by the hash of a page's image, for pages whose truth is known; other
pages are answered with a text made from their pixels.
POST /control sets the script anew, GET /control tells what was asked.
The port is the first line of standard output. The process ends when its standard input does.
"""

import asyncio
import contextlib
import json
import random
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from .truth import answer_of, hash_of_url, learn

Rule = dict[str, Any]


class Line:
    """One connection, and every way to spoil an answer on it. `streams`: answers come as events."""

    def __init__(self, writer: asyncio.StreamWriter, streams: bool = False) -> None:
        self.writer = writer
        self.streams = streams

    def completion(self, text: str, finish_reason: str = "stop") -> bytes:
        """A chat completion as it is sent on this line."""
        return (events if self.streams else completion)(text, finish_reason)

    def head(self, status: int, length: int, headers: dict[str, str]) -> bytes:
        """Status line and headers."""
        kind = "text/event-stream" if self.streams and status == 200 else "application/json"
        fields = {"content-type": kind, "content-length": str(length), **headers}
        lines = "".join(f"{key}: {value}\r\n" for key, value in fields.items())
        return f"HTTP/1.1 {status} as ordered\r\n{lines}\r\n".encode()

    async def send(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, length: int | None = None
    ) -> None:
        """A whole answer; `length` is what it says its length is."""
        self.writer.write(self.head(status, len(body) if length is None else length, headers or {}) + body)
        await self.writer.drain()

    async def reset(self) -> None:
        """End the connection with RST."""
        link = self.writer.get_extra_info("socket")
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


def completion(text: str, finish_reason: str = "stop") -> bytes:
    """A chat completion."""
    choice = {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 100, "completion_tokens": len(text)}
    return json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}).encode()


def events(text: str, finish_reason: str = "stop") -> bytes:
    """The same as server-sent events, 20 characters each."""
    pieces = [text[start : start + 20] for start in range(0, len(text), 20)]
    choices = [{"index": 0, "delta": {"content": piece}, "finish_reason": None} for piece in pieces]
    choices.append({"index": 0, "delta": {}, "finish_reason": finish_reason})
    usage = {"prompt_tokens": 100, "completion_tokens": len(text)}
    told = [{"choices": [choice]} for choice in choices] + [{"choices": [], "usage": usage}]
    lines = [json.dumps({"object": "chat.completion.chunk", **each}) for each in told] + ["[DONE]"]
    return "".join(f"data: {line}\n\n" for line in lines).encode()


async def status(line: Line, rule: Rule, name: str) -> None:
    """The status, headers and body of the rule."""
    body = rule.get("body", '{"error": "as ordered"}').encode()
    await line.send(rule["status"], body, rule.get("headers"))


async def hang(line: Line, rule: Rule, name: str) -> None:
    """No answer for `for` seconds, then the end of the connection."""
    await asyncio.sleep(rule.get("for", 3600))
    line.writer.close()


async def reset(line: Line, rule: Rule, name: str) -> None:
    """Half a body, then RST."""
    body = line.completion(answer_of(name))
    await line.send(200, body[: len(body) // 2], length=len(body))
    await line.reset()


async def close(line: Line, rule: Rule, name: str) -> None:
    """The connection ends without a byte."""
    line.writer.close()


async def long(line: Line, rule: Rule, name: str) -> None:
    """A content-length that is too great, then the end of the connection."""
    body = line.completion(answer_of(name))
    await line.send(200, body, length=len(body) + 100)
    line.writer.close()


async def short(line: Line, rule: Rule, name: str) -> None:
    """A content-length that is too small: the rest of the body comes unasked."""
    body = line.completion(answer_of(name))
    await line.send(200, body, length=len(body) // 2)


async def garbage(line: Line, rule: Rule, name: str) -> None:
    """Bytes that mean nothing, well delivered."""
    await line.send(200, random.Random(name).randbytes(500))


async def nonsense(line: Line, rule: Rule, name: str) -> None:
    """JSON that is no completion: the `value` of the rule."""
    await line.send(200, json.dumps(rule["value"]).encode())


async def html(line: Line, rule: Rule, name: str) -> None:
    """What a proxy shows people, with status 200 or the rule's."""
    body = b"<!DOCTYPE html><html><body><h1>Please wait</h1></body></html>"
    await line.send(rule.get("status", 200), body, {"content-type": "text/html"})


async def drip(line: Line, rule: Rule, name: str) -> None:
    """The true answer in `pieces`, `every` so many seconds."""
    body = line.completion(answer_of(name))
    line.writer.write(line.head(200, len(body), {}))
    size = -(-len(body) // rule.get("pieces", 20))
    for start in range(0, len(body), size):
        line.writer.write(body[start : start + size])
        await line.writer.drain()
        await asyncio.sleep(rule.get("every", 0.1))


async def truncated(line: Line, rule: Rule, name: str) -> None:
    """Half the text, and `length` as the reason."""
    text = answer_of(name)
    await line.send(200, line.completion(text[: int(len(text) * rule.get("keep", 0.6))], "length"))


async def headless(line: Line, rule: Rule, name: str) -> None:
    """Text without front matter."""
    await line.send(200, line.completion("I see a page."))


FAULTS: dict[str, Callable[[Line, Rule, str], Awaitable[None]]] = {
    each.__name__: each
    for each in (
        status,
        hang,
        reset,
        close,
        long,
        short,
        garbage,
        nonsense,
        html,
        drip,
        truncated,
        headless,
    )
}


class Server:
    """The script, and what was asked so far."""

    def __init__(self, script: dict[str, Any]) -> None:
        self.visits: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.played: Counter[str] = Counter()
        self.requests = 0
        self.flying = self.most = 0
        self.order(script)

    def order(self, script: dict[str, Any]) -> None:
        """Follow another script from now on; requests, visits and seconds count anew for its rules."""
        self.script = script
        self.first: float | None = None
        self.before, self.base = self.requests, Counter(self.visits)

    def rule(self, name: str) -> Rule | None:
        """The rule for the next request about the page image `name`; "" is a probe."""
        number = self.requests - self.before
        visit = self.visits[name] - self.base[name]
        self.first = self.first or time.monotonic()
        for rule in self.script.get("rules", []):
            remainder, modulus = rule.get("share", (0, 1))
            if not name and ("visits" in rule or "share" in rule):
                continue
            if (
                visit < rule.get("visits", visit + 1)
                and number < rule.get("requests", number + 1)
                and (name == "" or int(name[:8], 16) % modulus == remainder)
                and time.monotonic() - self.first < rule.get("seconds", 1e9)
            ):
                return rule
        return None

    async def chat(self, line: Line, body: dict[str, Any]) -> None:
        """Answer a chat request as the script has it."""
        parts = body["messages"][0]["content"]
        urls = [part["image_url"]["url"] for part in parts if "image_url" in part]
        name = hash_of_url(urls[0]) if urls else ""
        rule = self.rule(name)
        self.requests += 1
        self.visits[name] += 1
        self.flying += 1
        self.most = max(self.most, self.flying)
        try:
            while self.script.get("hold"):
                await asyncio.sleep(0.01)
            await asyncio.sleep(self.script.get("delay", 0))
            if rule:
                self.played[rule["fault"]] += 1
                await FAULTS[rule["fault"]](line, rule, name)
            else:
                await line.send(200, line.completion(answer_of(name) if name else "well"))
                self.answered[name] += 1
        finally:
            self.flying -= 1

    def told(self) -> dict[str, Any]:
        """What was asked, answered and played; pages by the hash of their image."""
        return {
            "requests": self.requests,
            "most": self.most,
            "visits": self.visits,
            "answered": self.answered,
            "played": self.played,
        }

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either side ends it."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while not writer.is_closing():
                method, path, body = await request(reader)
                if path == "/control":
                    if method == "POST":
                        self.order(json.loads(body))
                    await Line(writer).send(200, json.dumps(self.told()).encode())
                elif path.endswith("/models"):
                    await Line(writer).send(200, b'{"data": [{"id": "faulty", "max_model_len": 16384}]}')
                elif method == "GET":
                    await Line(writer).send(404, b"")
                else:
                    asked = json.loads(body)
                    streams = bool(asked.get("stream") and self.script.get("stream"))
                    await self.chat(Line(writer, streams), asked)
        writer.close()


async def request(reader: asyncio.StreamReader) -> tuple[str, str, bytes]:
    """Method, path and body of the next request."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = lines[0].split(" ")
    fields = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
    return method, path, await reader.readexactly(int(fields.get("content-length", "0")))


async def main(script: dict[str, Any]) -> None:
    """Serve until standard input ends."""
    server = await asyncio.start_server(Server(script).connection, "127.0.0.1", 0, limit=1 << 24)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    learn(*sys.argv[2:])
    asyncio.run(main(json.loads(sys.argv[1])))
