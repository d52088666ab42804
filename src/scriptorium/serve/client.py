"""The one client of every server: an image and a prompt in, an answer out, faults sorted by their owner.

A fault of the line or the server is waited out and never counts as a model's attempt; a request that
the server refuses is the page's fault; a refused key or an unknown model stops the run.
"""

import random
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from scriptorium.errors import ConfigError, InputError, ServerError
from scriptorium.pages.image import data_url
from scriptorium.serve.adapter import message_content
from scriptorium.serve.endpoint import Endpoint, headers

BUSY = {408, 425, 429, 500, 502, 503, 504, 529}
REFUSED = {400, 413, 422}
CONFIG = {401, 403, 404, 405}
INTERNAL = ("500", "ReadTimeout", "ReadError", "RemoteProtocolError")
"""How a fault starts that the request itself may have caused: it crashed the server, or has no end."""
FAULTS_BEFORE_PROBE = 3
PATIENCE_SECONDS = 600.0
LONGEST_PAUSE_SECONDS = 60.0
ANSWER_SECONDS = 600.0


class RequestRefused(InputError):
    """The server is well but will not answer this request; `context` if it was too long for the model."""

    def __init__(self, message: str, context: bool = False):
        super().__init__(message)
        self.context = context


@dataclass(frozen=True)
class Answer:
    """What the model said. `finish_reason` is stop, length or content_filter; `seconds` of wall time."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float


@dataclass(frozen=True)
class Asking:
    """How a server is asked: what others expect of a client besides prompt, image and sampling.

    `timeout`: seconds that one answer may take. `tries`: faults at one request (500, no answer in time, a
    connection cut) after which it is the request's own if the server answers others. `image_first`: the image
    before the prompt. `fields`: more fields of the request; None takes a field out.
    """

    timeout: float = ANSWER_SECONDS
    tries: int = FAULTS_BEFORE_PROBE
    image_first: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict)


class ChatClient:
    """Asks one endpoint. Safe to use from several threads; a context manager."""

    def __init__(
        self, endpoint: Endpoint, patience: float = PATIENCE_SECONDS, asking: Asking | None = None
    ) -> None:
        """`patience`: seconds that a server may stay unreachable or busy before ServerError."""
        self.endpoint = endpoint
        self.patience = patience
        self.asking = asking or Asking()
        limits = httpx.Limits(max_connections=endpoint.in_flight + 1)
        timeout = httpx.Timeout(self.asking.timeout, connect=10.0)
        self.http = httpx.Client(limits=limits, timeout=timeout, headers=headers(endpoint.key_variable))
        self.stopped = threading.Event()

    def __enter__(self) -> "ChatClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def stop(self) -> None:
        """Have requests that wait for the server give up; those it is answering are not cut off."""
        self.stopped.set()

    def complete(
        self, png: bytes, prompt: str, max_tokens: int, temperature: float, seed: int | None = None
    ) -> Answer:
        """Ask for the text of one page image.

        Temperature 0 decodes greedily. Raises RequestRefused (this page's fault), ConfigError (wrong key,
        model or URL) or ServerError (the server stayed away for longer than the patience, or is dead).
        """
        body = self.body(png, prompt, max_tokens, temperature, seed)
        started = time.monotonic()
        reply = self.post(body)
        try:
            choice, usage = reply["choices"][0], reply.get("usage") or {}
            text = choice["message"].get("content") or ""
        except (LookupError, TypeError, AttributeError) as error:
            raise ServerError(
                f"{self.endpoint.base_url}: not a chat completion: {str(reply)[:300]}"
            ) from error
        return Answer(
            text=text.encode("utf-8", "replace").decode(),  # a lone surrogate cannot be written to any file
            finish_reason=choice.get("finish_reason") or "stop",
            prompt_tokens=int(usage.get("prompt_tokens") or 0),
            completion_tokens=int(usage.get("completion_tokens") or 0),
            seconds=time.monotonic() - started,
        )

    def body(
        self, png: bytes, prompt: str, max_tokens: int, temperature: float, seed: int | None
    ) -> dict[str, Any]:
        """The chat completion request: the prompt, then the image, as in training."""
        image = {"type": "image_url", "image_url": {"url": data_url(png)}}
        content = message_content(prompt, image)
        if self.asking.image_first:
            content.reverse()
        body: dict[str, Any] = {
            "model": self.endpoint.model,
            "messages": [{"role": "user", "content": content}],
            "max_tokens": max_tokens,
            "temperature": temperature,
        }
        if seed is not None:
            body["seed"] = seed
        if self.endpoint.engine == "transformers" and temperature > 0:
            # It takes do_sample from the model's generation config alone, where it may be off.
            body["generation_config"] = '{"do_sample": true}'
        body |= self.asking.fields
        return {key: value for key, value in body.items() if value is not None}

    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Send a request until it is answered or refused, waiting out faults that are not its own."""
        deadline = time.monotonic() + self.patience
        faults = internal = 0
        while True:
            reply, fault, pause = self.send(body)
            if reply is not None:
                return reply
            self.endpoint.check()
            faults += 1
            internal += fault.startswith(INTERNAL)
            # Jitter, so that many clients do not come back at the same moment. It shapes no result.
            pause = pause or min(LONGEST_PAUSE_SECONDS, 0.5 * 2**faults) * random.uniform(0.5, 1)
            late = time.monotonic() + pause > deadline
            if internal and (late or internal >= self.asking.tries) and self.is_well(body):
                raise RequestRefused(f"the server fails on this page but answers others: {fault}")
            if late:
                raise ServerError(
                    f"{self.endpoint.base_url}: no answer for {self.patience:.0f} s, at last: {fault}; "
                    "pages that were not read stay pending: run again when the server is back"
                )
            if faults == 1:
                print(
                    f"{self.endpoint.base_url}: {fault}; waiting up to {self.patience:.0f} s",
                    file=sys.stderr,
                    flush=True,
                )
            if self.stopped.wait(pause):
                raise ServerError(f"{self.endpoint.base_url}: stopped while waiting for an answer: {fault}")

    def send(self, body: dict[str, Any]) -> tuple[dict[str, Any] | None, str, float | None]:
        """One try: (reply, "", None), or (None, the fault, seconds the server asks to wait if it does)."""
        try:
            response = self.http.post(f"{self.endpoint.base_url}/chat/completions", json=body)
            if response.is_success:
                return response.json(), "", None
        except (httpx.TransportError, ValueError) as error:
            return None, repr(error), None
        fault = f"{response.status_code} {response.text[:500]}"
        if response.status_code in BUSY:
            return None, fault, retry_after(response)
        if response.status_code in CONFIG:
            raise ConfigError(
                f"{self.endpoint.base_url}: {fault}; check the URL, the model's name and "
                f"{self.endpoint.key_variable}"
            )
        if response.status_code in REFUSED:
            raise RequestRefused(fault, context="context" in response.text.lower())
        raise ServerError(f"{self.endpoint.base_url}: unexpected answer {fault}")

    def is_well(self, body: dict[str, Any]) -> bool:
        """Whether the server answers a request without an image: then its 500 is about the page."""
        probe = {"model": body["model"], "messages": [{"role": "user", "content": "?"}], "max_tokens": 1}
        try:
            return self.http.post(f"{self.endpoint.base_url}/chat/completions", json=probe).is_success
        except httpx.TransportError:
            return False


def retry_after(response: httpx.Response) -> float | None:
    """Seconds to wait as the Retry-After header asks (a number or a date), at most LONGEST_PAUSE_SECONDS."""
    value = response.headers.get("retry-after", "")
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return min(max(seconds, 0.0), LONGEST_PAUSE_SECONDS) or None
