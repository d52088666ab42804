"""The worker of one shard: a server of its own, pages rendered, read, and stored as they come."""

import contextlib
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import asdict, replace
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from scriptorium.convert import layers
from scriptorium.convert.display import Display, leave_terminal, showing
from scriptorium.convert.documents import Pages, SourceError
from scriptorium.convert.host import allow_connections, give_back_images
from scriptorium.convert.plan import label, read_plan, shards_of
from scriptorium.convert.progress import Progress
from scriptorium.errors import HostError, PartialError, blame_host
from scriptorium.objects import Bucket, Folder
from scriptorium.pages.pdf import PdfError
from scriptorium.pages.sheet import Budget, Sheet, budget_for
from scriptorium.pages.store import Place, Store, Writer, content_keys, writer_name
from scriptorium.serve.adapter import Adapter
from scriptorium.serve.client import Asking, ChatClient
from scriptorium.serve.reader import POLICY, Reading, asking, read_page
from scriptorium.serve.several import MOST_IN_FLIGHT, endpoints, is_url, models, named

if TYPE_CHECKING:
    import numpy as np

Row = dict[str, Any]

RETRY = {"failed": ("gave_up", "unreadable"), "fallback": ("fallback_text", "salvaged", "gave_up")}
"""What `--retry` asks for again, by the status of the best record."""
REQUEUE = 128 + signal.SIGTERM
"""Exit code of a run that was asked to stop and can go on: not done, and no error."""
STOPPED = "asked to stop: finished pages are stored; run again to go on"
PARTIAL = ".partial.json"
GRACE_SECONDS = 5.0
"""For answers that are on their way when an error ends the run; what hangs longer is cut off."""
LAST_SECONDS = 2.0
"""For threads to notice that."""
NAMED = 5
"""Documents that a message names."""


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
    retry: Collection[str] = (),
    manner: Asking | None = None,
    progress: Progress | None = None,
) -> None:
    """Read the pages of one shard that the store does not have yet, then write the shard's receipt `out`.

    `model`: a folder, `hub:org/name@revision` or servers' URLs, as `endpoints` takes them. Killed and started
    again it repeats no finished page. Raises ServerError if the server dies or stays away: the pages left are
    pending. Raises PartialError, when all else is stored, for pages whose document is gone or changed: they are
    pending too, and the receipt is `partial_of(out)`. `cache`: where fetched documents are kept on this machine.
    `in_flight`: requests that are never exceeded at a server; how many are sent is found by how it keeps up.
    `retry`: keys of RETRY: pages with such a status are asked for again, and the better status stays.
    `manner`: timeouts and the like; `progress`: what counts the pages, shown by the caller; else in the log.
    """
    settings, name = settings_of(model, adapter), writer_name(shard, shards_of(plan))
    log = store / "logs" / f"{shard:05d}.log"
    reader = Reader(model, adapter, threads, in_flight, plan, cache, log, manner, progress)
    rows = planned(plan, shard, settings)
    finish(shard, name, settings, rows, read_rows(rows, name, reader, Store(store), retry), out)


def read_rows(
    rows: dict[str, Row], name: str, reader: "Reader", store: Store, retry: Collection[str] = ()
) -> dict[str, Place]:
    """Read the pages `rows`, by key, that the store does not have, or are asked for again; what it has then."""
    found = store.find(rows, name)
    if left := left_of(rows, found, retry):
        with stoppable(), reader, store.writer(name) as writer:
            reader.read(left, writer, before=len(rows) - len(left))
        return store.find(rows, name)
    if reader.progress:
        reader.progress.add(0, len(rows))
    return found


def finish(
    shard: int, name: str, settings: dict[str, Any], rows: dict[str, Row], found: dict[str, Place], out: Path
) -> None:
    """Write the receipt `out` of a shard's pages. Raises PartialError if some stay pending."""
    gone = [row for key, row in rows.items() if key not in found]
    write_receipt(Folder(out.parent), out.stem, receipt(shard, name, settings, found), gone)
    if gone:
        raise PartialError(about_pending(gone))


