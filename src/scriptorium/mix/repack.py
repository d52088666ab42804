"""Pairs into the hub's format and out of it: the inverse of unpacking, and pairs as other trainers want them.

A folder of pairs has `X.pdf` (one page) and `X.md` at any depth, and may have `urls.jsonl` (`id`, `url`); the
id is the path without its ending.
"""

import gzip
import json
import re
import shutil
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from scriptorium.errors import InputError
from scriptorium.files import link_or_copy, read_jsonl, whole, write_jsonl
from scriptorium.mix import manifest
from scriptorium.mix.pairs import is_safe
from scriptorium.mix.truths import CLOCKWISE, truth
from scriptorium.pages import front_matter
from scriptorium.pages.front_matter import FrontMatterError
from scriptorium.pages.pdf import PdfError, PdfWorker
from scriptorium.progress import track

LARGEST = 1 << 30
"""Bytes of a tarball: what the hub's own have at most."""

TAR_BLOCK = 512
PER_MEMBER = 2 * TAR_BLOCK
"""What a member takes in a tarball beside its bytes: its header and what fills its last block, at most."""

COLUMNS = pa.schema(
    [
        ("id", pa.string()),
        ("url", pa.string()),
        ("page_number", pa.int64()),
        ("pdf_relpath", pa.string()),
        ("primary_language", pa.string()),
        ("is_rotation_valid", pa.bool_()),
        ("rotation_correction", pa.int32()),
        ("is_table", pa.bool_()),
        ("is_diagram", pa.bool_()),
        ("natural_text", pa.string()),
        ("extras", pa.string()),
    ]
)
"""The columns of a label table, as olmOCR-mix-1025 has them."""

