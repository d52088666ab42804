"""An answer as it comes: whole, or in pieces as server-sent events, cut as soon as it loops."""

import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from scriptorium.serve.endpoint import Endpoint
from scriptorium.serve.faults import Fault, of_body
from scriptorium.serve.repeats import Repeats

LARGEST_REPLY = 64 << 20
"""Bytes; no page has so much text."""
LEAST_LOGPROB = -100.0
"""Some servers write -9999 for a token outside of what they were asked for."""
EVENTS = "text/event-stream"


@dataclass
class Reply:
    """What a server said: text, why it ended (`loop` if it was cut here), tokens, seconds to the first piece.

    `logprobs`: the sum of the tokens' log-probabilities, and `scored` how many of them were told.
    """

    text: str = ""
    finish_reason: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    streamed: bool = False
    first: float = 0.0
    parts: list[str] = field(default_factory=list)
    logprobs: float = 0.0
    scored: int = 0

    @property
    def mean_logprob(self) -> float | None:
        """The mean log-probability of a token, natural logarithm; None where it was not told."""
        return self.logprobs / self.scored if self.scored else None

    def score(self, choice: dict[str, Any]) -> None:
        """Add the log-probabilities of a choice's tokens, where the server tells them as it should."""
        told = choice.get("logprobs")
        tokens = told.get("content") if isinstance(told, dict) else None
        for token in tokens if isinstance(tokens, list) else ():
            value = token.get("logprob") if isinstance(token, dict) else None
            if isinstance(value, int | float) and math.isfinite(value):
                self.logprobs += max(float(value), LEAST_LOGPROB)
                self.scored += 1

    def count(self, usage: dict[str, Any] | None) -> None:
        """Take over the numbers of tokens, where the server tells them."""
        if usage:
            self.prompt_tokens = int(usage.get("prompt_tokens") or 0)
            self.completion_tokens = int(usage.get("completion_tokens") or 0)


def read_reply(response: httpx.Response, endpoint: Endpoint, deadline: float) -> Reply:
    """The answer in a response with status 200. Raises Fault for one that is cut off or late, and as of_body."""
    if response.headers.get("content-type", "").startswith(EVENTS):
        return streamed(response, endpoint, deadline)
    return whole(read_all(response, deadline), endpoint)


def read_all(response: httpx.Response, deadline: float) -> bytes:
    """A response's whole body. Raises Fault for one without end, ReadTimeout for one that is late."""
    pieces, size = [], 0
    for piece in timely(response, deadline):
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST_REPLY:
            raise Fault(f"an answer of more than {LARGEST_REPLY >> 20} MiB", own=True)
    return b"".join(pieces)


def timely(response: httpx.Response, deadline: float) -> Iterator[bytes]:
    """The pieces of a response's body. Raises ReadTimeout when they have not ended at `deadline`."""
    for piece in response.iter_bytes():
        yield piece
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the answer did not end in time", request=response.request)


def whole(data: bytes, endpoint: Endpoint) -> Reply:
    """An answer that came in one piece."""
    try:
        reply = json.loads(data)
    except ValueError as error:
        # A proxy's page, or half an answer: the server itself speaks JSON.
        raise Fault(f"200, but no JSON: {data[:200].decode('utf-8', 'replace')!r}") from error
    if fault := of_body(reply, endpoint):
        raise fault
    try:
        choice = reply["choices"][0]
        found = Reply(choice["message"].get("content") or "", choice.get("finish_reason") or "stop")
        found.count(reply.get("usage"))
        found.score(choice)
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise Fault(f"200, but no chat completion: {str(reply)[:300]}") from error
    return found


def streamed(response: httpx.Response, endpoint: Endpoint, deadline: float) -> Reply:
    """An answer that comes in pieces. One that loops is left there: the server stops when we hang up."""
    reply, repeats, started, done = Reply(streamed=True), Repeats(), time.monotonic(), False
    for event in events(timely(response, deadline)):
        if event == b"[DONE]":
            done = True
            break
        piece = take(event, reply, endpoint)
        if piece:
            reply.first = reply.first or time.monotonic() - started
            reply.parts.append(piece)
            if repeats.feed(piece):
                reply.finish_reason = "loop"
                break
    if not done and not reply.finish_reason:
        raise Fault("the answer broke off", own=True)
    reply.text = "".join(reply.parts)
    reply.finish_reason = reply.finish_reason or "stop"
    reply.completion_tokens = reply.completion_tokens or len(reply.parts)  # a server sends one at a time
    return reply


def take(event: bytes, reply: Reply, endpoint: Endpoint) -> str:
    """The text in one event; its other news go into `reply`. Raises Fault for an event that is none."""
    try:
        chunk = json.loads(event)
    except ValueError as error:
        raise Fault(f"an event that is no JSON: {event[:200].decode('utf-8', 'replace')!r}") from error
    if fault := of_body(chunk, endpoint):
        raise fault
    try:
        reply.count(chunk.get("usage"))
        if not chunk["choices"]:
            return ""
        choice = chunk["choices"][0]
        reply.finish_reason = choice.get("finish_reason") or reply.finish_reason
        reply.score(choice)
        return (choice.get("delta") or {}).get("content") or ""
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise Fault(f"200, but no chat completion: {str(chunk)[:300]}") from error


def events(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The data of each server-sent event, however the bytes are cut; an unfinished last line is none."""
    rest: list[bytes] = []
    data: list[bytes] = []
    for piece in pieces:
        *lines, last = piece.split(b"\n")
        if lines:
            lines[0] = b"".join([*rest, lines[0]])
            rest = []
        if last:
            rest.append(last)
        for line in lines:
            line = line.rstrip(b"\r")
            if line.startswith(b"data:"):
                data.append(line[5:].removeprefix(b" "))
            elif not line and data:
                yield b"\n".join(data)
                data = []
