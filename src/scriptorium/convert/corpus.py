"""A corpus on one machine: planned, read, written in the formats that are asked for, and reported."""

import contextlib
import json
import threading
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scriptorium.convert.display import Display, showing
from scriptorium.convert.documents import Pages
from scriptorium.convert.plan import facts_of, looked_path, plan_rows, wanted, write_plan
from scriptorium.convert.progress import Progress
from scriptorium.convert.shard import Reader, finish, keyed, partial_of, read_rows, settings_of
from scriptorium.errors import PartialError
from scriptorium.files import sha256_file, sha256_json, sweep, write_json
from scriptorium.job import lease
from scriptorium.pages.pool import DocumentPool
from scriptorium.pages.store import Store, writer_name
from scriptorium.serve.adapter import Adapter
from scriptorium.serve.client import Asking
from scriptorium.serve.several import MOST_IN_FLIGHT, is_url, with_models

if TYPE_CHECKING:
    from scriptorium.convert.filters import Filters
    from scriptorium.convert.outputs.options import Options


@dataclass(frozen=True)
class Sources:
    """What is converted, as `plan_corpus` takes it."""

    named: Sequence[str]
    lists: Sequence[str] = ()
    pages: str = ""
    jobs: int = 1
    cache: Path | None = None
    filters: "Filters | None" = None


@dataclass(frozen=True)
class Asked:
    """Who reads the pages, and how, as `convert_shard` takes it."""

    model: str
    adapter: Adapter
    threads: int = 2
    in_flight: int = MOST_IN_FLIGHT
    retry: Collection[str] = ()
    manner: Asking | None = None


def convert_corpus(
    sources: Sources,
    asked: Asked,
    out: Path,
    options: "Options",
    shown: tuple[Progress, Display],
    children: DocumentPool,
) -> dict[str, Any]:
    """Convert `sources` into the folder `out`; its report. What an earlier run has read is not read again.

    Raises as plan_corpus and convert_shard do; pages that stay pending are only reported. `shown`: what counts
    the pages, and how it is shown; `children`: the processes that open documents, closed in the end.
    """
    plan, receipt = out / "plan.parquet", out / "shards" / "00000.json"
    with (
        contextlib.closing(children),
        lease(out / "lease"),  # two at once would read each page twice and replace each other's outputs
    ):
        sweep(out)
        # The report says which pages are pending, and the exit code.
        with contextlib.suppress(PartialError), showing(*shown):
            read_corpus(sources, asked, out, shown[0], children)
        return write_all(plan, receipt if receipt.exists() else partial_of(receipt), out, options)


def write_all(plan: Path, receipt: Path, out: Path, options: "Options") -> dict[str, Any]:
    """Write outputs and report of a corpus that was read; the report. What is there already is left alone.

    A stamp says what they were last made of; write_outputs takes it away, so that it never outlives them.
    """
    # Imported here: the servers need not wait for what is only needed when they are done.
    from scriptorium.convert.outputs.write import STAMP, write_outputs
    from scriptorium.convert.report import write_report

    stamp, report = out / STAMP, out / "report.json"
    made_of = state_of(plan, receipt, out / "store", options)
    there = all(path.exists() for path in (stamp, report, *(out / name for name in options.formats)))
    if there and json.loads(stamp.read_text(encoding="utf-8")) == made_of:
        return json.loads(report.read_text(encoding="utf-8"))
    write_outputs(plan, out / "store", [receipt], out, options)
    found = write_report(plan, out / "store", [receipt], report, options.filters)
    write_json(stamp, made_of)
    return found


def state_of(plan: Path, receipt: Path, store: Path, options: "Options") -> str:
    """A digest of all that outputs and report depend on; of the store its segments' names and sizes, as they grow."""
    from scriptorium.convert import outputs, report
    from scriptorium.pages import signals

    segments = sorted((path.name, path.stat().st_size) for path in store.glob("segments/*.jsonl"))
    return sha256_json(
        {
            "plan": sha256_file(plan),
            "receipt": sha256_file(receipt),
            "segments": segments,
            "options": options.model_dump(mode="json"),
            "code": [outputs.REVISION, report.REVISION, signals.REVISION],
        }
    )


def read_corpus(
    sources: Sources, asked: Asked, out: Path, progress: Progress, children: DocumentPool
) -> None:
    """Plan the corpus, read its pages into the store and write the receipt, as convert_shard does.

    The first pages are on their way to the model before the plan is written: that takes as long as all before.
    """
    more: dict[str, Any] = {"pages": sources.pages, "jobs": sources.jobs, "cache": sources.cache}
    more |= {"lists": sources.lists, "children": children}
    plan, store = out / "plan.parquet", out / "store"
    with ThreadPoolExecutor(1) as aside:
        model = aside.submit(with_models if is_url(asked.model) else str, asked.model)
        facts = facts_of(sources.named, sources.lists)
        there = plan_rows(sources.named, 1, looked=looked_path(plan), **more)
        rows = list(wanted(there, sources.filters, facts, plan, sources.jobs, sources.cache))
        found, name = model.result(), writer_name(0, 1)
        settings = settings_of(found, asked.adapter)
        pages = keyed(rows, settings)
        with written_meanwhile(rows, facts, plan, progress.first):
            documents = Pages(json.loads(facts["manifests"]), sources.cache, children=children)
            log = store / "logs" / "00000.log"
            reader = Reader(
                found,
                asked.adapter,
                asked.threads,
                asked.in_flight,
                documents,
                None,
                log,
                asked.manner,
                progress,
            )
            places = read_rows(pages, name, reader, Store(store), asked.retry)
    finish(0, name, settings, pages, places, out / "shards" / "00000.json")


@contextlib.contextmanager
def written_meanwhile(
    rows: list[dict[str, Any]], facts: dict[str, str], plan: Path, when: threading.Event
) -> Iterator[None]:
    """Write a plan beside what the block does, beginning at `when` or at its end. Raises what that raises."""

    def write() -> None:
        when.wait()
        write_plan(rows, facts, plan)

    with ThreadPoolExecutor(1) as aside:
        writing = aside.submit(write)
        try:
            yield
        finally:
            when.set()
        writing.result()