class Reader:
    """Reads pages. Its servers and the children that open documents start with the first; a context manager."""

    def __init__(
        self,
        model: str,
        adapter: Adapter,
        threads: int,
        in_flight: int,
        plan: Path | Pages,
        cache: Path | None,
        log: Path,
        manner: Asking | None = None,
        progress: Progress | None = None,
    ) -> None:
        """As for `convert_shard`; `plan` may be its documents, opened by the caller.

        `log`: for the output of a server that is started here.
        """
        self.model, self.adapter, self.threads, self.in_flight = model, adapter, threads, in_flight
        self.plan, self.cache, self.log = plan, cache, log
        self.manner, self.progress = manner, progress
        self.open = contextlib.ExitStack()
        self.started: tuple[ChatClient, Pages] | None = None

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self.open.close()

    def start(self) -> tuple[ChatClient, Pages]:
        """The client and the documents, started when they are first needed."""
        if self.started is None:
            served = self.open.enter_context(
                endpoints(self.model, self.adapter, self.threads, self.log, self.in_flight)
            )
            client = self.open.enter_context(ChatClient(served, asking=asking(self.adapter, self.manner)))
            if isinstance(self.plan, Pages):
                self.started = client, self.plan
            else:
                self.started = client, self.open.enter_context(Pages(self.plan, self.cache, children=0))
        return self.started

    def read(
        self,
        left: dict[str, Row],
        writer: Writer,
        lost: Callable[[], bool] = lambda: False,
        before: int = 0,
    ) -> None:
        """Read and store the pages `left`, by key. Once `lost` says so no further page is asked for.

        `before`: pages that need not be read any more, for the progress.
        """
        client, documents = self.start()
        with contextlib.ExitStack() as shown:
            progress = self.progress or Progress()
            if self.progress is None:
                shown.enter_context(showing(progress, Display()))
            progress.add(len(left), before)
            read_pages(left, client, self.adapter, documents, writer, lost, progress)


def planned(plan: Path, shard: int, settings: dict[str, Any]) -> dict[str, Row]:
    """The pages of a shard that a model is to read, by their keys."""
    return keyed(read_plan(plan, shard), settings)


def keyed(rows: Iterable[Row], settings: dict[str, Any]) -> dict[str, Row]:
    """Of the rows of a plan the pages that a model is to read, by their keys."""
    key = content_keys(settings)
    return {key(row["document"], row["page"]): row for row in rows if row["status"] == "pending"}


def left_of(rows: dict[str, Row], found: dict[str, Place], retry: Collection[str] = ()) -> dict[str, Row]:
    """Of the pages `rows` those that are to be read: not in the store, or to be asked for `again`."""
    again = {status for name in retry for status in RETRY[name]}
    left = {}
    for key, row in rows.items():
        place = found.get(key)
        if place is None:
            left[key] = row
        elif place.status in again:
            left[key] = row | {"again": place.times}
    return left


def write_receipt(folder: Folder | Bucket, name: str, told: dict[str, Any], gone: list[Row]) -> None:
    """Write the receipt `name` of a shard; `partial_of` it if pages stay pending, and only one of the two."""
    complete, partial = f"{name}.json", f"{name}{PARTIAL}"
    if gone:
        told = {**told, "pending": len(gone)}
    now, before = (partial, complete) if gone else (complete, partial)
    folder.put(now, (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode())
    folder.remove(before)


def partial_of(receipt: Path) -> Path:
    """The receipt of a shard of which pages are pending: no rule takes it for a finished one."""
    return receipt.with_suffix(PARTIAL)


def about_pending(gone: list[Row]) -> str:
    """What to say of pages whose documents are not there."""
    names = list(dict.fromkeys(label(row) for row in gone))
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return (
        f"{len(gone)} pages stay pending, their documents are gone or changed: {', '.join(names[:NAMED])}{more}; "
        "put them back and run again, or plan again"
    )


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
            **(adapter.pixel_bounds if adapter.engine == "vllm" and not is_url(model) else {}),
            **({"guided_regex": adapter.guided_regex} if adapter.guided_regex else {}),
        },
        "policy": {
            "reader": POLICY,
            "parser": adapter.parser,
            "text_layer": layers.policy(adapter.text_layer),
        },
    }


