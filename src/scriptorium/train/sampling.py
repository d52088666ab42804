"""Several answers of a model to each page, judged by the page's unit tests: what filter, rejection and pairs share.

The model is served, so that pages are read side by side. Answers are kept as they come: killed and started again,
no page is read twice.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scriptorium.bench.read import Journal
from scriptorium.errors import InputError
from scriptorium.files import sha256_file, sha256_json, whole, write_json
from scriptorium.progress import track
from scriptorium.receipt import versions, weights_sha256
from scriptorium.recipe.options import Sampling
from scriptorium.recipe.plan import Run
from scriptorium.serve.adapter import Adapter, load
from scriptorium.serve.client import ChatClient, RequestRefused
from scriptorium.serve.endpoint import Endpoint
from scriptorium.serve.reader import asking
from scriptorium.serve.server import serving
from scriptorium.train.rewards.pool import JudgePool

POLICY = 1
"""Revision of how answers are asked for and judged."""

GROUP_ROWS = 1000
"""Rows in a row group, as in the rows that are read."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Sampled:
    """A page's answers, in the order of their seeds: the text, its share of tests passed, whether it ended."""

    texts: list[str]
    scores: list[float]
    ended: list[bool]

    @property
    def mean(self) -> float:
        """The page's pass rate."""
        return sum(self.scores) / len(self.scores)


@dataclass(frozen=True)
class SampleFiles:
    """What a stage that samples reads and writes."""

    parent: Path
    rows: list[Path]
    state: Path
    out: Path
    receipt: Path
    threads: int = 1


def rows_with_tests(files: list[Path]) -> Iterator[Row]:
    """The rows of some files that have tests, in order."""
    for path in files:
        for batch in pq.ParquetFile(path).iter_batches(batch_size=64):
            yield from (row for row in batch.to_pylist() if row["tests"] not in (None, "", "[]"))


def sample(run: Run, files: SampleFiles) -> dict[str, Sampled]:
    """The answers to every page that has tests, by the page's id. Raises InputError if there is none."""
    sampling = Sampling.model_validate(run.sampling)
    adapter = load(run.model)
    count = sum(pq.ParquetFile(path).metadata.num_rows for path in files.rows)
    asked = [sampling.samples, sampling.temperature, sampling.max_tokens, run.seed]
    stamp = sha256_json(
        [POLICY, weights_sha256(files.parent), adapter.model_dump(), asked, _hashes(files.rows)]
    )
    journal = Journal(files.state / "answers.jsonl", stamp)
    left = (row for row in rows_with_tests(files.rows) if row["id"] not in journal.rows)
    first = next(left, None)
    if first is not None:
        log = files.state / "server.log"
        with (
            serving(str(files.parent), adapter, files.threads, log) as endpoint,
            ChatClient(endpoint, asking=asking(adapter)) as client,
            JudgePool() as pool,
        ):
            reader = _Reader(client, endpoint, adapter, sampling, pool, run.seed or 0)
            for row in track(reader.read(first, left), count, "pages sampled", len(journal.rows)):
                journal.append(row)
    if not journal.rows:
        raise InputError(f"{files.rows[0]}: none of {count} pages has tests to judge answers by")
    return {page: Sampled(row["texts"], row["scores"], row["ended"]) for page, row in journal.rows.items()}


@dataclass(frozen=True)
class _Reader:
    client: ChatClient
    endpoint: Endpoint
    adapter: Adapter
    sampling: Sampling
    pool: JudgePool
    seed: int

    def read(self, first: Row, rest: Iterator[Row]) -> Iterator[Row]:
        """The pages' answers as the journal keeps them, in order; as many pages at once as the server likes."""
        side = max(1, self.endpoint.in_flight)
        with ThreadPoolExecutor(side) as threads:
            batch = [first, *islice(rest, 8 * side - 1)]
            while batch:
                yield from threads.map(self._page, batch)
                batch = list(islice(rest, 8 * side))

    def _page(self, row: Row) -> Row:
        """All answers to one page, the first of them with the stage's seed. A refused request is an empty answer."""
        answers = [self._answer(row["image"], self.seed + index) for index in range(self.sampling.samples)]
        texts = [text for text, _ in answers]
        wanted = {"sample": None, "wanted": {"bench": False}}
        tasks = {text: wanted | {"sample": [text, row["text"], row["tests"]]} for text in texts}
        judged = dict(zip(tasks, self.pool.ask(list(tasks.values())), strict=True))
        found = [judged[text] for text in texts]
        scores = [each["scores"]["bench"] * each["valid"] if each else 0.0 for each in found]
        return {"id": row["id"], "texts": texts, "scores": scores, "ended": [ended for _, ended in answers]}

    def _answer(self, image: bytes, seed: int) -> tuple[str, bool]:
        most = self.sampling.max_tokens or self.adapter.max_tokens
        try:
            answer = self.client.complete(image, self.adapter.prompt, most, self.sampling.temperature, seed)
        except RequestRefused:
            return "", False
        return answer.text, answer.finish_reason == "stop"


def write(
    run: Run, files: SampleFiles, rows: list[Row], schema: pa.Schema, facts: Row, started: float
) -> None:
    """Write the rows of a stage and its receipt, which says what they were made of and how many there are.

    Raises InputError if there are no rows: a training cannot begin with them.
    """
    if not rows:
        raise InputError(
            f"stage {run.stage}: no page is left; {facts}. Widen `sampling`, or take another parent"
        )
    with whole(files.out) as part, pq.ParquetWriter(part, schema, compression="zstd") as writer:
        for at in range(0, len(rows), GROUP_ROWS):
            writer.write_table(pa.Table.from_pylist(rows[at : at + GROUP_ROWS], schema))
    receipt = {
        "run": run.name,
        "stage": run.stage,
        "method": run.method,
        "recipe": run.recipe,
        "sampling": run.sampling,
        "parents": {run.parents[0]: weights_sha256(files.parent)},
        "data": _hashes(files.rows),
        "rows": {"kept": len(rows), "sha256": sha256_file(files.out), **facts},
        "versions": versions(),
        "wall_seconds": round(time.monotonic() - started, 3),
    }
    write_json(files.receipt, receipt)


def histogram(sampled: dict[str, Sampled]) -> dict[str, int]:
    """How many pages have which pass rate, in tenths: `0.0` never right, `1.0` always, between them halves open."""
    counts = dict.fromkeys(("0", *(f"({k / 10:.1f}, {(k + 1) / 10:.1f})" for k in range(10)), "1"), 0)
    names = list(counts)
    for each in sampled.values():
        if each.mean in (0.0, 1.0):
            counts["0" if each.mean == 0.0 else "1"] += 1
        else:
            counts[names[1 + min(9, int(each.mean * 10))]] += 1
    return counts


def _hashes(paths: list[Path]) -> dict[str, str]:
    return {f"{path.parent.name}/{path.name}": sha256_file(path) for path in paths}
