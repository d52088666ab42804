"""Data sets laid out as olmOCR-mix-1025: labels in `{subset}_{split}.parquet`, pages in `pdf_tarballs/`.

A row's `pdf_relpath` is `pdf_tarballs/<tarball>.tar.gz:<member>`. olmOCR-mix-0225 is read too: its tables are
called `{split}-{subset}.parquet`, its labels are JSON in the column `response`, and the member is `<id>.pdf` of
any tarball. This file says which rows there are and what becomes of each tarball; `streams` reads one.
"""

import hashlib
import shutil
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scriptorium.errors import InputError
from scriptorium.files import sha256_json, whole
from scriptorium.mix import manifest
from scriptorium.mix.choice import Choice
from scriptorium.mix.pairs import Page, is_safe, row_of
from scriptorium.mix.streams import Job, TarballError, members, unpack_tarball
from scriptorium.mix.truths import FIELDS
from scriptorium.progress import track

REVISION = 1
"""Raised when the same tarball gives other pages: what an earlier run left half done is then not taken up."""

MARK = ".tar.gz:"
"""Where a `pdf_relpath` is split, at its first place: a member's name may hold colons of its own."""

FOLDER = "pdf_tarballs/"

BATCH = 2000

Row = dict[str, Any]


@dataclass
class Plan:
    """What each tarball is to give (document and row id by member), and rows that cannot be used.

    `passed`: members whose rows are not wanted.
    """

    wanted: dict[str, dict[str, tuple[str, str]]] = field(default_factory=lambda: defaultdict(dict))
    passed: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    rejected: list[Row] = field(default_factory=list)


def tables_of(fetched: Path, split: str) -> list[Path]:
    """The label tables of a split (`eval`), or of one subset of it (`01_books_eval`). Raises InputError."""
    tables = sorted(fetched.glob("*.parquet"))
    chosen = [path for path in tables if is_of(path.name, split)]
    if not chosen:
        names = ", ".join(path.stem for path in tables)
        raise InputError(f"{fetched}: no table of split {split!r}; there are {names}")
    return chosen


def is_of(table: str, split: str) -> bool:
    """Whether a file is the label table of a split, or of the subset of one."""
    stem = table.removesuffix(".parquet")
    return table.endswith(".parquet") and (
        stem == split or stem.endswith(f"_{split}") or stem.startswith(f"{split}-")
    )


def subset_of(table: Path) -> str:
    """The subset that a table's name says: `00_documents` of 00_documents_eval; empty where it says none."""
    head, _, split = table.stem.rpartition("_")
    if table.stem.partition("-")[0] in ("train", "eval"):
        return table.stem.partition("-")[2]
    return head if split else ""


def unpack(fetched: Path, split: str, out: Path, choice: Choice, jobs: int = 1) -> pa.Table:
    """Write the pages of a split to the folder `out`, a tarball in one job of so many `jobs`; its manifest.

    Members go straight to their place. What is done stays beside `out` when the run is killed, and the next
    one goes on there. Raises InputError for a split or columns that are not there.
    """
    tables = tables_of(fetched, split)
    work = _work(fetched, tables, out, choice)
    done = work / ".done"
    done.mkdir(parents=True, exist_ok=True)
    plan = make_plan(fetched, tables, split, choice)
    left = list(_jobs(fetched, tables, plan, work, choice))
    _run([job for job in left if not job.manifest.is_file()], jobs)
    rejected = done / "rows.parquet"
    with whole(rejected) as part:
        pq.write_table(pa.Table.from_pylist(plan.rejected, manifest.MANIFEST), part)
    table = manifest.write(work, [rejected, *(job.manifest for job in left)])
    shutil.rmtree(done)
    if out.is_dir():
        shutil.rmtree(out)
    work.replace(out)
    return table


def _work(fetched: Path, tables: list[Path], out: Path, choice: Choice) -> Path:
    """The folder that `out` grows in: another one for other files or another choice. Older ones are removed."""
    files = [*tables, *sorted((fetched / "pdf_tarballs").glob("*"))]
    stats = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    digest = sha256_json([REVISION, stats, asdict(choice)])[:12]
    work = out.with_name(f".{out.name}.{digest}.part")
    for other in out.parent.glob(f".{out.name}.{'[0-9a-f]' * 12}.part"):
        if other != work:
            shutil.rmtree(other)
    return work


