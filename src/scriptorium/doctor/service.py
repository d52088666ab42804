"""The server or the model that was named: does it answer, and could it be served here?"""

import base64
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import numpy as np

from scriptorium.doctor.finding import CONFIG, Finding
from scriptorium.errors import ScriptoriumError
from scriptorium.pages.image import encode_png
from scriptorium.serve.adapter import Adapter, message_content
from scriptorium.serve.endpoint import Endpoint, headers
from scriptorium.serve.external import external
from scriptorium.serve.load import read_queue
from scriptorium.serve.process import Order
from scriptorium.serve.server import check_order

CLOCK_SECONDS = 60.0
ANSWER_SECONDS = 120.0
SIDE = 112
"""Pixels: four image tokens of Qwen2.5-VL's in each direction."""


def model(name: str, adapter: Adapter) -> Finding:
    """Whether a model could be served here: its folder, the engine, the options."""
    try:
        check_order(Order(name, adapter, 1, Path("log")))
    except ScriptoriumError as error:
        return Finding("model", "missing", str(error), "", CONFIG)
    note = " (not fetched yet, or not looked for)" if name.startswith("hub:") else ""
    return Finding("model", "ok", f"{name}{note}, with {adapter.engine} and adapter {adapter.name}")


def server(url: str, adapter: Adapter) -> Iterator[Finding]:
    """Whether a server lists a model, answers for a tiny image, tells its queue, and has the right time."""
    try:
        endpoint = external(url)
    except ScriptoriumError as error:
        yield Finding("server", "missing", str(error), "start it, or look at --server and the key", CONFIG)
        return
    yield Finding("server", "ok", f"{endpoint.base_url} serves {endpoint.model}")
    with httpx.Client(headers=headers(endpoint.key_variable), timeout=ANSWER_SECONDS) as http:
        yield from completion(endpoint, adapter, http)
        queue = read_queue(endpoint.base_url, http, {})
    if queue is None:
        found = "tells no queue at /metrics: requests grow by its answers alone"
        yield Finding("server metrics", "ok", found)
    else:
        yield Finding("server metrics", "ok", f"{queue:.0f} requests wait in it")


def completion(endpoint: Endpoint, adapter: Adapter, http: httpx.Client) -> Iterator[Finding]:
    """One answer of a few tokens for a small white image, and the clock in its header."""
    png = base64.b64encode(encode_png(np.full((SIDE, SIDE, 3), 255, np.uint8))).decode()
    content = message_content(
        adapter.prompt, {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{png}"}}
    )
    if adapter.image_first:
        content.reverse()
    body = {"model": endpoint.model, "messages": [{"role": "user", "content": content}], "max_tokens": 4}
    started = time.monotonic()
    try:
        answer = http.post(f"{endpoint.base_url}/chat/completions", json={**adapter.fields, **body})
        told = answer.json()["choices"][0]["message"] if answer.is_success else None
    except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
        yield Finding(
            "answer", "missing", f"no chat completion: {error!r}", "look at the server's log", CONFIG
        )
        return
    if told is None:
        found = f"{answer.status_code}: {answer.text[:300]}"
        mend = "look at the model's name (--server URL#NAME), the key, and whether it takes images"
        yield Finding("answer", "missing", found, mend, CONFIG)
        return
    yield Finding("answer", "ok", f"a tiny page in {time.monotonic() - started:.1f} s")
    yield from _clock(answer.headers.get("date", ""))


def _clock(date: str) -> Iterator[Finding]:
    """The clock of a server, from the header of its answer; hosts without one say nothing."""
    try:
        skew = parsedate_to_datetime(date).timestamp() - time.time()
    except ValueError:
        return
    if abs(skew) > CLOCK_SECONDS:
        found = f"the server's clock is {skew:+.0f} s from this machine's"
        yield Finding("clock", "warning", found, "set both by NTP (timedatectl)")
    else:
        yield Finding("clock", "ok", f"{abs(skew):.0f} s from the server's")
