"""The worker of one shard: a server of its own, pages rendered, read, and stored as they come."""

import contextlib
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from scriptorium.convert.documents import Pages, SourceError
from scriptorium.convert.plan import label, read_plan
from scriptorium.files import write_json
from scriptorium.pages.pdf import PdfError
from scriptorium.pages.store import Place, Store, Writer, content_key
from scriptorium.progress import track
from scriptorium.receipt import weights_sha256
from scriptorium.serve.adapter import Adapter
from scriptorium.serve.client import ChatClient
from scriptorium.serve.reader import POLICY, Reading, asking, read_page
from scriptorium.serve.server import external, serving

FALLBACK_POLICY = "text-layer"
"""A page whose model gave up gets its text layer, if it has one: status fallback_text."""


def convert_shard(
    plan: Path,
    shard: int,
    model: str,
    adapter: Adapter,
    threads: int,
    store: Path,
    out: Path,
    cache: Path | None = None,
) -> None:
    """Read the pages of one shard that the store does not have yet, then write the shard's receipt `out`.

    `model`: a folder, `hub:org/name@revision` or a server's URL. Killed and started again it repeats no
    finished page. Raises ServerError if the server dies or stays away: the pages left are pending, as are
    those whose document is gone or changed. `cache`: where fetched documents are kept on this machine.
    """
    rows = [row for row in read_plan(plan, shard) if row["status"] == "pending"]
    settings = settings_of(model, adapter)
    keys = {content_key(row["document"], row["page"], settings): row for row in rows}
    pages = Store(store)
    done = pages.find(keys)
    left = {key: row for key, row in keys.items() if key not in done}
    log = store / "logs" / f"{shard:05d}.log"
    if left:
        with (
            stoppable(),
            serving(model, adapter, threads, log) as endpoint,
            ChatClient(endpoint, asking=asking(adapter)) as client,
            Pages(plan, cache) as documents,
            pages.writer(f"{shard:05d}") as writer,
        ):
            read_pages(left, client, adapter, documents, writer)
    write_json(out, receipt(shard, settings, pages, pages.find(keys)))


def settings_of(model: str, adapter: Adapter) -> dict[str, Any]:
    """Everything besides the page that shapes its text: the part of the content key that a shard shares."""
    return {
        "render": {
            "engine": f"pypdfium2 {version('pypdfium2')}",
            "images": f"pillow {version('pillow')}",
            "side": adapter.image_side,
            "max_scale": adapter.max_scale,
        },
        "weights": weights_of(model),
        "prompt": adapter.prompt_sha256,
        "sampling": {"temperatures": adapter.temperatures, "max_tokens": adapter.max_tokens},
        "asked": {"image_first": adapter.image_first, "fields": adapter.fields},
        "policy": {"reader": POLICY, "parser": adapter.parser, "fallback": FALLBACK_POLICY},
    }


def weights_of(model: str) -> str:
    """What stands for the weights: a folder's hash over its safetensors files, else the model's name."""
    if model.startswith("hub:"):
        return model
    if model.startswith(("http://", "https://")):
        return f"server:{external(model).model}"
    return weights_sha256(Path(model))


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Turn SIGTERM into an orderly end: the server goes, the segment is synced."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def read_pages(
    left: dict[str, dict[str, Any]], client: ChatClient, adapter: Adapter, documents: Pages, writer: Writer
) -> None:
    """Read pages with as many requests in flight as the server likes; rendered no further ahead than one."""
    pool = ThreadPoolExecutor(client.endpoint.in_flight)
    flying: dict[Future[Reading], str] = {}

    def land() -> Iterator[str]:
        for future in wait(flying, return_when=FIRST_COMPLETED).done:
            key = flying.pop(future)
            store_reading(key, left[key], future.result(), documents, writer)
            yield key

    def all_pages() -> Iterator[str]:
        for key, row in left.items():
            image = render(row, adapter, documents)
            if image is None:
                yield key
                continue
            if isinstance(image, Reading):
                store_reading(key, row, image, documents, writer)
                yield key
                continue
            flying[pool.submit(read_page, client, adapter, image)] = key
            while len(flying) > client.endpoint.in_flight:
                yield from land()
        while flying:
            yield from land()

    try:
        for _ in track(all_pages(), len(left), "pages"):
            pass
    finally:
        client.stop()
        pool.shutdown(cancel_futures=True)
        for future, key in flying.items():  # an error ends the run: answers that came all the same are kept
            if not future.cancelled() and future.exception() is None:
                store_reading(key, left[key], future.result(), documents, writer)


def render(row: dict[str, Any], adapter: Adapter, documents: Pages) -> np.ndarray | Reading | None:
    """The page's image; the reading that says why it cannot be drawn; or None: its document is not there."""
    try:
        return documents.render(row, adapter.image_side, max_scale=adapter.max_scale)
    except SourceError as error:
        print(f"{label(row)}, page {row['page']}: left pending: {error}", file=sys.stderr, flush=True)
        return None
    except PdfError as error:
        return Reading("unreadable", "", None, "", "", 0, 0.0, 0, reason=f"{error.reason}: {error}")


def store_reading(key: str, row: dict[str, Any], reading: Reading, documents: Pages, writer: Writer) -> None:
    """Put a page's reading into the store; where the model gave up, the text layer's text if there is one."""
    if reading.status == "gave_up":
        with contextlib.suppress(PdfError, SourceError):
            text = documents.text(row).strip()
            reading = replace(reading, status="fallback_text", text=text) if text else reading
    record = asdict(reading)
    status = record.pop("status")
    if status in ("ok", "ok_rotated"):
        del record["raw"]  # the text and the front matter say it all
    writer.append(key, status, {"document": row["document"], "page": row["page"], **record})


def receipt(shard: int, settings: dict[str, Any], pages: Store, found: dict[str, Place]) -> dict[str, Any]:
    """A finished shard: its pages by status, seconds, tokens, and the settings of its keys."""
    records = [pages.read(place) for place in found.values()]
    return {
        "shard": shard,
        "writer": f"{shard:05d}",
        "pages": len(records),
        "statuses": dict(sorted(Counter(record["status"] for record in records).items())),
        "seconds": round(sum(record["seconds"] for record in records), 3),
        "prompt_tokens": sum(record["prompt_tokens"] for record in records),
        "tokens": sum(record["tokens"] for record in records),
        "settings": settings,
    }