INDEX = {
    "index_columns": ["id"],
    "column_indexes": [],
    "columns": [
        {
            "name": "id",
            "field_name": "id",
            "pandas_type": "unicode",
            "numpy_type": "object",
            "metadata": None,
        }
    ],
}
"""What tells pandas, with which others read such a table, that `id` is its index."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Pair:
    """A pair that can be packed: its row without a place, its PDF and its bytes."""

    row: Row
    pdf: Path
    size: int


def repack(
    pairs: Path, out: Path, subset: str, split: str, largest: int = LARGEST, strict: bool = False
) -> Path:
    """Pack a folder of pairs as `{subset}_{split}.parquet` and `pdf_tarballs/` below `out`; the table's path.

    Same pairs, same bytes. A pair that would not come back as it is (no page or several, a head that is not
    ours) is left out, with the reason in `rejected.jsonl`, or with `strict` raises InputError.
    """
    urls = _urls(pairs / "urls.jsonl")
    found: list[Pair] = []
    rejected: list[Row] = []
    paths = sorted(pairs.rglob("*.md"))
    with PdfWorker() as worker:
        for path in track(paths, len(paths), "pairs read"):
            name = path.relative_to(pairs).with_suffix("").as_posix()
            try:
                found.append(_pair(path, name, urls, worker, largest))
            except (InputError, UnicodeError, OSError) as error:
                if strict:
                    raise InputError(f"{path}: {error}") from error
                rejected.append({"id": name, "reason": str(error)})
    if not found:
        raise InputError(f"{pairs}: no pair X.md with X.pdf in it that can be packed, of {len(paths)}")
    name = f"{subset}_{split}"
    with whole(out) as part:
        rows = _tarballs(sorted(found, key=lambda pair: pair.row["id"]), part, name, largest)
        schema = COLUMNS.with_metadata({"pandas": json.dumps(INDEX)})
        pq.write_table(pa.Table.from_pylist(rows, schema), part / f"{name}.parquet")
        write_jsonl(part / "rejected.jsonl", rejected)
    print(f"{len(found)} pairs packed, {len(rejected)} rejected", file=sys.stderr)
    return out / f"{name}.parquet"


def _urls(path: Path) -> dict[str, str]:
    try:
        return {row["id"]: row["url"] for row in read_jsonl(path)} if path.is_file() else {}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not lines with id and url: {error!r}") from error


def _pair(path: Path, name: str, urls: dict[str, str], worker: PdfWorker, largest: int) -> Pair:
    """The pair of a text. Raises InputError with what keeps it from being packed."""
    pdf = path.with_suffix(".pdf")
    if not is_safe(name):
        raise InputError("id not usable: too long, or of characters that not every file system takes")
    if not pdf.is_file():
        raise InputError(f"PDF missing: no {pdf.name} beside it")
    try:
        count = len(worker.pages(pdf))
    except PdfError as error:
        raise InputError(f"document {error.reason}") from error
    if count != 1:
        raise InputError(f"not one page: the PDF has {count}")
    size = pdf.stat().st_size
    if size + PER_MEMBER > largest:
        raise InputError(f"too large: {size} bytes do not fit into a tarball of {largest}")
    document = path.read_bytes().decode("utf-8")
    row = row_of_truth(document) | {"id": name, "url": urls.get(name), "page_number": _number(name)}
    if (back := truth(row)) != document:
        same = front_matter.decode(back) == front_matter.decode(document)
        raise InputError(
            "head not as ours is: it would not come back to the byte" if same else "text would be lost"
        )
    return Pair(row, pdf, size)


def row_of_truth(document: str) -> Row:
    """The columns that a truth stands for; the inverse of `truth`. Raises FrontMatterError."""
    front, text = front_matter.decode(document)
    told: Row = {
        **vars(front),
        "rotation_correction": CLOCKWISE.get(front.rotation_correction, front.rotation_correction),
        "extras": None,
    }
    head = front_matter.HEAD.match(document)
    if head is None:
        raise FrontMatterError("front matter: a byte order mark or CRLF line ends; save it as UTF-8 with LF")
    return told | {"natural_text": document[head.end() :] if text else None}


def _number(name: str) -> int | None:
    """The page in its document, as ids of the mix end: `-7`."""
    match = re.search(r"-(\d{1,9})$", name)
    return int(match[1]) if match else None


def _tarballs(found: list[Pair], out: Path, name: str, largest: int) -> list[Row]:
    """Write the tarballs, filled in order; the rows, each with its place."""
    folder = out / "pdf_tarballs"
    folder.mkdir(parents=True)
    rows = []
    for number, chunk in enumerate(_chunks(found, largest)):
        tarball = f"{name}_{number:05d}.tar.gz"
        # No time and no name in the gzip header: same pairs, same bytes.
        with (
            (folder / tarball).open("wb") as raw,
            gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed,
            tarfile.open(fileobj=cast(Any, packed), mode="w|", format=tarfile.PAX_FORMAT) as archive,
        ):
            for pair in chunk:
                member = tarfile.TarInfo(f"{pair.row['id']}.pdf")
                member.size = pair.size
                with pair.pdf.open("rb") as file:
                    archive.addfile(member, file)
                rows.append(pair.row | {"pdf_relpath": f"pdf_tarballs/{tarball}:{member.name}"})
    lines = [{"doc_id": row["id"], "pdf_relpath": row["pdf_relpath"]} for row in rows]
    write_jsonl(out / "pdf_chunk_manifest.jsonl", lines)
    return rows


def _chunks(found: list[Pair], largest: int) -> Iterator[list[Pair]]:
    """Pairs in order, as many together as fit into one tarball."""
    chunk: list[Pair] = []
    size = 0
    for pair in found:
        if chunk and size + pair.size + PER_MEMBER > largest:
            yield chunk
            chunk, size = [], 0
        chunk.append(pair)
        size += pair.size + PER_MEMBER
    yield chunk


def export(unpacked: Path, out: Path, link: bool = True) -> int:
    """The kept pages of an unpacked data set as `<id>.pdf` and `<id>.md` with `urls.jsonl`; how many there are.

    Where the file system allows it the files are hard links, which take no room. Raises InputError for a folder
    without a manifest, or when two pages have one id: then unpack one subset at a time.
    """
    rows = manifest.read(unpacked)
    if len({row["row"] for row in rows}) != len(rows):
        raise InputError(f"{unpacked}: several subsets have the same ids; unpack and export one at a time")
    with whole(out) as part:
        part.mkdir(parents=True)
        for row in track(rows, len(rows), "pairs exported"):
            for key in ("pdf", "md"):
                place = part / f"{row['row']}.{key}"
                place.parent.mkdir(parents=True, exist_ok=True)
                _put(unpacked / row[key], place, link)
        lines = [{"id": row["row"], "url": row["url"]} for row in rows if row["url"]]
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        (part / "urls.jsonl").write_text(text, "utf-8", newline="\n")
    return len(rows)


def _put(source: Path, place: Path, link: bool) -> None:
    if link:
        link_or_copy(source, place)
    else:
        shutil.copyfile(source, place)
