"""A shard of generated pages: documents and their truth, the same bytes for the same arguments."""

import hashlib
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scriptorium.errors import ConfigError, InputError
from scriptorium.files import whole, write_jsonl
from scriptorium.synth import REVISION
from scriptorium.synth import markdown as sheet_markdown
from scriptorium.synth import typst as sheet_typst
from scriptorium.synth.families import FAMILIES as SHEETS
from scriptorium.synth.grid import lines, markdown, primer
from scriptorium.synth.grid.gate import Sample, reject, text_layers
from scriptorium.synth.grid.tests import make_tests
from scriptorium.synth.grid.typst import Typesetter
from scriptorium.synth.places import block_boxes
from scriptorium.synth.sheets import MIXED, make_sample
from scriptorium.synth.words import POOL_OF_SPLIT

GRIDS = {"lines": lines, "primer": primer}
FAMILIES = (*GRIDS, *SHEETS, MIXED)
ATTEMPTS = 20
"""Drawings of one page before the family is held to be broken; a page in a hundred needs a second."""


def make_shard(family: str, source: str, split: str, shard: int, pages: int, seed: int, out: Path) -> None:
    """Write `pages` generated pages to `out`: `documents/*.pdf` and `pages.jsonl`, whole or not at all.

    Raises ConfigError for a family or split that does not exist, InputError when the gate rejects a
    page again and again.
    """
    if family not in FAMILIES:
        raise ConfigError(f"family {family!r} is unknown; use one of {', '.join(FAMILIES)}")
    if pages < 1:
        raise ConfigError(f"pages is {pages}; a shard holds at least one")
    key = hashlib.sha256(f"{family}\0{source}\0{split}\0{shard}\0{seed}".encode()).hexdigest()
    rejects, rows = Counter[str](), list[dict[str, Any]]()
    documents = _grids if family in GRIDS else _sheets
    with whole(out) as part:
        (part / "documents").mkdir(parents=True)
        for number, (pdf, found) in enumerate(documents(family, split, key, pages, rejects)):
            name = f"{source}-{split}-{shard:05d}-{number:04d}"
            (part / "documents" / f"{name}.pdf").write_bytes(pdf)
            rows += [{"document": name, "page": page} | row for page, row in enumerate(found, 1)]
        write_jsonl(part / "pages.jsonl", rows)
    reasons = "".join(f"; rejected {count}: {reason}" for reason, count in sorted(rejects.items()))
    print(f"{source}/{split}/{shard}: {pages} pages of revision {REVISION}{reasons}", file=sys.stderr)


Document = tuple[bytes, list[dict[str, Any]]]
"""A PDF, and a row for each of its pages."""


def _sheets(family: str, split: str, key: str, pages: int, rejects: Counter[str]) -> Iterator[Document]:
    """Documents of one page each."""
    if split not in POOL_OF_SPLIT:
        raise ConfigError(f"split {split!r} is unknown; use one of {', '.join(sorted(POOL_OF_SPLIT))}")
    typesetter = sheet_typst.Typesetter()
    for index in range(pages):
        sample = make_sample(family, split, key, index, typesetter, rejects)
        row = {
            "text": sheet_markdown.truth(sample.sheet),
            "tests": list(sample.tests),
            "group": sample.sheet.family,
            "boxes": block_boxes(sample.sheet, sample.page),
        }
        yield sample.pdf, [row]


def _grids(family: str, split: str, key: str, pages: int, rejects: Counter[str]) -> Iterator[Document]:
    typesetter = Typesetter()
    for indices in _documents(family, key, pages):
        samples, pdf = _document(family, split, key, indices, typesetter, rejects)
        yield pdf, [_row(sample) for sample in samples]


def _row(sample: Sample) -> dict[str, Any]:
    text = markdown.truth(sample.page)
    return {"text": text, "tests": list(sample.tests), "group": sample.page.group}


def _documents(family: str, key: str, pages: int) -> Iterator[range]:
    """The page indices of one document after another."""
    rng = random.Random(f"{key} documents")
    start = 0
    while start < pages:
        stop = min(pages, start + rng.randint(*GRIDS[family].PAGES_PER_DOCUMENT))
        yield range(start, stop)
        start = stop


def _document(
    family: str, split: str, key: str, indices: range, typesetter: Typesetter, rejects: Counter[str]
) -> tuple[list[Sample], bytes]:
    """Draw a document; pages that the gate rejects are drawn anew from the next seed of their own."""
    samples = [_sample(family, split, key, index, 0) for index in indices]
    for attempt in range(1, ATTEMPTS + 1):
        pdf = typesetter.pdf([sample.page for sample in samples])
        verdicts = [reject(sample, text) for sample, text in zip(samples, text_layers(pdf), strict=True)]
        if not any(verdicts):
            return samples, pdf
        for place, reason in enumerate(verdicts):
            if reason:
                rejects[reason.partition(":")[0]] += 1
                samples[place] = _sample(family, split, key, indices[place], attempt)
    worst = next(reason for reason in verdicts if reason)
    raise InputError(f"family {family!r}: a page was rejected {ATTEMPTS} times, last because: {worst}")


def _sample(family: str, split: str, key: str, index: int, attempt: int) -> Sample:
    """The page of one seed. Text seeds go through SHA-512 in `random`, alike on every machine."""
    rng = random.Random(f"{key} page {index} attempt {attempt}")
    page = GRIDS[family].draw(split, index, rng)
    return Sample(page, tuple(make_tests(page, rng)) if family != "lines" else ())