def weights_of(model: str) -> str:
    """What stands for the weights: a folder's hash over its safetensors files, else the model's name."""
    if model.startswith("hub:"):
        return model
    if is_url(model):
        return f"server:{models(named(model))}"
    from scriptorium.receipt import weights_sha256  # a server's weights are only a name

    return weights_sha256(Path(model))


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Turn SIGTERM into an orderly end with the code REQUEUE: what came is stored, servers and leases go.

    The process ends with this block: requests that hang in other threads are not waited for.
    """
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(REQUEUE))
    try:
        yield
    except KeyboardInterrupt:
        print(STOPPED, file=sys.stderr)
        raise
    except SystemExit as end:
        if end.code != REQUEUE:
            raise
        print(STOPPED, file=sys.stderr)
        leave_terminal()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(REQUEUE)
    finally:
        signal.signal(signal.SIGTERM, before)


def read_pages(
    left: dict[str, Row],
    client: ChatClient,
    adapter: Adapter,
    documents: Pages,
    writer: Writer,
    lost: Callable[[], bool] = lambda: False,
    progress: Progress | None = None,
) -> None:
    """Read pages with as many requests in flight as the servers like, and store each as it comes.

    A few more are drawn meanwhile, so that the next request need not wait for its image. `lost`: whether to ask
    for no more; what is asked for already is stored. Raises ThresholdError when `progress` says that too many
    pages fail.
    """
    progress = progress or Progress()
    progress.watch(client.balancer.lines)
    allow_connections(client.cap)
    give_back_images()
    ahead = 2 * documents.worker.size
    pool = ThreadPoolExecutor(client.cap + ahead)
    budget = budget_for(documents.worker.size)
    flying: dict[Future[Reading | None], str] = {}
    landed: SimpleQueue[Future[Reading | None]] = SimpleQueue()

    def land() -> None:
        future = landed.get()
        key = flying.pop(future)
        reading = future.result()
        store_reading(key, left[key], reading, writer)
        if told := progress.page(reading):
            print(told, file=sys.stderr, flush=True)

    try:
        for key, row in left.items():
            if lost():
                break
            future = pool.submit(read_row, row, client, adapter, documents, budget)
            flying[future] = key
            future.add_done_callback(landed.put)
            while len(flying) >= client.room + ahead:
                land()
        while flying:
            land()
    except BaseException as error:
        client.stop()
        pool.shutdown(wait=False, cancel_futures=True)
        wait(flying, GRACE_SECONDS if isinstance(error, Exception) else 0.0)  # a signal waits for nobody
        client.hang_up()
        wait(flying, LAST_SECONDS)
        for future, key in flying.items():  # answers that came all the same are kept
            if future.done() and not future.cancelled() and future.exception() is None:
                store_reading(key, left[key], future.result(), writer)
        if isinstance(error, RuntimeError) and "thread" in str(error):
            told = f"{error}; this host allows no more (ulimit -u): lower --in-flight"
            raise HostError(told) from error
        raise
    pool.shutdown()


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

    sheet = Sheet(draw, budget)
    try:
        if adapter.text_layer == "prefer" and (reading := layers.preferred(row, documents)):
            return layers.measured(reading, None, reading.text)
        reading = read_page(client, adapter, sheet, first_seed(row, adapter))
        layer = layers.layer_of(row, documents)
        if adapter.text_layer != "never":
            reading = layers.fallen_back(reading, layer)
        return layers.measured(replace(reading, engine=engine), sheet, layer)
    except SourceError as error:
        print(f"{label(row)}, page {row['page']}: left pending: {error}", file=sys.stderr, flush=True)
        return None
    except PdfError as error:
        return Reading("unreadable", "", None, "", "", 0, 0.0, 0, reason=f"{error.reason}: {error}")
    except OSError as error:
        blame_host(error, label(row))
        raise


def first_seed(row: Row, adapter: Adapter) -> int:
    """The seed of the first attempt: a page that is asked for again gets others than before."""
    return int(row.get("again", 0)) * len(adapter.temperatures)


def store_reading(key: str, row: dict[str, Any], reading: Reading | None, writer: Writer) -> None:
    """Put a page's reading into the store."""
    if reading is None:
        return
    record = asdict(reading)
    status = record.pop("status")
    if status in ("ok", "ok_rotated"):
        del record["raw"]  # the text and the front matter say it all
    writer.append(key, status, {"document": row["document"], "page": row["page"], **record})


def receipt(shard: int, writer: str, settings: dict[str, Any], found: dict[str, Place]) -> dict[str, Any]:
    """A finished shard: its pages by status, seconds, tokens, and the settings of its keys."""
    places = found.values()
    return {
        "shard": shard,
        "writer": writer,
        "pages": len(places),
        "statuses": dict(sorted(Counter(place.status for place in places).items())),
        "seconds": round(sum(place.seconds for place in places), 3),
        "prompt_tokens": sum(place.prompt_tokens for place in places),
        "tokens": sum(place.tokens for place in places),
        "settings": settings,
    }
