"""What a results folder says: its runs, their scores and metrics, its corpora, and what it all cost."""

import csv
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO, cast

import pyarrow.parquet as pq
import yaml
import zstandard

from scriptorium.errors import InputError

Row = dict[str, Any]


@dataclass(frozen=True)
class RunRecord:
    """One run as its files tell it; a part that was not written is empty."""

    name: str
    stage: Row = field(default_factory=dict)
    receipt: Row = field(default_factory=dict)
    bench: Row = field(default_factory=dict)
    metrics: list[Row] = field(default_factory=list)
    readings: dict[str, Row] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """The stage's method; of a model from elsewhere, `external`."""
        return str(self.stage.get("method") or self.receipt.get("method") or "external")

    @property
    def parents(self) -> list[str]:
        """The run's parents: names of runs, paths, or models on the hub. One from elsewhere has what it is."""
        return list(self.stage["parents"] if self.stage else self.receipt.get("parents", []))

    @property
    def data(self) -> list[str]:
        """What the run learned from, as `source/split`."""
        return [f"{one['source']}/{one['split']}" for one in self.stage.get("data", [])]

    def score(self, rules: str) -> Row | None:
        """The scores by one rule set, or None if the run was not measured by it."""
        found: Row | None = self.bench.get("scores", {}).get(rules)
        return found

    def shares(self, rules: str) -> dict[str, tuple[int, int]]:
        """Page id to the tests of that page that were passed, and all of them."""
        pages: Row = self.bench.get("per_page", {}).get(rules, {})
        return {page: _count(cells) for page, cells in pages.items()}


@dataclass(frozen=True)
class RuleCost:
    """What the jobs of one rule cost together: seconds of wall time, megabytes of the largest."""

    rule: str
    jobs: int
    seconds: float
    memory_mb: float


def _count(cells: Row) -> tuple[int, int]:
    """The sum over a page's categories of [passed, tests]."""
    return sum(cell[0] for cell in cells.values()), sum(cell[1] for cell in cells.values())


def read_runs(results: Path, names: list[str]) -> dict[str, RunRecord]:
    """The runs `names` and everything they descend from, parents first. Raises InputError."""
    runs: dict[str, RunRecord] = {}

    def add(name: str) -> None:
        if name in runs or not (results / name).is_dir():
            return
        run = read_run(results / name)
        for parent in run.parents:
            if "/" not in parent and not parent.startswith("hub:"):
                add(parent)
        runs[name] = run

    for name in names:
        add(name)
        if name not in runs:
            raise InputError(f"{results / name}: no such run; --run names folders of {results}")
    return runs


def read_run(folder: Path) -> RunRecord:
    """One run's files. Raises InputError for one that is damaged."""
    stage = folder / "stage.yaml"
    metrics, pages = folder / "metrics.jsonl", folder / "bench" / "pages.jsonl"
    return RunRecord(
        name=folder.name,
        stage=yaml.safe_load(stage.read_text(encoding="utf-8")) if stage.exists() else {},
        receipt=read_json(folder / "model.json"),
        bench=read_json(folder / "bench.json"),
        metrics=list(_lines(metrics)),
        readings={row["id"]: row for row in _lines(pages)},
    )


def read_json(path: Path) -> Row:
    """The JSON object in `path`, empty if there is no such file. Raises InputError for anything else."""
    if not path.exists():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: not JSON: {error}; remove it and let its rule write it again") from error
    if not isinstance(value, dict):
        raise InputError(f"{path}: expected a JSON object, found a {type(value).__name__}")
    return value


def _lines(path: Path) -> Iterator[Row]:
    if not path.exists():
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            yield json.loads(line)
        except ValueError as error:
            raise InputError(f"{path}: line {number} is not JSON: {error}") from error


@dataclass(frozen=True)
class Split:
    """Pages of one split of one source, by their verdict, and the runs that learned from them."""

    name: str
    kept: int
    rejected: int
    used_by: list[str]


def read_splits(results: Path, runs: dict[str, RunRecord]) -> dict[str, Split]:
    """The splits of this folder by `source/split`, as their `pages.parquet` counts them."""
    found = {}
    for path in sorted((results / "pages").glob("*/*/pages.parquet")):
        name = path.parent.relative_to(results / "pages").as_posix()
        verdicts = pq.read_table(path, columns=["verdict"])["verdict"].to_pylist()
        kept = verdicts.count("kept")
        used_by = [run.name for run in runs.values() if name in run.data]
        found[name] = Split(name, kept, len(verdicts) - kept, used_by)
    return found


def read_costs(results: Path) -> list[RuleCost]:
    """What each rule cost, by Snakemake's benchmark files, the dearest first."""
    costs = []
    for folder in sorted(path for path in (results / "benchmarks").glob("*") if path.is_dir()):
        rows = []
        for path in sorted(folder.rglob("*.tsv")):
            with path.open(encoding="utf-8", newline="") as file:
                rows += list(csv.DictReader(file, delimiter="\t"))
        if rows:
            seconds = sum(_number(row.get("s")) for row in rows)
            memory = max(_number(row.get("max_rss")) for row in rows)
            costs.append(RuleCost(folder.name, len(rows), seconds, memory))
    return sorted(costs, key=lambda cost: (-cost.seconds, cost.rule))


def _number(text: str | None) -> float:
    """A cell of a benchmark file; `NA` and `-` stand for a job too short to be measured."""
    try:
        return float(text or 0)
    except ValueError:
        return 0.0


def _opened(path: Path) -> TextIO:
    """A file of JSON lines, compressed as its name says."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    if path.suffix == ".zst":
        return cast(TextIO, zstandard.open(path, "rt", encoding="utf-8"))
    return path.open(encoding="utf-8")


def converted_pages(corpus: Path) -> Iterator[Row]:
    """The pages of a converted corpus in order: `source`, `page`, `status`, `text`."""
    for path in sorted((corpus / "dolma").glob("*.jsonl*")):
        with _opened(path) as file:
            for line in file:
                record = json.loads(line)
                source = record["metadata"]["Source-File"]
                spans = record["attributes"]["pdf_page_numbers"]
                statuses = record["attributes"].get("page_status", [""] * len(spans))
                for (start, end, page), status in zip(spans, statuses, strict=True):
                    text = record["text"][start:end]
                    yield {"source": source, "page": page, "status": status, "text": text}
