"""Pairs out of what was converted: a corpus of ours with its page store, or an olmOCR pipeline's workspace.

Only a model's whole answer becomes a truth: pages whose text is the file's own layer, that were cut off or gave
up are rejected, each with its reason.
"""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scriptorium.errors import ConfigError, InputError
from scriptorium.files import sha256_file, whole
from scriptorium.mix.offers import Unusable, document_name, offer, with_front
from scriptorium.mix.pairs import Page, Pairs
from scriptorium.pages import workspace
from scriptorium.pages.document import DocumentWorker
from scriptorium.pages.front_matter import FrontMatter, encode
from scriptorium.pages.store import Store, content_keys
from scriptorium.pages.targets import target_of, why_not_right
from scriptorium.progress import counted

BATCH = 4096
"""Rows of the plan in memory."""

Row = dict[str, Any]


def store_pairs(corpus: Path, out: Path, least_logprob: float | None = None) -> dict[str, int]:
    """The pages of a converted corpus (its folder: plan.parquet, store/, shards/) as pairs in the folder `out`.

    A page that was turned to be read is turned in its pair too. `least_logprob`: pages whose answers have a
    lower mean log-probability, or none that was kept, are rejected. Returns pages kept and rejected. Raises
    InputError for a folder that is no corpus.
    """
    check_new(out)
    with whole(out) as part, DocumentWorker() as worker:
        pairs = Pairs(part)
        opened = Sources()
        for row in counted(_rows(corpus), "pages looked at"):
            page = Page(
                document_name(row["source"], row["document"]),
                row["page"],
                f"{row['source']}::{row['member']}" if row.get("member") else row["source"],
                row["document"],
            )
            if problem := opened.problem(row) or why_not(row, least_logprob):
                pairs.reject(page, problem)
                continue
            rotation = int(row.get("rotation") or 0)
            offer(pairs, page, opened.path(row), row["page"], worker, partial(target_of, row), rotation)
        pairs.close()
    return counts(pairs)


def check_new(out: Path) -> None:
    """Raise ConfigError if the folder is there."""
    if out.exists():
        raise ConfigError(f"{out}: is there already; name a new folder")


def counts(pairs: Pairs) -> dict[str, int]:
    """How many pages a writer kept and rejected."""
    kept = sum(row["verdict"] == "kept" for row in pairs.rows)
    return {"kept": kept, "rejected": len(pairs.rows) - kept}


def why_not(row: Row, least_logprob: float | None) -> str:
    """Why a page of a corpus is not to be learnt; empty if it is."""
    if refused := why_not_right(row):
        return f"status {row['status']}: {row.get('reason') or refused}"
    if least_logprob is not None and row["status"] != "blank":
        found = row.get("mean_logprob")
        if found is None:
            return "confidence missing: convert with --logprobs"
        if found < least_logprob:
            return f"confidence too low: mean log-probability {found:.3f}, less than {least_logprob}"
    return ""


class Sources:
    """The files of planned documents, each looked at once: there, local, and with the bytes that were read."""

    def __init__(self) -> None:
        self._last: tuple[str, str] = ("", "")

    def path(self, row: Row) -> Path:
        return Path(row["source"].removeprefix("file://"))

    def problem(self, row: Row) -> str:
        """What keeps a row's document from being used; empty if nothing does."""
        if row.get("member"):
            return "document missing: it lies in an archive; unpack that, and convert the files"
        if "://" in row["source"] and not row["source"].startswith("file://"):
            return "document missing: it is not on this machine"
        if self._last[0] != row["source"]:
            path = self.path(row)
            if not path.is_file():
                said = "document missing: the file is not there"
            elif sha256_file(path) != row["document"]:
                said = "document changed: its bytes are not those that were read"
            else:
                said = ""
            self._last = row["source"], said
        return self._last[1]


def _rows(corpus: Path) -> Iterator[Row]:
    """The rows of a corpus's plan with what its store says of them."""
    key = content_keys(_settings(corpus))
    store = Store(corpus / "store")
    plan = corpus / "plan.parquet"
    try:
        with pq.ParquetFile(plan) as file:
            for batch in file.iter_batches(BATCH):
                rows = batch.to_pylist()
                keys = [key(row["document"], row["page"]) for row in rows]
                found = store.find(keys)
                for row, name in zip(rows, keys, strict=True):
                    read = row["status"] == "pending" and name in found
                    yield row | store.read(found[name]) if read else row
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(
            f"{plan}: cannot be read ({error}); name the folder of a converted corpus"
        ) from error


def _settings(corpus: Path) -> Row:
    """What all shards of a corpus were read with. Raises InputError if they differ or there are none."""
    found: list[Row] = []
    for path in sorted((corpus / "shards").glob("*.json")):
        try:
            found.append(json.loads(path.read_text(encoding="utf-8"))["settings"])
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: not a shard's receipt ({error!r}); convert the shard again") from error
        if found[-1] != found[0]:
            raise InputError(f"{path}: read with other settings than the shards before it")
    if not found:
        raise InputError(f"{corpus}: no shards/*.json in it; name the folder of a converted corpus")
    return found[0]


def workspace_pairs(folder: Path, out: Path, documents: Path | None = None) -> dict[str, int]:
    """The pages of an olmOCR pipeline's workspace as pairs in the folder `out`; pages kept and rejected.

    Sources are looked for as they are named, or below `documents`. A record says how many of its pages are
    fallbacks (the file's text layer) and not which: then none of them is kept, unless it also says each page's
    status, as ours do. It does not say either which pages were turned to be read: those look right and lie.
    """
    check_new(out)
    last = {result.source: result.where for result in workspace.results(folder)}
    with whole(out) as part, DocumentWorker() as worker:
        pairs = Pairs(part)
        for result in counted(workspace.results(folder), "documents looked at"):
            if last[result.source] == result.where:  # a later result for the same source counts
                _document(result, pairs, worker, documents)
        pairs.close()
    return counts(pairs)


def _document(result: workspace.Result, pairs: Pairs, worker: DocumentWorker, documents: Path | None) -> None:
    path = _find(result.source, documents)
    if path is None:
        name = document_name(result.source, "missing")
        return pairs.reject(
            Page(name, 0, result.source), "document missing: not on this machine; say where they lie"
        )
    sha256 = sha256_file(path)
    told = any(page.status for page in result.pages)
    fallbacks = 0 if told else int(result.metadata.get("total-fallback-pages") or 0)
    for each in result.pages:
        page = Page(document_name(result.source, sha256), each.number, result.source, sha256)
        if fallbacks:
            pairs.reject(
                page, f"fallback: {fallbacks} pages of the document are text layers, and it is not said which"
            )
            continue
        offer(pairs, page, path, each.number, worker, partial(_truth, each))
    return None


def _truth(page: workspace.Page) -> str:
    """The truth of a page of a workspace. Raises Unusable or FrontMatterError."""
    if page.status and (
        refused := why_not_right({"status": page.status, "front": page.front or {"told": 1}})
    ):
        raise Unusable(f"status {page.status}: {refused}")
    if page.text is None:
        raise Unusable("text missing: the page failed")
    if page.front is None:
        return with_front(page.text)
    return encode(FrontMatter(**page.front), page.text.strip())


def _find(source: str, documents: Path | None) -> Path | None:
    """The file of a source on this machine, if it is there."""
    names = [Path(source)] if "://" not in source and "::" not in source else []
    if documents is not None:
        tail = source.partition("://")[2] or source
        names += [documents / tail.lstrip("/"), documents / Path(tail).name]
    return next((path for path in names if path.is_file()), None)
