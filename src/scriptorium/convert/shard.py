"""The worker of one shard: a server of its own, pages rendered, read, and stored as they come."""

import contextlib
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from scriptorium.convert.documents import Pages, SourceError
from scriptorium.convert.host import allow_connections, give_back_images
from scriptorium.convert.plan import label, read_plan
from scriptorium.errors import HostError
from scriptorium.files import write_json
from scriptorium.pages.pdf import PdfError
from scriptorium.pages.sheet import Budget, Sheet
from scriptorium.pages.store import Place, Store, Writer, content_key
from scriptorium.progress import track
from scriptorium.receipt import weights_sha256
from scriptorium.serve.adapter import Adapter
from scriptorium.serve.client import ChatClient
from scriptorium.serve.faults import HOST
from scriptorium.serve.reader import POLICY, Reading, asking, read_page
from scriptorium.serve.several import MOST_IN_FLIGHT, endpoints, is_url, models, named

if TYPE_CHECKING:
    import numpy as np

FALLBACK_POLICY = "text-layer"
"""A page whose model gave up gets its text layer, if it has one: status fallback_text."""
IMAGE_BYTES = 64 << 20
"""Images, in bytes, that are drawn or wait to be sent: back-pressure on rendering."""


def convert_shard(
    plan: Path,
    shard: int,
    model: str,
    adapter: Adapter,
    threads: int,
    store: Path,
    out: Path,
    cache: Path | None = None,
    in_flight: int = MOST_IN_FLIGHT,
) -> None:
    """Read the pages of one shard that the store does not have yet, then write the shard's receipt `out`.

    `model`: a folder, `hub:org/name@revision` or servers' URLs, as `endpoints` takes them. Killed and started
    again it repeats no finished page. Raises ServerError if the server dies or stays away: the pages left are
    pending, as are those whose document is gone or changed. `cache`: where fetched documents are kept on this
    machine.
    `in_flight`: requests that are never exceeded at a server; how many are sent is found by how it keeps up.
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
            endpoints(model, adapter, threads, log, in_flight) as served,
            ChatClient(served, asking=asking(adapter)) as client,
            Pages(plan, cache, children=0) as documents,
            pages.writer(f"{shard:05d}") as writer,
        ):
            read_pages(left, client, adapter, documents, writer)
    write_json(out, receipt(shard, settings, pages, pages.find(keys)))


def settings_of(model: str, adapter: Adapter) -> dict[str, Any]:
    """Everything besides the page that shapes its text: the part of the content key that a shard shares."""
    return {
        "render": {
            **adapter.drawing.settings(),
            "side": adapter.image_side,
            "max_scale": adapter.max_scale,
        },
        "weights": weights_of(model),
        "prompt": adapter.prompt_sha256,
        "sampling": {"temperatures": adapter.temperatures, "max_tokens": adapter.max_tokens},
        "asked": {
            "image_first": adapter.image_first,
            "fields": adapter.fields,
            **({"guided_regex": adapter.guided_regex} if adapter.guided_regex else {}),
        },
        "policy": {"reader": POLICY, "parser": adapter.parser, "fallback": FALLBACK_POLICY},
    }


def weights_of(model: str) -> str:
    """What stands for the weights: a folder's hash over its safetensors files, else the model's name."""
    if model.startswith("hub:"):
        return model
    if is_url(model):
        return f"server:{models(named(model))}"
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
    """Read pages with as many requests in flight as the servers like, and store each as it comes.

    A few more are drawn meanwhile, so that the next request need not wait for its image.
    """
    allow_connections(client.cap)
    give_back_images()
    ahead = 2 * documents.worker.size
    pool = ThreadPoolExecutor(client.cap + ahead)
    budget = Budget(IMAGE_BYTES)
    flying: dict[Future[Reading | None], str] = {}
    landed: SimpleQueue[Future[Reading | None]] = SimpleQueue()

    def land() -> str:
        future = landed.get()
        key = flying.pop(future)
        store_reading(key, left[key], future.result(), writer)
        return key

    def all_pages() -> Iterator[str]:
        for key, row in left.items():
            future = pool.submit(read_row, row, client, adapter, documents, budget)
            flying[future] = key
            future.add_done_callback(landed.put)
            while len(flying) >= client.room + ahead:
                yield land()
        while flying:
            yield land()

    try:
        for _ in track(all_pages(), len(left), "pages"):
            pass
    except RuntimeError as error:
        if "thread" not in str(error):
            raise
        raise HostError(f"{error}; this host allows no more (ulimit -u): lower --in-flight") from error
    finally:
        client.stop()
        pool.shutdown(cancel_futures=True)
        for future, key in flying.items():  # an error ends the run: answers that came all the same are kept
            if not future.cancelled() and future.exception() is None:
                store_reading(key, left[key], future.result(), writer)


def read_row(
    row: dict[str, Any], client: ChatClient, adapter: Adapter, documents: Pages, budget: Budget
) -> Reading | None:
    """What a planned page was read as; None if its document is not there, so that it stays pending."""
    engine = ""

    def draw() -> "np.ndarray":
        nonlocal engine
        drawn = documents.draw(row, adapter.image_side, adapter.drawing, max_scale=adapter.max_scale)
        engine = drawn.engine
        return drawn.pixels

    try:
        reading = with_text_layer(row, read_page(client, adapter, Sheet(draw, budget)), documents)
        return replace(reading, engine=engine)
    except SourceError as error:
        print(f"{label(row)}, page {row['page']}: left pending: {error}", file=sys.stderr, flush=True)
        return None
    except PdfError as error:
        return Reading("unreadable", "", None, "", "", 0, 0.0, 0, reason=f"{error.reason}: {error}")
    except OSError as error:
        if error.errno not in HOST:
            raise
        raise HostError(f"{label(row)}: {error.strerror} on this host; make room and run again") from error


def with_text_layer(row: dict[str, Any], reading: Reading, documents: Pages) -> Reading:
    """The reading; where the model gave up, with the text layer's text if there is one."""
    if reading.status == "gave_up":
        with contextlib.suppress(PdfError, SourceError):
            text = documents.text(row).strip()
            return replace(reading, status="fallback_text", text=text) if text else reading
    return reading


def store_reading(key: str, row: dict[str, Any], reading: Reading | None, writer: Writer) -> None:
    """Put a page's reading into the store."""
    if reading is None:
        return
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
