"""Small documents, shards and data sets, made on the spot."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pypdfium2

HEADER = (
    "---\nprimary_language: en\nis_rotation_valid: True\nrotation_correction: 0\n"
    "is_table: False\nis_diagram: False\n---"
)
TEXT = HEADER + "\nink on paper"


def pdf(pages: int = 1) -> bytes:
    """A PDF whose page n is 100 + n points wide and 50 high."""
    document, file = pypdfium2.PdfDocument.new(), io.BytesIO()
    for number in range(1, pages + 1):
        document.new_page(100 + number, 50)
    document.save(file)
    return file.getvalue()


def widths(path: Path) -> list[float]:
    """The width of every page of a PDF."""
    document = pypdfium2.PdfDocument(path)
    return [document.get_page_size(index)[0] for index in range(len(document))]


def present(name: str, category: str = "text", **more: Any) -> dict[str, Any]:
    return {"id": name, "type": "present", "text": "ink", "category": category, **more}


def truth(document: str, page: int, text: str = TEXT, **more: Any) -> dict[str, Any]:
    row = {"document": document, "page": page, "text": text, "tests": [present(f"{document}-{page}")]}
    return row | {"group": ""} | more


def shard(folder: Path, documents: dict[str, bytes], truths: list[Any]) -> Path:
    """A shard as the generator writes it; a truth that is bytes is a line as it is."""
    (folder / "documents").mkdir(parents=True)
    for name, content in documents.items():
        (folder / "documents" / f"{name}.pdf").write_bytes(content)
    lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in truths]
    (folder / "pages.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    return folder


def label(name: str, tarball: str = "00_documents_eval_00000", **more: Any) -> dict[str, Any]:
    """A row of labels."""
    row = {
        "id": name,
        "url": None,
        "page_number": 7,
        "pdf_relpath": f"pdf_tarballs/{tarball}.tar.gz:{name}.pdf",
        "primary_language": "en",
        "is_rotation_valid": True,
        "rotation_correction": 0,
        "is_table": False,
        "is_diagram": False,
        "natural_text": f"page of {name}",
        "extras": None,
    }
    return row | more


def mix(folder: Path, labels: list[dict[str, Any]], members: dict[str, bytes | tarfile.TarInfo]) -> Path:
    """A data set with one table and one tarball; a member that is a TarInfo is added as it is."""
    (folder / "pdf_tarballs").mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(labels), folder / "00_documents_eval.parquet")
    with tarfile.open(folder / "pdf_tarballs" / "00_documents_eval_00000.tar.gz", "w:gz") as archive:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return folder


def bench(folder: Path, tests: dict[str, list[Any]], pdfs: dict[str, bytes]) -> Path:
    """A data set in the bench's layout; a test that is bytes is a line as it is."""
    for name, content in pdfs.items():
        path = folder / "bench_data" / "pdfs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for category, rows in tests.items():
        lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
        (folder / "bench_data" / f"{category}.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    return folder


def index(folder: Path) -> dict[str, dict[str, Any]]:
    """The rows of `pages.parquet` by id."""
    rows = pq.read_table(folder / "pages.parquet").to_pylist()
    assert len({row["id"] for row in rows}) == len(rows)
    return {row["id"]: row for row in rows}


def reasons(folder: Path) -> dict[str, str]:
    """Id and reason, up to its colon, of every page; kept pages have none."""
    return {name: row["reason"].partition(":")[0] for name, row in index(folder).items()}
