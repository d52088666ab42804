"""The one client of every server: an image and a prompt in, an answer out, faults sorted by their owner.

A fault of the line or the server is waited out, or tried at another endpoint, and never counts as a model's
attempt; a request that the server refuses is the page's fault; a refused key or an unknown model stops the
run. Each request has a thread: with 1,600 of them in flight the process
has less than 500 MB (benchmarks/convert_client.py).
"""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from scriptorium.pages.sheet import Sheet
from scriptorium.serve import guided
from scriptorium.serve.adapter import message_content
from scriptorium.serve.balance import Balancer, Line
from scriptorium.serve.endpoint import Endpoint, headers
from scriptorium.serve.faults import Fault, RequestRefused, of_error, of_status
from scriptorium.serve.load import Load
from scriptorium.serve.pools import CONNECT_SECONDS, Pools
from scriptorium.serve.stream import Reply, read_all, read_reply

__all__ = ["Answer", "Asking", "ChatClient", "RequestRefused"]

FAULTS_BEFORE_PROBE = 3
PATIENCE_SECONDS = 600.0
ANSWER_SECONDS = 600.0
IDLE_SECONDS = 120.0
"""Silence in the middle of a streamed answer."""
QUESTION_SECONDS = 60.0
"""For the answer to a question without an image."""
CHUNK = 3 << 16
"""Bytes of an image that are encoded at a time; a multiple of 3, so that the pieces of base64 join."""
IMAGE = "data:image/png;base64,"
PLACE = "<8f1d2c5a7e9b4036: the image>"
"""Stands for the image until it is sent."""


@dataclass(frozen=True)
class Answer:
    """What the model said. `seconds` of wall time.

    `finish_reason` is stop, length, content_filter, or loop if it was cut off here for repeating itself.
    """

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    mean_logprob: float | None = None
    """Mean natural logarithm of the tokens' probabilities, where it was asked for and is told."""


@dataclass(frozen=True)
class Asking:
    """How a server is asked: what others expect of a client besides prompt, image and sampling.

    `timeout`: seconds that one answer may take. `idle`: seconds of silence in the middle of a streamed answer.
    `patience`: seconds that all endpoints may stay unreachable or busy. `tries`: faults at one request (500,
    no answer in time, a connection cut) after which it is the request's own if the server answers others.
    `image_first`: the image before the prompt. `fields`: more fields of the request; None takes a field out.
    `stream`: take answers in pieces where the server can, and cut loops. `logprobs`: ask for the tokens'
    probabilities.
    """

    timeout: float = ANSWER_SECONDS
    tries: int = FAULTS_BEFORE_PROBE
    image_first: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict)
    stream: bool = True
    logprobs: bool = False
    idle: float = IDLE_SECONDS
    patience: float = PATIENCE_SECONDS


