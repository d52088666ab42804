"""A published bench, fetched from the hub at one commit, every file checked and its hash written down.

`<folder>.lock.json`, beside the folder, names the data set, its commit, the categories and the SHA-256 of
every file. With that lock another machine fetches the same bytes or none.
"""

import json
import shutil
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from scriptorium import hub
from scriptorium.bench.tests import records
from scriptorium.errors import ConfigError, InputError, PartialError
from scriptorium.files import sha256_file, write_json
from scriptorium.hub import HubFile
from scriptorium.progress import track

PUBLISHED = "allenai/olmOCR-bench"
"""The published bench: 1,403 pages, 7,019 tests, 357 MB, ODC-BY."""

REVISION = "54a96a6"
"""The commit of the published bench that our recipes use, in the short form."""

PREFIX = "bench_data/"
"""The folder of a data set that holds the bench; a data set without it is the bench itself."""

Lock = dict[str, Any]


def lock_path(folder: Path) -> Path:
    """Where the lock of a bench folder lies: beside it, since every folder in it would be a candidate."""
    return folder.absolute().with_name(f"{folder.absolute().name}.lock.json")


def read_lock(path: Path) -> Lock:
    """A lock that `fetch` wrote. Raises InputError for a file that is none."""
    try:
        lock = json.loads(path.read_text(encoding="utf-8"))
        if all(isinstance(entry["sha256"], str) for entry in lock["files"].values()):
            return {key: lock[key] for key in ("repo", "revision", "asked", "categories", "files")}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: not a lock that `scriptorium bench fetch` wrote: {error!r}") from error
    raise InputError(f"{path}: not a lock that `scriptorium bench fetch` wrote: a hash is no text")


def fetch(
    repo: str,
    revision: str,
    out: Path,
    categories: Iterable[str] = (),
    workers: int = 8,
    lock: Path | None = None,
) -> Lock:
    """Fetch a bench into `out` (`*.jsonl`, `pdfs/`) and write its lock; what is there already stays.

    `categories`: names of test files; only those and the PDFs that their tests name come; all by default.
    `workers`: downloads at once. `lock`: of another machine; its data set, commit and categories are taken
    and every file must have its hash. Stopped and started again, it goes on. Raises ConfigError for a
    category that is not there or a folder that holds another commit, ServerError, HostError, InputError for
    a file that is not the lock's, PartialError if the data set lacks PDFs that tests name.
    """
    wanted = read_lock(lock) if lock else None
    if wanted:
        repo, revision = wanted["repo"], wanted["revision"]
    commit = hub.commit(repo, revision)
    old = _of_same_commit(out, repo, commit)
    files = bench_files(hub.listing(repo, commit))
    chosen = _chosen(files, list(categories) or (wanted["categories"] if wanted else []), repo, commit)
    bring = _Bringer(repo, commit, out, workers, wanted["files"] if wanted else None)
    tests = {name: file for name, file in files.items() if name in chosen}
    bring(tests, "test files fetched")
    pdfs = {name: file for name, file in files.items() if name.startswith("pdfs/")}
    named = named_pdfs(out / name for name in chosen)
    whole_set = len(chosen) == sum(_is_category(name) for name in files)
    bring(pdfs if whole_set else {n: f for n, f in pdfs.items() if n in named}, "PDFs fetched")
    entries = old.get("files", {}) | bring.entries
    found: Lock = {
        "repo": repo,
        "revision": commit,
        "asked": revision,
        "categories": sorted(name.removesuffix(".jsonl") for name in entries if _is_category(name)),
        "files": {name: entries[name] for name in sorted(entries)},
    }
    write_json(lock_path(out), found)
    shutil.rmtree(bring.part, ignore_errors=True)  # the hub client's notes for going on
    if missing := sorted(named - pdfs.keys()):
        raise PartialError(
            f"hub:{repo}@{commit} lacks {len(missing)} PDFs that its tests name, {missing[0]!r} first; all else is "
            f"in {out}. `scriptorium bench lint {out}` lists the tests."
        )
    return found


