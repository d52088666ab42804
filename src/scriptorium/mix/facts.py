"""What a folder of pairs holds, counted: pages, documents, languages, kinds, lengths, rejects, tests."""

import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from scriptorium.errors import InputError
from scriptorium.mix.audit import SUMMARY
from scriptorium.mix.held_out import kind
from scriptorium.mix.offered import Offered, offered
from scriptorium.mix.page_text import TABLE, formulas
from scriptorium.mix.sieve import URLS
from scriptorium.mix.splits import place
from scriptorium.pages import front_matter
from scriptorium.pages.front_matter import FrontMatter, FrontMatterError

EDGES = (0, 1, 100, 250, 500, 1000, 2000, 3000, 4000, 6000, 8000, 12000, 20000, 50000)
"""Characters at which a bar of the lengths begins; the last one is open."""
TYPICAL = (1, 10, 50, 90, 99)
"""Percentiles that are told of the lengths."""


@dataclass
class Facts:
    """Counts by name. `lengths`: characters of every kept page's text; `samples`: pages to show."""

    name: str
    pages: int = 0
    documents: int = 0
    unreadable: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    groups: Counter[str] = field(default_factory=Counter)
    rotations: Counter[int] = field(default_factory=Counter)
    tests: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    formulas: int = 0
    tables: int = 0
    lengths: list[int] = field(default_factory=list)
    samples: list[tuple[str, Offered]] = field(default_factory=list)
    audit: dict[str, Any] = field(default_factory=dict)

    @property
    def percentiles(self) -> dict[str, int]:
        """Characters of a page at the TYPICAL percentiles."""
        values = np.percentile(self.lengths, TYPICAL) if self.lengths else np.zeros(len(TYPICAL))
        return {f"p{percent}": int(value) for percent, value in zip(TYPICAL, values, strict=True)}

    @property
    def histogram(self) -> list[tuple[str, int]]:
        """Pages by the characters of their text."""
        counts = np.histogram(self.lengths, [*EDGES, np.inf])[0].tolist()
        names = [f"{low:,}–{high - 1:,}" for low, high in pairwise(EDGES[1:])]
        return list(zip(["none", *names, f"{EDGES[-1]:,} or more"], counts, strict=True))

    def told(self) -> dict[str, Any]:
        """The counts as JSON."""
        counted = {
            key: dict(sorted(value.items(), key=lambda each: (-each[1], str(each[0]))))
            for key, value in vars(self).items()
            if isinstance(value, Counter)
        }
        plain = {
            key: value
            for key, value in vars(self).items()
            if isinstance(value, int | str | dict) and key not in counted
        }
        return plain | counted | {"characters": {"sum": sum(self.lengths), **self.percentiles}}


def count(folder: Path, samples: int) -> Facts:
    """The facts of a folder of pairs, with `samples` pages to show, of every kind alike. Raises InputError."""
    found = Facts(folder.name)
    documents: set[str] = set()
    shown: dict[str, list[tuple[float, Offered]]] = {}
    for page in offered(folder):
        if page.reason:
            found.rejected[page.reason.partition(":")[0]] += 1
            continue
        if not (name := _count_page(found, page)):
            continue
        documents.add(page.document)
        kept = [*shown.get(name, []), (place(page.id, "sample"), page)]
        shown[name] = sorted(kept, key=lambda each: each[0])[:samples]
    found.documents = len(documents)
    found.samples = _alike(shown, samples)
    _count_tests(found, folder)
    if (folder / SUMMARY).is_file():
        found.audit = json.loads((folder / SUMMARY).read_text("utf-8"))
    return found


def _count_page(found: Facts, page: Offered) -> str:
    """Count a page; its kind, or "" where it cannot be read."""
    front, text = FrontMatter(None), None
    if page.md is None and page.pdf is None:
        return ""
    if page.md is not None:
        try:
            front, text = front_matter.decode(page.md.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, FrontMatterError):
            found.unreadable += 1
            return ""
    name = kind(front, text) if page.md is not None else "tests alone"
    found.pages += 1
    found.kinds[name] += 1
    found.languages[front.primary_language or "none"] += 1
    found.rotations[front.rotation_correction] += 1
    found.lengths.append(len(text or ""))
    found.formulas += len(formulas(text or ""))
    found.tables += len(TABLE.findall(text or ""))
    if page.group:
        found.groups[page.group] += 1
    return name


def _alike(shown: dict[str, list[tuple[float, Offered]]], most: int) -> list[tuple[str, Offered]]:
    """Pages of every kind by turns, `most` in all, those with the lowest hashes first."""
    chosen: list[tuple[str, Offered]] = []
    for turn in range(most):
        for name in sorted(shown):
            if turn < len(shown[name]) and len(chosen) < most:
                chosen.append((name, shown[name][turn][1]))
    return sorted(chosen, key=lambda each: (each[0], each[1].id))


def _count_tests(found: Facts, folder: Path) -> None:
    for path in sorted(folder.glob("*.jsonl")) if (folder / "pdfs").is_dir() else []:
        if path.name == URLS:
            continue
        try:
            types = [json.loads(line)["type"] for line in path.read_text("utf-8").split("\n") if line.strip()]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path}: not a file of tests ({error!r}); see `scriptorium data validate`"
            ) from error
        found.tests.update(types)
        found.categories[path.stem] += len(types)