def _jobs(fetched: Path, tables: list[Path], plan: Plan, work: Path, choice: Choice) -> Iterator[Job]:
    for tarball in sorted(plan.wanted.keys() | plan.passed.keys())[: choice.tarballs]:
        name = hashlib.sha256(tarball.encode()).hexdigest()[:16]
        yield Job(
            fetched / tarball,
            tarball,
            tuple(tables),
            plan.wanted.get(tarball, {}),
            plan.passed.get(tarball, set()),
            work,
            work / ".done" / f"{name}.parquet",
        )


def _run(left: list[Job], jobs: int) -> None:
    """Unpack some tarballs, in processes of their own where there are several jobs."""
    if jobs == 1 or len(left) < 2:
        for job in track(left, len(left), "tarballs unpacked"):
            unpack_tarball(job)
        return
    with ProcessPoolExecutor(min(jobs, len(left)), get_context("spawn")) as pool:
        futures = [pool.submit(unpack_tarball, job) for job in left]
        try:
            for future in track(as_completed(futures), len(futures), "tarballs unpacked"):
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def make_plan(fetched: Path, tables: list[Path], split: str, choice: Choice) -> Plan:
    """Where each row's page is. Only ids, places and, where the choice needs them, labels are read."""
    plan = Plan()
    seen: set[str] = set()
    places: dict[str, str] | None = None
    for path in tables:
        columns = columns_of(path)
        if "pdf_relpath" not in columns and places is None:
            places = _places(fetched)
        subset = subset_of(path)
        looked = [*FIELDS, "response", "extras"] if choice.looks else []
        for row in rows_of(path, ["id", "pdf_relpath", *looked]):
            place = row["pdf_relpath"] if places is None else places.get(f"{row['id']}.pdf", "")
            document = f"{subset}/{row['id']}" if subset else str(row["id"])
            reason = _add(plan, document, str(row["id"]), place, row, choice, seen)
            if reason:
                page = Page(document, 0, f"{path.name}:{place}")
                plan.rejected.append(row_of(page, "", "", "rejected", reason))
    return plan


def _add(
    plan: Plan, document: str, name: str, place: Any, row: Row, choice: Choice, seen: set[str]
) -> str | None:
    """Note a row; or why it cannot be used."""
    if not is_safe(document):
        return "id not usable: as a path it leaves the folder, or is too long"
    if document in seen:
        return "id twice: an earlier row has it"
    seen.add(document)
    if place == "":
        return f"member missing: no tarball has {name}.pdf"
    if not isinstance(place, str) or MARK not in place:
        return f"pdf_relpath not usable: expected <tarball>{MARK}<member>"
    archive, member = place.split(MARK, 1)
    tarball = f"{archive}.tar.gz"
    if not is_safe(tarball) or not is_safe(member):
        return "pdf_relpath not usable: it leaves the folder"
    members_of = plan.wanted[tarball]
    if member in members_of or member in plan.passed[tarball]:
        return "pdf_relpath twice: an earlier row has it"
    if choice.takes(row) and (choice.limit is None or len(members_of) < choice.limit):
        members_of[member] = (document, name)
    else:
        plan.passed[tarball].add(member)
    return None


def _places(fetched: Path) -> dict[str, str]:
    """Where each member is, for tables that do not say it: every tarball is read once for its names."""
    found: dict[str, str] = {}
    for path in sorted((fetched / "pdf_tarballs").glob("*.tar.gz")):
        try:
            for name, _, _ in members(path):
                found.setdefault(name, f"pdf_tarballs/{path.name}:{name}")
        except TarballError:  # its rows are rejected when it is unpacked
            continue
    return found


def names_of(path: Path) -> list[str]:
    """The columns of a table. Raises InputError if it is none."""
    try:
        return list(pq.read_schema(path).names)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{path}: cannot be read ({error}); fetch the data set anew") from error


def columns_of(path: Path) -> list[str]:
    """The columns of a label table. Raises InputError if it is none."""
    columns = names_of(path)
    needed = ["id"] if "response" in columns else ["id", "pdf_relpath", *FIELDS, "natural_text"]
    if missing := [name for name in needed if name not in columns]:
        raise InputError(f"{path}: no column {missing[0]!r}; it is not laid out as olmOCR-mix-1025")
    return columns


def rows_of(path: Path, columns: list[str]) -> Iterator[Row]:
    """Some columns of a label table, a batch of rows in memory; a column that is not there is null."""
    there = [name for name in columns_of(path) if name in columns]
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH, columns=there):
            for row in batch.to_pylist():
                yield dict.fromkeys(columns) | row
