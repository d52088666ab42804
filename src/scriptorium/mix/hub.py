"""Data sets of the Hugging Face hub: fetched at a pinned revision, unpacked to single-page pairs."""

import re
import shutil
from collections import Counter
from pathlib import Path, PurePosixPath

import pyarrow.parquet as pq

from scriptorium.errors import ConfigError, HostError, InputError
from scriptorium.files import link_or_copy, whole
from scriptorium.hub import HubFile, fetch_file, listing
from scriptorium.mix import benches, manifest, tarballs
from scriptorium.mix.choice import Choice
from scriptorium.mix.pairs import Pairs
from scriptorium.mix.transcripts import PDF_OCR_RL, write_pairs
from scriptorium.pages.pdf import PdfWorker
from scriptorium.progress import track

SOURCE = re.compile(r"hub:(?P<name>[\w.-]+/[\w.-]+)@(?P<revision>[\w.-]+)")


def fetch(source: str, out: Path, split: str = "", most_tarballs: int | None = None) -> None:
    """Fetch the data set `hub:org/name@revision` to the folder `out`, or take a local folder instead.

    `split`: only the tables and tarballs of that split, or of one subset of it; `most_tarballs`: only the first
    so many of each table. Stopped and started again, it goes on where it was: what has come waits beside
    `out`. Files of a local folder are linked where the file system allows it, else copied. Raises ConfigError
    for a source of another form, ServerError when the hub does not give it, HostError when the disk is full or
    has no room for what the hub says there is to come.
    """
    match = SOURCE.fullmatch(source)
    if match:
        part = out.with_name(f".{out.name}.{match['revision']}.part")
        part.mkdir(parents=True, exist_ok=True)
        files = wanted(listing(match["name"], match["revision"]), split, most_tarballs)
        check_space(part, sum(file.size for file in files if not (part / file.path).is_file()))
        for file in track(files, len(files), "files fetched"):
            if not file.is_same(part / file.path):
                fetch_file(match["name"], match["revision"], file, part)
        shutil.rmtree(part / ".cache", ignore_errors=True)  # the hub client's notes for going on
        if out.exists():
            shutil.rmtree(out)
        part.replace(out)
        return
    if source.startswith("hub:") or not Path(source).is_dir():
        raise ConfigError(f"source {source!r}: expected hub:org/name@revision, or a folder that is there")
    with whole(out) as copy:
        shutil.copytree(source, copy, copy_function=link_or_copy)


def wanted(files: list[HubFile], split: str, most_tarballs: int | None) -> list[HubFile]:
    """The files of a data set that a split needs: all but other splits' tables and tarballs.

    Raises InputError for a split without a table.
    """
    tables = [file.path for file in files if "/" not in file.path and file.path.endswith(".parquet")]
    chosen = [path for path in tables if not split or tarballs.is_of(path, split)]
    if tables and not chosen:
        raise InputError(f"no table of split {split!r}; there are {', '.join(tables)}")
    other = [path.removesuffix(".parquet") for path in tables if path not in chosen]
    taken: Counter[str] = Counter()
    kept = []
    for file in files:
        stem, is_tarball = PurePosixPath(file.path).name, file.path.startswith(tarballs.FOLDER)
        if (file.path in tables and file.path not in chosen) or (
            is_tarball and any(stem.startswith(f"{name}_") for name in other)
        ):
            continue
        group = stem.rpartition("_")[0]
        taken[group] += is_tarball
        if not is_tarball or most_tarballs is None or taken[group] <= most_tarballs:
            kept.append(file)
    return kept


def check_space(folder: Path, size: int) -> None:
    """Raise HostError unless the disk has room for `size` bytes to fetch and as much again, unpacked."""
    free = shutil.disk_usage(folder).free
    if 2 * size > free:
        raise HostError(
            f"{folder}: {free / 1e9:.1f} GB free; {size / 1e9:.1f} GB are to come and unpacked take as much again. "
            "Make room, or ask for one split or a few tarballs."
        )


def unpack(
    fetched: Path,
    split: str,
    out: Path,
    choice: Choice | None = None,
    jobs: int = 1,
    most_rejected: float = 1.0,
) -> None:
    """Write the pages of one split of the fetched data set to `out` as pairs, whole or not at all.

    Three layouts are known: label tables beside `pdf_tarballs/` (as olmOCR-mix-1025), `bench_data/` with its
    tests and PDFs (as olmOCR-bench), and tables of page images and texts (as pdf-ocr-rl's). A page that cannot
    be used is rejected with a reason. `choice`: what of a split with tarballs is wanted; they are unpacked by
    `jobs` processes, and a run that was killed goes on where it was. Raises InputError for another layout or a
    split that is not there, ThresholdError, after all is written, if a larger share than `most_rejected` of the
    pages was rejected.
    """
    if (fetched / "bench_data").is_dir():
        with whole(out) as part, PdfWorker() as worker:
            pairs = Pairs(part)
            benches.unpack(fetched / "bench_data", split, pairs, worker)
            pairs.close()
        table = pq.read_table(out / "pages.parquet")
    elif images := image_tables(fetched):
        if not (chosen := [path for path in images if tarballs.is_of(path.name, split)]):
            raise InputError(f"{fetched}: no table of split {split!r}; there are {[p.stem for p in images]}")
        with whole(out) as part:
            write_pairs(chosen, part, PDF_OCR_RL)
        table = pq.read_table(out / "pages.parquet")
    elif any(fetched.glob("*.parquet")):
        table = tarballs.unpack(fetched, split, out, choice or Choice(), jobs)
        manifest.tell(table)
    else:
        raise InputError(f"{fetched}: neither bench_data/ nor *.parquet in it; fetch the data set anew")
    manifest.check_budget(out, table, most_rejected)


def image_tables(fetched: Path) -> list[Path]:
    """The tables of a data set that hold page images and their texts, as pdf-ocr-rl's do."""
    tables = sorted([*fetched.glob("*.parquet"), *fetched.glob("data/*.parquet")])
    needed = {PDF_OCR_RL.image, PDF_OCR_RL.text}
    return [path for path in tables if needed <= set(tarballs.names_of(path))]
