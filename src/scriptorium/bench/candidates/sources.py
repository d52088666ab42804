"""Where a candidate's texts come from: a server, our own conversion, the text layer, a command."""

import contextlib
import shlex
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scriptorium.bench.candidates.reading import Place, Source, model_source
from scriptorium.bench.candidates.specs import (
    PLACEHOLDER,
    AnySpec,
    CommandSpec,
    ModelSpec,
    ServerSpec,
    TextLayerSpec,
)
from scriptorium.bench.candidates.tool import Handed, ToolError, check_program, run_tool
from scriptorium.pages.image import encode_png
from scriptorium.pages.pdf import PdfWorker
from scriptorium.receipt import weights_sha256
from scriptorium.serve.adapter import adapter_of, load
from scriptorium.serve.client import Asking, ChatClient, RequestRefused
from scriptorium.serve.endpoint import Endpoint
from scriptorium.serve.external import external
from scriptorium.serve.parsers import without_thinking
from scriptorium.serve.reader import POLICY, Reading, asking
from scriptorium.serve.server import serving


@dataclass(frozen=True)
class Given:
    """What a source gave for a page: `text` in its own dialect, or None with the `error`.

    `raw` is the answer that `text` was taken from, where it says more. `tokens` were generated, `prompt_tokens`
    read; `seconds` of wall time.
    """

    text: str | None
    error: str = ""
    finish_reason: str = ""
    seconds: float = 0.0
    prompt_tokens: int | None = None
    tokens: int | None = None
    attempts: int = 1
    raw: str = ""


Opened = Source[Any, Given]


def settings_of(spec: AnySpec) -> dict[str, Any]:
    """What shapes the candidate's texts, found out where the spec leaves it open: a candidate's identity.

    Raises ServerError if a server that has to be asked for its model does not answer.
    """
    settings = spec.settings()
    if isinstance(spec, ServerSpec):
        return settings | {"model": _endpoint(spec).model, "drawn_by": _drawn_by()}
    if isinstance(spec, ModelSpec):
        weights = weights_sha256(Path(spec.model)) if Path(spec.model).is_dir() else ""
        adapter = load(spec.adapter or adapter_of(spec.model)).model_dump()
        return settings | {"weights": weights, "adapter": adapter, "policy": POLICY, "drawn_by": _drawn_by()}
    return settings | {"drawn_by": _drawn_by()}


def _drawn_by() -> str:
    return f"pypdfium2 {version('pypdfium2')}"


@contextlib.contextmanager
def opened(spec: AnySpec, log: Path) -> Iterator[Opened]:
    """The source that `spec` describes, while the block runs; the output of a server started for it in `log`."""
    if isinstance(spec, ServerSpec):
        asked = Asking(spec.timeout, spec.retries + 1, spec.image_first, spec.fields, stream=False)
        with ChatClient(_endpoint(spec), spec.patience, asked) as client:
            yield server_source(spec, client)
    elif isinstance(spec, ModelSpec):
        adapter = load(spec.adapter or adapter_of(spec.model))
        with (
            serving(spec.model, adapter, spec.threads, log) as endpoint,
            ChatClient(endpoint, asking=asking(adapter)) as client,
        ):
            source = model_source(client, adapter)
            yield Source(
                source.prepare,
                lambda image, place: given(source.read(image, place)),
                source.in_flight,
                source.stop,
            )
    elif isinstance(spec, TextLayerSpec):
        yield Source(_timed_text, lambda text, _: text)
    else:
        yield command_source(spec)


def _endpoint(spec: ServerSpec) -> Endpoint:
    if not spec.model:
        endpoint = external(spec.url, spec.key_variable)
        return replace(endpoint, in_flight=spec.concurrency)
    url = spec.url.rstrip("/")
    base = url if urlsplit(url).path else f"{url}/v1"
    return Endpoint(base, spec.model, in_flight=spec.concurrency, key_variable=spec.key_variable)


def server_source(spec: ServerSpec, client: ChatClient) -> Opened:
    """One request a page; the number of the repeat is the seed."""

    def read(png: bytes, place: Place) -> Given:
        started = time.monotonic()
        try:
            answer = client.complete(png, spec.prompt, spec.max_tokens, spec.temperature, place.repeat)
        except RequestRefused as refusal:
            return Given(None, str(refusal), seconds=_since(started))
        filtered = answer.finish_reason == "content_filter"
        return Given(
            text=None if filtered else without_thinking(answer.text),
            error=f"the server ended the answer: {answer.finish_reason}" if filtered else "",
            finish_reason=answer.finish_reason,
            seconds=round(answer.seconds, 3),
            prompt_tokens=answer.prompt_tokens,
            tokens=answer.completion_tokens,
            raw=answer.text,
        )

    return Source(
        lambda pdf, path, page: encode_png(pdf.render(path, page, spec.image_side)),
        read,
        spec.concurrency,
        client.stop,
    )


def given(reading: Reading) -> Given:
    """What our own conversion read; a blank page has the empty text, one it gave up none."""
    return Given(
        text=None if reading.status == "gave_up" else reading.text,
        error=f"gave up: {reading.reason}" if reading.status == "gave_up" else "",
        finish_reason=reading.finish_reason,
        seconds=reading.seconds,
        prompt_tokens=reading.prompt_tokens,
        tokens=reading.tokens,
        attempts=reading.attempts,
        raw=reading.raw,
    )


def _timed_text(pdf: PdfWorker, path: Path, page: int) -> Given:
    started = time.monotonic()
    return Given(pdf.text(path, page), seconds=_since(started))


def command_source(spec: CommandSpec) -> Opened:
    """A command a page. Raises ConfigError if its program is not there."""
    check_program(spec.command)
    asked = {name for word in shlex.split(spec.command) for name in PLACEHOLDER.findall(word)}
    makers: dict[str, Callable[[PdfWorker, Path, int], bytes]] = {
        "pdf": lambda pdf, path, page: pdf.split(path, page),
        "image": lambda pdf, path, page: encode_png(pdf.render(path, page, spec.image_side)),
    }
    stopped = threading.Event()

    def read(files: dict[str, bytes], place: Place) -> Given:
        started = time.monotonic()
        try:
            text = run_tool(spec.command, spec.output, Handed(files, place.page), spec.timeout, stopped)
        except ToolError as error:
            return Given(None, str(error), seconds=_since(started))
        return Given(text, seconds=_since(started))

    return Source(
        lambda pdf, path, page: {
            name: make(pdf, path, page) for name, make in makers.items() if name in asked
        },
        read,
        spec.concurrency,
        stopped.set,
    )


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)