class ChatClient:
    """Asks one endpoint, or several that serve the same. Safe to use from several threads; a context manager."""

    def __init__(
        self,
        endpoint: Endpoint | Sequence[Endpoint],
        patience: float | None = None,
        asking: Asking | None = None,
    ) -> None:
        """`patience`: seconds that all endpoints may stay away before ServerError; by default as in `asking`."""
        self.endpoints = (endpoint,) if isinstance(endpoint, Endpoint) else tuple(endpoint)
        self.asking = asking or Asking()
        self.patience = self.asking.patience if patience is None else patience
        self.balancer = Balancer(self.endpoints, self.patience)
        self.pools = Pools(self.endpoints, self.asking.timeout)
        self.load = Load(self.balancer)
        self._forms: dict[str, Callable[[str], dict[str, Any]] | None] = {}
        self._probing = threading.Lock()

    @property
    def endpoint(self) -> Endpoint:
        """The first endpoint."""
        return self.endpoints[0]

    @property
    def room(self) -> int:
        """Requests that may be in flight now; it grows and shrinks with how the servers keep up."""
        return self.balancer.room

    @property
    def cap(self) -> int:
        """Requests that are never exceeded."""
        return sum(endpoint.cap for endpoint in self.endpoints)

    def __enter__(self) -> "ChatClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.pools.close()

    def stop(self) -> None:
        """Have requests that wait for the server give up; those it is answering are not cut off."""
        self.balancer.stop()

    def hang_up(self) -> None:
        """Stop, and cut off the requests that the server is answering: they end with ServerError."""
        self.balancer.stop()
        self.pools.hang_up()

    def complete(
        self,
        image: bytes | Sheet,
        prompt: str,
        max_tokens: int,
        temperature: float,
        seed: int | None = None,
        pattern: str | None = None,
    ) -> Answer:
        """Ask for the text of one page image, a PNG.

        Temperature 0 decodes greedily. `pattern`: a regular expression to which the answer is held where the
        server can. Raises RequestRefused (this page's fault), ConfigError (wrong key, model or URL),
        HostError (this host is out of open files or disk) or ServerError (the server stayed away for longer
        than the patience, or is dead).
        """
        started = time.monotonic()
        reply = self.post(
            lambda line: self.body(line, prompt, max_tokens, temperature, seed, pattern), image, started
        )
        return Answer(
            text=reply.text.encode("utf-8", "replace").decode(),  # a lone surrogate fits into no file
            finish_reason=reply.finish_reason,
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
            seconds=time.monotonic() - started,
            mean_logprob=reply.mean_logprob,
        )

    def body(
        self,
        line: Line,
        prompt: str,
        max_tokens: int,
        temperature: float,
        seed: int | None,
        pattern: str | None,
    ) -> dict[str, Any]:
        """The chat completion request: the prompt, then the place of the image, as in training."""
        endpoint = line.endpoint
        content = message_content(prompt, {"type": "image_url", "image_url": {"url": PLACE}})
        if self.asking.image_first:
            content.reverse()
        body: dict[str, Any] = {
            "model": endpoint.model,
            "messages": [{"role": "user", "content": content}],
            "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": seed,
        }
        if endpoint.engine == "transformers" and temperature > 0:
            # It takes do_sample from the model's generation config alone, where it may be off.
            body["generation_config"] = '{"do_sample": true}'
        if self.asking.stream and line.streams is not False and endpoint.engine != "transformers":
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        if self.asking.logprobs and line.logprobs:
            body |= {"logprobs": True}
        if pattern is not None:
            body |= self.form(endpoint, pattern)
        body |= self.asking.fields
        return {key: value for key, value in body.items() if value is not None}

    def post(self, body: Callable[[Line], dict[str, Any]], image: bytes | Sheet, since: float) -> Reply:
        """Send a request until it is answered or refused, waiting out faults that are not its own."""
        not_before: dict[int, float] = {}
        own, last = 0, ""
        while True:
            line, reply, fault, pause = self.attempt(body, image, since, not_before, last)
            if reply is not None:
                return reply
            if fault is None:
                continue
            last = str(fault)
            self.balancer.check()
            if self.balancer.stopped:
                raise self.balancer.gave_up(last)
            own += fault.own
            not_before[self.balancer.lines.index(line)] = time.monotonic() + pause
            late = time.monotonic() + pause > max(since, self.balancer.last_answer) + self.patience
            if own and (late or own >= self.asking.tries) and self.is_well(line.endpoint):
                raise RequestRefused(f"the server fails on this page but answers others: {fault}")
            if late:
                raise self.balancer.gone(last)

    def attempt(
        self,
        body: Callable[[Line], dict[str, Any]],
        image: bytes | Sheet,
        since: float,
        not_before: dict[int, float],
        last: str,
    ) -> tuple[Line, Reply | None, Fault | None, float]:
        """One try: with the reply; or with the fault and the seconds to stay away; or to be repeated at once."""
        if isinstance(image, Sheet):
            image.png()  # before a place is taken: the server shall not wait for the drawing
        line, number = self.balancer.take(since, not_before, last)
        try:
            reply = self.send(line, body(line), image)
        except Fault as fault:
            return line, None, fault, self.balancer.failed(line, number, fault)
        except RequestRefused as refusal:
            self.balancer.answered(line, 0.0)
            if self.learnt(line, str(refusal).lower()):
                return line, None, None, 0.0
            raise
        except BaseException:
            self.balancer.release(line)
            raise
        self.balancer.answered(line, reply.first)
        return line, reply, None, 0.0

    def learnt(self, line: Line, refusal: str) -> bool:
        """Whether a refusal is about something that was asked beside the page: it is not asked again."""
        if line.streams is None and "stream" in refusal:
            line.streams = False
        elif self.asking.logprobs and line.logprobs and "logprob" in refusal:
            line.logprobs = False
        else:
            return False
        return True

    def send(self, line: Line, body: dict[str, Any], image: bytes | Sheet) -> Reply:
        """Send once and read the answer. Raises Fault, RequestRefused, or what ends the run."""
        deadline = time.monotonic() + self.asking.timeout
        idle = min(self.asking.idle, self.asking.timeout) if line.streams else self.asking.timeout
        with self.pools.one() as http:
            try:
                reply = self.exchange(http, line.endpoint, body, image, idle, deadline)
            except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
                raise of_error(error, line.endpoint) from error
            if "stream" in body:
                line.streams = reply.streamed
            self.load.look(line, http)
        return reply

    def exchange(
        self,
        http: httpx.Client,
        endpoint: Endpoint,
        body: dict[str, Any],
        image: bytes | Sheet,
        idle: float,
        deadline: float,
    ) -> Reply:
        """One request and its answer over `http`."""
        head, _, tail = json.dumps(body).encode().partition(PLACE.encode())
        png = image.png() if isinstance(image, Sheet) else image
        length = len(head) + len(IMAGE) + 4 * -(-len(png) // 3) + len(tail)
        sent = image.sent if isinstance(image, Sheet) else None
        pieces = encoded(head, png, tail, sent)
        del png  # the pieces hold it, and let it go
        fields = {**headers(endpoint.key_variable), "content-type": "application/json"}
        fields["content-length"] = str(length)
        timeout = httpx.Timeout(idle, connect=CONNECT_SECONDS)
        url = f"{endpoint.base_url}/chat/completions"
        more: Any = {"headers": fields, "timeout": timeout, "extensions": {"trace": self.pools.trace}}
        with http.stream("POST", url, content=pieces, **more) as response:
            if response.status_code == 200:
                return read_reply(response, endpoint, deadline)
            text = read_all(response, deadline).decode("utf-8", "replace")
            raise of_status(response.status_code, response.headers, text, endpoint)

    def is_well(self, endpoint: Endpoint) -> bool:
        """Whether the server answers a request without an image: then its 500 is about the page."""
        return self.question(endpoint, {"max_tokens": 1}) is not None

    def question(self, endpoint: Endpoint, fields: dict[str, Any]) -> str | None:
        """The answer to a request without an image, with `fields` in it; None if there is none."""
        message = {"role": "user", "content": "?"}
        body = {"model": endpoint.model, "messages": [message], "temperature": 0.0, **fields}
        url, key = f"{endpoint.base_url}/chat/completions", headers(endpoint.key_variable)
        seconds = min(QUESTION_SECONDS, self.asking.timeout)
        deadline = time.monotonic() + seconds
        more = {"trace": self.pools.trace}
        try:
            with (
                self.pools.one() as http,
                http.stream(
                    "POST", url, json=body, headers=key, timeout=seconds, extensions=more
                ) as response,
            ):
                text = read_all(response, deadline)
            if not response.is_success:
                return None
            return str(json.loads(text)["choices"][0]["message"]["content"] or "")
        except (httpx.HTTPError, Fault, ValueError, LookupError, TypeError):
            return None

    def form(self, endpoint: Endpoint, pattern: str) -> dict[str, Any]:
        """The fields that hold this endpoint's model to `pattern`; none if it knows no way. Asked once."""
        with self._probing:
            if endpoint.base_url not in self._forms:
                self._forms[endpoint.base_url] = guided.probe(
                    lambda fields: self.question(endpoint, {"max_tokens": 16, **fields})
                )
            form = self._forms[endpoint.base_url]
        return form(pattern) if form else {}


def encoded(head: bytes, png: bytes, tail: bytes, sent: Callable[[], None] | None) -> Iterator[bytes]:
    """The request's bytes, the image as base64 a piece at a time; `sent` is called when the last is taken."""
    yield head + IMAGE.encode()
    view = memoryview(png)
    for start in range(0, len(png), CHUNK):
        yield base64.b64encode(view[start : start + CHUNK])
    del view, png
    if sent:
        sent()
    yield tail