def bench_files(listing: list[HubFile]) -> dict[str, HubFile]:
    """The test files and PDFs of a data set by their path in the bench folder; candidates are left out."""
    prefix = PREFIX if any(file.path.startswith(PREFIX) for file in listing) else ""
    named = {file.path.removeprefix(prefix): file for file in listing if file.path.startswith(prefix)}
    return {
        name: file
        for name, file in named.items()
        if _is_category(name) or (name.startswith("pdfs/") and name.endswith(".pdf"))
    }


def named_pdfs(files: Iterable[Path]) -> set[str]:
    """The PDFs that the tests of some files name, as paths below the bench; lines that are no tests name none."""
    return {
        f"pdfs/{record['pdf']}"
        for path in files
        for _, record in records(path)
        if isinstance(record, dict) and isinstance(record.get("pdf"), str)
    }


def verify(folder: Path, lock: Path | None = None) -> list[str]:
    """What in a bench folder is not as its lock says, one sentence each; candidates are not looked at."""
    files = read_lock(lock or lock_path(folder))["files"]
    problems = []
    for name, entry in track(files.items(), len(files), "files verified"):
        path = folder / name
        if not path.is_file():
            problems.append(f"{path}: is missing; fetch again")
        elif (found := sha256_file(path)) != entry["sha256"]:
            problems.append(
                f"{path}: SHA-256 {found}, the lock says {entry['sha256']}; delete it, fetch again"
            )
    there = [path.relative_to(folder) for path in (*folder.glob("*.jsonl"), *folder.glob("pdfs/**/*.pdf"))]
    for path in sorted(path for path in there if path.as_posix() not in files):
        problems.append(f"{folder / path}: is not in the lock, so it was not fetched; move it away")
    return problems


def _is_category(name: str) -> bool:
    return "/" not in name and name.endswith(".jsonl")


def _of_same_commit(out: Path, repo: str, commit: str) -> Lock:
    """The lock that is there. Raises ConfigError if it is of another data set or commit."""
    path = lock_path(out)
    if not path.exists():
        return {}
    old = read_lock(path)
    if (old["repo"], old["revision"]) != (repo, commit):
        raise ConfigError(
            f"{out} holds hub:{old['repo']}@{old['revision']}; fetch hub:{repo}@{commit} to another folder"
        )
    return old


def _chosen(files: dict[str, HubFile], categories: list[str], repo: str, commit: str) -> list[str]:
    """The names of the test files of the categories; of all if none is asked for."""
    there = [name for name in files if _is_category(name)]
    unknown = [one for one in categories if f"{one}.jsonl" not in there]
    if unknown or not there:
        names = ", ".join(name.removesuffix(".jsonl") for name in there) or "none"
        raise ConfigError(f"hub:{repo}@{commit}: no category {', '.join(unknown)!r}; there are {names}")
    return [f"{one}.jsonl" for one in categories] or there


class _Bringer:
    """Fetches files into the bench folder, several at once, each moved in when its hash is right."""

    def __init__(
        self, repo: str, commit: str, out: Path, workers: int, wanted: dict[str, Any] | None
    ) -> None:
        self.repo, self.commit, self.out, self.workers, self.wanted = repo, commit, out, workers, wanted
        self.part = out.absolute().with_name(f".{out.absolute().name}.{commit}.part")
        self.entries: dict[str, dict[str, Any]] = {}

    def __call__(self, files: dict[str, HubFile], what: str) -> None:
        """Bring the files; the first that fails ends it, and those that came stay."""
        pool = ThreadPoolExecutor(self.workers)
        try:
            jobs = [pool.submit(self._one, name, file) for name, file in files.items()]
            for job in track(as_completed(jobs), len(jobs), what):
                name, entry = job.result()
                self.entries[name] = entry
        finally:
            pool.shutdown(cancel_futures=True)

    def _one(self, name: str, file: HubFile) -> tuple[str, dict[str, Any]]:
        path = self.out / name
        got = path if file.is_same(path) else hub.fetch_file(self.repo, self.commit, file, self.part)
        digest = file.sha256 or sha256_file(got)
        if self.wanted is not None and self.wanted.get(name, {}).get("sha256") != digest:
            raise InputError(
                f"hub:{self.repo}@{self.commit}: {name} has the SHA-256 {digest}, which is not the lock's; "
                "one of the two was altered: find out which before you score"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        got.replace(path)
        return name, {"sha256": digest, "bytes": file.size}
