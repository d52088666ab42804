"""Pages through the filters, one by one; then duplicates among those that are left."""

import json
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from scriptorium.errors import InputError
from scriptorium.files import link_or_copy
from scriptorium.mix import repairs, text_rules
from scriptorium.mix.contamination import SIDE, Known
from scriptorium.mix.deny import DenyList, read_deny_list
from scriptorium.mix.duplicates import (
    Signatures,
    image_hash,
    minhash,
    near_images,
    near_texts,
    text_runs,
)
from scriptorium.mix.filters import Filters
from scriptorium.mix.splits import place
from scriptorium.pages import front_matter, signals
from scriptorium.pages.front_matter import FrontMatter, FrontMatterError
from scriptorium.pages.language import identify, same
from scriptorium.pages.pdf import PdfError, PdfWorker
from scriptorium.progress import track

Row = dict[str, Any]
URLS = "urls.jsonl"
"""Where documents came from; of a filtered folder in `audit/`, since what is beside `pdfs/` are tests."""
BATCH = 1000
"""Rows that are made of the table at a time."""


class Dropped(InputError):
    """A page that is left out: by which filter, and why."""

    def __init__(self, rule: str, reason: str) -> None:
        self.rule, self.reason = rule, reason
        super().__init__(f"{rule}: {reason}")


@dataclass
class Log:
    """What was done, line by line into a file, and counted."""

    file: TextIO
    dropped: Counter[str] = field(default_factory=Counter)
    repaired: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)

    def drop(self, name: str, rule: str, reason: str) -> None:
        """Note that a page is left out."""
        self.dropped[rule] += 1
        self._write({"id": name, "action": "dropped", "rule": rule, "reason": reason})

    def repair(self, name: str, rule: str, count: int) -> None:
        """Note that so many places of a page were mended."""
        self.repaired[rule] += 1
        self.places[rule] += count
        self._write({"id": name, "action": "repaired", "rule": rule, "count": count})

    def _write(self, line: Row) -> None:
        self.file.write(json.dumps(line, ensure_ascii=False) + "\n")


