"""Folders of pairs with pages that have words on them, made on the spot."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scriptorium.files import sha256_file, write_jsonl
from scriptorium.mix.pairs import COLUMNS
from scriptorium.pages.front_matter import FrontMatter, encode


def printed(text: str) -> bytes:
    """A PDF of one page with the words of a text (ASCII) in Helvetica, ten to a line."""
    words = text.split()
    lines = [" ".join(words[start : start + 10]) for start in range(0, len(words), 10)]
    shown = "".join(f"({line.translate({40: None, 41: None, 92: None})}) ' " for line in lines)
    stream = f"BT /F 10 Tf 14 TL 40 760 Td {shown}ET".encode("ascii", "replace")
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%b\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    file, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(file))
        file += b"%d 0 obj%b endobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    tail = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(parts) + 1, len(file))
    return file + b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(parts) + 1, table) + tail


def folder_of(
    folder: Path,
    pages: dict[str, str | None],
    fronts: dict[str, FrontMatter] | None = None,
    layers: dict[str, str] | None = None,
    tests: dict[str, list[dict[str, Any]]] | None = None,
) -> Path:
    """A folder of pairs: one document a page, by name; its text; what is printed where that is another."""
    (folder / "pdfs").mkdir(parents=True)
    rows = []
    for name, text in pages.items():
        pdf, md = f"pdfs/{name}_pg1.pdf", f"pdfs/{name}_pg1.md"
        (folder / pdf).write_bytes(printed((layers or {}).get(name, text or "")))
        front = (fronts or {}).get(name, FrontMatter(None if text is None else "en"))
        (folder / md).write_text(encode(front, text), "utf-8")
        row = {
            "id": f"{name}_pg1",
            "document": name,
            "page": 1,
            "pdf": pdf,
            "md": md,
            "source": f"{name}.pdf",
        }
        row |= {"sha256": sha256_file(folder / pdf), "verdict": "kept", "reason": "", "group": ""}
        rows.append(row)
    for category, lines in (tests or {}).items():
        write_jsonl(folder / f"{category}.jsonl", lines)
    pq.write_table(pa.Table.from_pylist(rows, COLUMNS), folder / "pages.parquet")
    return folder


def prose(seed: int, words: int = 120) -> str:
    """Words without sense, others for each seed."""
    parts = ["ra", "mel", "to", "sin", "ka", "dor", "vi", "len", "pu", "gast"]
    found, state = [], seed * 7919 + 1
    for _ in range(words):
        state = (state * 1103515245 + 12345) % (1 << 31)
        digits = f"{state // 977:06d}"[:4]
        found.append("".join(parts[int(digit)] for digit in digits))
    return " ".join(found)
