"""Reading the pages of a bench with a model: the outputs that are scored."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from scriptorium.bench.candidates.reading import Place, find_pdfs, model_source, places_of, read_places
from scriptorium.files import sha256_json, write_jsonl
from scriptorium.pages.pdf import PdfError, PdfWorker
from scriptorium.progress import track
from scriptorium.serve.adapter import Adapter
from scriptorium.serve.client import ChatClient
from scriptorium.serve.reader import POLICY, Reading, asking
from scriptorium.serve.server import serving

Row = dict[str, Any]


def read_bench(
    folder: Path, model: str, adapter: Adapter, threads: int, state: Path, out: Path, log: Path
) -> None:
    """Read every page of the PDFs in `folder/pdfs` and write `out`, one row a page, in order.

    `model`: a folder, `hub:org/name@revision` or a server's URL. `threads`: CPU threads of the server. Rows
    are kept in `state` as they come: killed and started again with the same model and pages, no page is
    read twice. A page that cannot be drawn or read keeps a row with its status and no text. Raises
    ServerError if the server dies or stays away, InputError if there are no PDFs.
    """
    root = folder / "pdfs"
    pdfs = find_pdfs(root)
    stamp = sha256_json([model, _files(Path(model)), adapter.model_dump(), POLICY, _files(root)])
    journal = Journal(state / "pages.jsonl", stamp)
    with PdfWorker() as pdf:
        pages = [place for path in pdfs for place in places_of(path, root, pdf)]
        left = [place for place in pages if place.id not in journal.rows]
        if left:
            with (
                serving(model, adapter, threads, log) as endpoint,
                ChatClient(endpoint, asking=asking(adapter)) as client,
            ):
                read = read_places(left, root, model_source(client, adapter), pdf)
                for each in track(read, len(pages), "bench pages", start=len(pages) - len(left)):
                    journal.append(_row(*each))
    write_jsonl(out, [journal.rows[place.id] for place in pages])


def _files(folder: Path) -> list[tuple[str, int, int]]:
    """Name, size and time of every file below a folder; nothing for a model that is not a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    return [(p.relative_to(folder).as_posix(), p.stat().st_size, p.stat().st_mtime_ns) for p in files]


def _row(place: Place, read: Reading | PdfError) -> Row:
    if isinstance(read, PdfError):
        read = Reading("unreadable", "", None, "", read.reason, 0, 0.0, 0)
    kept = ("status", "text", "finish_reason", "tokens", "seconds", "attempts")
    values = asdict(read)
    return {"id": place.id, "pdf": place.pdf, "page": place.page} | {key: values[key] for key in kept}


class Journal:
    """Rows kept in a JSONL file as they come; its first line is a stamp of what shapes them.

    A file with another stamp is begun anew, and a line torn by a kill is dropped.
    """

    def __init__(self, path: Path, stamp: str) -> None:
        self.path = path
        self.rows: dict[str, Row] = {}
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n") if path.exists() else []
        if lines and lines[0] == stamp:
            self.rows = {row["id"]: row for row in _whole_rows(lines[1:])}
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in self.rows.values())
        path.write_text(f"{stamp}\n{text}", encoding="utf-8")

    def append(self, row: Row) -> None:
        """Keep a row: it is in the file when this returns."""
        self.rows[row["id"]] = row
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _whole_rows(lines: list[str]) -> Iterator[Row]:
    """The rows of the lines that are whole."""
    for line in lines:
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            return