class Sieve:
    """One run: pages one by one, then duplicates among those that are left."""

    def __init__(
        self,
        table: pa.Table,
        pages: Path,
        out: Path,
        filters: Filters,
        log: Log,
        worker: PdfWorker,
        measured: Known | None,
        scratch: Path,
    ) -> None:
        self.pages, self.out, self.filters, self.log, self.worker = pages, out, filters, log, worker
        self.measured = measured
        self.known: list[str] = []
        self.deny = read_deny_list(filters.deny) if filters.deny else DenyList()
        self.urls = read_urls(pages)
        self.texts = Signatures(scratch / "texts", 64)
        self.images = Signatures(scratch / "images", 8)
        self.table = table
        self.left = array("q")  # the numbers of rows that are kept so far, in the order of signatures

    def run(self) -> list[str]:
        """Of each row, why it is left out; "" for one that is kept."""
        reasons: list[str] = []
        for number, row in enumerate(track(rows_of(self.table), len(self.table), "pages audited")):
            if row["verdict"] != "kept":
                reasons.append(row["reason"])
                continue
            try:
                self._page(number, row)
                reasons.append("")
            except Dropped as dropped:
                self.log.drop(row["id"], dropped.rule, dropped.reason)
                reasons.append(str(dropped))
        self._duplicates(reasons)
        return reasons

    def _page(self, number: int, row: Row) -> None:
        """Judge, mend, turn and write one page. Raises Dropped."""
        url = row.get("url") or self.urls.get(row["id"]) or self.urls.get(row["document"], "")
        if fault := self.deny.fault(row, url):
            raise Dropped("deny", fault)
        front, text = self._read(row)
        self._label(front, text)
        mended, counts = self._text(text)
        self._language(front, mended or "")
        image = self._looked(row, mended or "")
        degrees = self._degrees(row["id"], front)
        self._write(row, front, text, mended, degrees)
        for repair, count in counts.items():
            self.log.repair(row["id"], repair, count)
        if self.filters.duplicates is not None:
            self.texts.add(minhash(text_runs(mended or "")))
        if self.filters.images is not None:
            self.images.add(image if image is not None else np.zeros(8, np.uint32))
        self.left.append(number)

    def _read(self, row: Row) -> tuple[FrontMatter | None, str | None]:
        if not row["md"]:
            return None, None
        try:
            return front_matter.decode((self.pages / row["md"]).read_bytes().decode("utf-8"))
        except (OSError, UnicodeDecodeError, FrontMatterError) as error:
            raise Dropped("truth", str(error)) from error

    def _label(self, front: FrontMatter | None, text: str | None) -> None:
        """What front matter and the text's size say. Raises Dropped."""
        asked = self.filters
        if front and asked.rotated and (front.rotation_correction or not front.is_rotation_valid):
            raise Dropped(
                "rotated", f"by {front.rotation_correction} degrees, upright: {front.is_rotation_valid}"
            )
        if front and not text and asked.blank:
            raise Dropped("blank", "the page has no text")
        if not front or not text:
            return
        if asked.language and front.primary_language not in asked.language:
            raise Dropped("language", f"{front.primary_language}")
        least, most = asked.length or (0, None)
        if not least <= len(text) <= (len(text) if most is None else most):
            raise Dropped("length", f"{len(text)} characters")

    def _text(self, text: str | None) -> tuple[str | None, dict[str, int]]:
        """The text mended and judged, and how many places of it were mended, by repair. Raises Dropped."""
        asked = self.filters
        counts: dict[str, int] = {}
        if not text:
            return text, counts
        if asked.repair:
            text, counts = repairs.repair(text)
        rule, reason = text_rules.judge(text, asked.rules) if asked.rules else ("", "")
        if rule:
            raise Dropped(rule, reason)
        if asked.repetition is not None:
            share = signals.repetition(signals.words(text))
            if share > asked.repetition:
                raise Dropped("repetition", f"{share:.0%} of the words only repeat")
        return text, counts

    def _looked(self, row: Row, text: str) -> np.ndarray | None:
        """The hash of the page's image where one is asked for, after what needs the PDF. Raises Dropped."""
        asked, image = self.filters, None
        by_image = self.measured is not None and asked.contamination_by == "both"
        try:
            if asked.layer is not None and text:
                self._layer(text, self.worker.text(self.pages / row["pdf"], 1))
            if asked.images is not None or by_image:
                image = image_hash(self.worker.render(self.pages / row["pdf"], 1, SIDE))
        except PdfError as error:
            raise Dropped("pdf", f"{error.reason}: {error}") from error
        fault = self.measured.fault(text, image if by_image else None) if self.measured else ""
        if fault and asked.contamination == "drop":
            raise Dropped("contamination", fault)
        if fault:
            self.known.append(f"{row['id']}: {fault}")
        return image

    def _language(self, front: FrontMatter | None, text: str) -> None:
        if self.filters.agrees is None or not text:
            return
        found = identify(signals.TAG.sub(" ", text))
        label = front.primary_language if front else None
        if label and found.code and found.confidence >= self.filters.agrees and not same(label, found.code):
            raise Dropped("language-agrees", f"labelled {label}, reads as {found.code} ({found.confidence})")

    def _layer(self, text: str, layer: str) -> None:
        found = signals.measure(text, layer)
        share = min(found.get("recall", 1.0), found.get("precision", 1.0))
        if self.filters.layer is not None and share < self.filters.layer:
            told = f"the text has {found['recall']:.0%} of the layer's words, the layer {found['precision']:.0%} of its"
            raise Dropped("layer", told)

    def _degrees(self, name: str, front: FrontMatter | None) -> int:
        """By how much the page is turned anew, clockwise; 0 for most."""
        upright = front is not None and front.is_rotation_valid and not front.rotation_correction
        if not upright or place(name, "turned") >= self.filters.rotate:
            return 0
        return (90, 180, 270)[int(place(name, "degrees") * 3)]

    def _write(
        self, row: Row, front: FrontMatter | None, text: str | None, mended: str | None, degrees: int
    ) -> None:
        pdf = self.out / row["pdf"]
        pdf.parent.mkdir(parents=True, exist_ok=True)
        if degrees:
            try:
                pdf.write_bytes(self.worker.turned(self.pages / row["pdf"], degrees))
            except PdfError as error:
                raise Dropped("pdf", f"{error.reason}: {error}") from error
            self.log.repair(row["id"], "rotate", 1)
        else:
            link(self.pages / row["pdf"], pdf)
        if front is None:
            return
        if mended == text and not degrees:
            link(self.pages / row["md"], self.out / row["md"])
            return
        if degrees:  # what was turned clockwise stands upright turned counter-clockwise as far
            front = replace(front, is_rotation_valid=False, rotation_correction=degrees)
        (self.out / row["md"]).write_text(front_matter.encode(front, mended), "utf-8", newline="\n")

    def _duplicates(self, reasons: list[str]) -> None:
        """Leave out what is a duplicate of a page that stays."""
        asked, found = self.filters, dict[int, tuple[str, str]]()
        if asked.images is not None:
            for one, (earlier, bits) in near_images(self.images.read(), asked.images).items():
                found[one] = ("image-duplicates", f"{bits} of 256 bits from {self._of(earlier, 'id')}")
        if asked.duplicates is not None:
            near = near_texts(self.texts.read(), asked.duplicates, self._runs)
            for one, (earlier, share) in near.items():
                if earlier not in found:
                    found[one] = ("duplicates", f"{share:.0%} of {self._of(earlier, 'id')}")
        for one, (rule, reason) in sorted(found.items()):
            self.log.drop(self._of(one, "id"), rule, reason)
            reasons[self.left[one]] = f"{rule}: {reason}"
            for path in filter(None, (self._of(one, "pdf"), self._of(one, "md"))):
                (self.out / path).unlink()

    def _of(self, one: int, column: str) -> str:
        """What a column says of the page of a signature."""
        return self.table[column][self.left[one]].as_py()

    def _runs(self, one: int) -> np.ndarray:
        md = self._of(one, "md")
        return text_runs(front_matter.body((self.out / md).read_text("utf-8"))) if md else text_runs("")


def rows_of(table: pa.Table) -> Iterator[Row]:
    """The rows of a table one by one, BATCH of them in memory."""
    for batch in table.to_batches(max_chunksize=BATCH):
        yield from batch.to_pylist()


def read_urls(folder: Path) -> dict[str, str]:
    """Where pages came from, by id: of `manifest.parquet` or `urls.jsonl` ({"id", "url"} a line) if there is one.

    Raises InputError for a file that is not like that.
    """
    manifest = folder / "manifest.parquet"
    path = next((each for each in (folder / URLS, folder / "audit" / URLS) if each.is_file()), None)
    if manifest.is_file():
        rows = pq.read_table(manifest, columns=["id", "url"]).to_pylist()
        return {row["id"]: row["url"] for row in rows if row["url"]}
    if path is None:
        return {}
    try:
        lines = [json.loads(line) for line in path.read_text("utf-8").split("\n") if line.strip()]
        return {line["id"]: line["url"] for line in lines}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: {error!r}; expected one JSON object with id and url a line") from error


def link(source: Path, target: Path) -> None:
    """A hard link, or a copy where that cannot be. Raises Dropped where there is no such file."""
    try:
        link_or_copy(source, target)
    except FileNotFoundError as error:
        raise Dropped("pdf", f"{source.name} is not there") from error
