"""What the fault suite works with: a corpus made by hand, the faulty server, the real command as a process."""

import contextlib
import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from scriptorium.convert.report import read_rows

from ..pages.hostile import pdf, stream

ROOT = Path(__file__).parents[2]
ADAPTER = "tiny"
PROGRAM = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name == "pandas":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
from scriptorium.cli import main
main()
"""
"""The command as without the training extras: where pandas is installed, pyarrow takes half a second to load it."""
COMMAND = [sys.executable, "-c", PROGRAM]
LIMIT_SECONDS = 300.0
"""No run of the suite takes a tenth of it: a run that does hangs."""


def document(label: str, pages: int) -> bytes:
    """A PDF whose page n says `label n`."""
    kids = b" ".join(b"%d 0 R" % (4 + 2 * k) for k in range(pages))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%b]/Count %d/MediaBox[0 0 160 80]>>" % (kids, pages),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for k in range(pages):
        objects.append(
            b"<</Type/Page/Parent 2 0 R/Contents %d 0 R/Resources<</Font<</F 3 0 R>>>>>>" % (5 + 2 * k)
        )
        objects.append(stream(b"", b"BT /F 14 Tf 5 30 Td (%b %d) Tj ET" % (label.encode(), k + 1)))
    return pdf(*objects)


def make_corpus(folder: Path, documents: int, pages: int) -> Path:
    """A folder of PDFs with up to `pages` pages each, in two subfolders."""
    for number in range(documents):
        path = folder / f"part-{number % 2}" / f"document-{number:03d}.pdf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(document(f"d{number}", 1 + number % pages))
    return folder


class FaultyServer:
    """The server process; a context manager. `answers`: a file of true answers by page image."""

    def __init__(self, script: dict[str, Any] | None = None, answers: Path | None = None):
        command = [sys.executable, "-m", "tests.faults.server", json.dumps(script or {})]
        command += [str(answers)] if answers else []
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"
        self.client = httpx.Client(base_url=self.url)

    def __enter__(self) -> "FaultyServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.process.kill()
        self.process.communicate()

    def order(self, **script: Any) -> None:
        """Follow another script from now on."""
        self.client.post("/control", json=script).raise_for_status()

    def told(self) -> dict[str, Any]:
        """What was asked of it: requests, visits and answers by page image."""
        return self.client.get("/control").json()


@dataclass(frozen=True)
class Run:
    """How a run of the command ended: exit code, standard output and error, peak memory in bytes."""

    code: int
    out: str
    err: str
    peak: int


def start(source: Path, out: Path, url: str, *more: str, **popen: Any) -> subprocess.Popen[str]:
    """The command `scriptorium convert` as a process that runs."""
    words = ["convert", str(source), "--out", str(out), "--server", url, "--adapter", ADAPTER, *more]
    return command(*words, **popen)


def command(*words: str, **popen: Any) -> subprocess.Popen[str]:
    """The command `scriptorium` with these words as a process that runs."""
    return subprocess.Popen(
        [*COMMAND, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        **popen,
    )


def finish(process: subprocess.Popen[str], limit: float = LIMIT_SECONDS) -> Run:
    """Wait for a process, `limit` seconds at most. A traceback is a bug, whatever the fault was."""
    out, err = process.communicate(timeout=limit)
    assert "Traceback" not in err, err
    return Run(process.returncode, out, err, 0)


def until(process: subprocess.Popen[str], holds: Callable[[], bool]) -> None:
    """Wait for something to hold while a process runs."""
    while not holds():
        assert process.poll() is None, finish(process).err
        time.sleep(0.05)


def convert(source: Path, out: Path, url: str, *more: str) -> Run:
    """Run `scriptorium convert` to its end."""
    return finish(start(source, out, url, *more))


def kill_tree(process: subprocess.Popen[str]) -> None:
    """SIGKILL to a process and all that came of it."""
    family = [process.pid]
    with contextlib.suppress(psutil.NoSuchProcess):
        family += [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    for pid in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 9)
    process.communicate()


def outputs(out: Path) -> dict[str, bytes]:
    """The final outputs by name: everything but plan, store, shard receipts and the report's measures."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for folder in ("dolma", "markdown")
        for path in sorted((out / folder).rglob("*"))
        if path.is_file()
    }


def records(out: Path) -> Iterator[dict[str, Any]]:
    """The Dolma records."""
    for path in sorted((out / "dolma").rglob("*.jsonl.gz")):
        for line in gzip.decompress(path.read_bytes()).decode().splitlines():
            yield json.loads(line)


def page_texts(record: dict[str, Any]) -> list[str]:
    """The text of every page of a Dolma record, white space at the ends left out."""
    return [record["text"][start:end].strip() for start, end, _ in record["attributes"]["pdf_page_numbers"]]


def report(out: Path) -> dict[str, Any]:
    """The corpus report and its rows."""
    return json.loads((out / "report.json").read_text(encoding="utf-8")) | {
        "rows": list(read_rows(out / "report.json"))
    }
