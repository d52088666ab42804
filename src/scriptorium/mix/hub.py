"""Data sets of the Hugging Face hub: fetched at a pinned revision, unpacked to single-page pairs."""

import os
import re
import shutil
from pathlib import Path

from scriptorium.errors import ConfigError, InputError
from scriptorium.files import whole
from scriptorium.hub import snapshot
from scriptorium.mix import benches, tarballs
from scriptorium.mix.pairs import Pairs
from scriptorium.pages.pdf import PdfWorker

SOURCE = re.compile(r"hub:(?P<name>[\w.-]+/[\w.-]+)@(?P<revision>[\w.-]+)")


def fetch(source: str, out: Path) -> None:
    """Fetch the data set `hub:org/name@revision` to the folder `out`, or take a local folder instead.

    Stopped and started again, it goes on where it was: what has come waits beside `out`. Files of a local
    folder are linked where the file system allows it, else copied. Raises ConfigError for a source of
    another form, ServerError when the hub does not give it, HostError when the disk is full.
    """
    match = SOURCE.fullmatch(source)
    if match:
        part = out.with_name(f".{out.name}.{match['revision']}.part")
        part.mkdir(parents=True, exist_ok=True)
        snapshot(match["name"], match["revision"], part)
        if out.exists():
            shutil.rmtree(out)
        part.replace(out)
        return
    if source.startswith("hub:") or not Path(source).is_dir():
        raise ConfigError(f"source {source!r}: expected hub:org/name@revision, or a folder that is there")
    with whole(out) as copy:
        shutil.copytree(source, copy, copy_function=_link)


def unpack(fetched: Path, split: str, out: Path) -> None:
    """Write the pages of one split of the fetched data set to `out` as pairs, whole or not at all.

    Two layouts are known: `*_<split>.parquet` beside `pdf_tarballs/` (as olmOCR-mix-1025), and `bench_data/`
    with its tests and PDFs (as olmOCR-bench). A page that cannot be used is rejected with a reason. Raises
    InputError for another layout or a split that is not there.
    """
    bench, tables = fetched / "bench_data", sorted(fetched.glob("*.parquet"))
    if not bench.is_dir() and not tables:
        raise InputError(f"{fetched}: neither bench_data/ nor *.parquet in it; fetch the data set anew")
    with whole(out) as part, PdfWorker() as worker:
        pairs = Pairs(part)
        if bench.is_dir():
            benches.unpack(bench, split, pairs, worker)
        else:
            tarballs.unpack(fetched, tables, split, pairs, worker)
        pairs.close()


def _link(source: str, target: str) -> None:
    """A hard link to a file (a link's own target), or a copy where that cannot be."""
    try:
        os.link(Path(source).resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
