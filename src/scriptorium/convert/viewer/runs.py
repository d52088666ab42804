"""Runs to be looked at: what one reading of a corpus made of each of its pages, and two readings side by side."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scriptorium.convert.outputs.commands import receipts_of
from scriptorium.convert.outputs.documents import READ, page_text, pages_of, read_settings
from scriptorium.convert.quality import quality
from scriptorium.errors import ConfigError, InputError
from scriptorium.files import sha256_json

Row = dict[str, Any]
"""A row of the plan with what the store says of the page."""

MOST_RUNS = 2


@dataclass(frozen=True)
class Run:
    """A corpus that was read with certain settings: its plan, its store, and a name for people."""

    name: str
    plan: Path
    store: Path
    settings: dict[str, Any]

    @property
    def id(self) -> str:
        """The hash of the settings: marks on pages belong to it."""
        return sha256_json(self.settings)

    def rows(self) -> Iterator[Row]:
        """Every row of the plan, in its order, with the record of its page."""
        return pages_of(self.plan, self.store, self.settings)

    def judged(self) -> Iterator[Row]:
        """The same rows, each with its `quality`; None where there is nothing to judge."""
        for row in self.rows():
            yield row | {"quality": quality(row)}


def open_runs(paths: Sequence[Path]) -> list[Run]:
    """One run or two. The first is a folder that was converted; the second another, or a file with `settings`.

    Such a file is a `report.json` or a shard's receipt of an earlier run over the first one's store. Raises
    InputError for what is neither, ConfigError for more than two.
    """
    if not 1 <= len(paths) <= MOST_RUNS:
        raise ConfigError(f"viewer: found {len(paths)} runs; give one, or two to compare")
    first = _folder(paths[0])
    runs = [first]
    for path in paths[1:]:
        runs.append(_settings_file(path, first) if path.is_file() else _folder(path))
    if len(runs) == MOST_RUNS and runs[0].name == runs[1].name:
        runs = [replace(run, name=f"{run.name} ({number})") for number, run in enumerate(runs, 1)]
    return runs


def _folder(out: Path) -> Run:
    settings = read_settings(receipts_of(out, str(out)))
    return Run(out.resolve().name, out / "plan.parquet", out / "store", settings)


def _settings_file(path: Path, first: Run) -> Run:
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))["settings"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: no settings in it ({error!r}); name a report.json or a folder") from error
    if not isinstance(settings, dict):
        raise InputError(f"{path}: settings: found {type(settings).__name__}, expected an object")
    return Run(path.stem, first.plan, first.store, settings)


def side_by_side(runs: Sequence[Run]) -> Iterator[list[Row | None]]:
    """Each page with its row in every run, in the first one's order; then those that only the second has.

    Pages are the same if their documents have the same bytes. Rows of the second run are held in memory.
    """
    if len(runs) == 1:
        for row in runs[0].judged():
            yield [row]
        return
    others = {_identity(row): _slim(row) for row in runs[1].judged()}
    met = set()
    for row in runs[0].judged():
        met.add(_identity(row))
        yield [row, others.get(_identity(row))]
    for identity, other in others.items():
        if identity not in met:
            yield [None, other]


def _identity(row: Row) -> tuple[str, str, int]:
    if row["page"]:
        return row["document"], "", row["page"]
    return row["source"], row.get("member") or "", 0


def _slim(row: Row) -> Row:
    """The row without the model's raw answer where there is a text."""
    return {key: value for key, value in row.items() if key != "raw"} if row.get("text") else row


def origin(row: Row) -> str:
    """The document of a row as outputs name it: `archive::member` for a file of an archive."""
    return f"{row['source']}::{row['member']}" if row.get("member") else row["source"]


def short_name(row: Row, corpus: str) -> str:
    """The same below the folder of the corpus, if it lies there."""
    name = origin(row)
    return name.removeprefix(f"{corpus.rstrip('/')}/") if corpus else name


def score(row: Row) -> float | None:
    """The page's score in [0, 1], higher is better (see scriptorium.convert.quality); None where none was made."""
    judged = row.get("quality")
    return None if judged is None else float(judged.score)


SEVERITY = {"gave_up": 0, "pending": 0, "fallback_text": 1, "salvaged": 2}
"""What is looked at first; all other statuses come after."""


def badness(row: Row) -> tuple[int, float, int]:
    """A key by which rows are sorted, those that most want a look first: status, then score, then attempts."""
    found = score(row)
    return SEVERITY.get(row["status"], 3), 1.0 if found is None else found, -int(row.get("attempts") or 0)


def likeness(rows: Sequence[Row | None]) -> int | None:
    """How many of the words of two runs' texts are in both, in order, in percent; None where there are not two texts.

    100 is kept for texts with the same words. A page that only one of the runs has read has nothing in common.
    """
    if len(rows) < MOST_RUNS or rows[0] is None or rows[1] is None:
        return None
    if not any(row["status"] in READ for row in rows if row):
        return None
    from rapidfuzz.distance import Indel

    one, other = (page_text(row).split() for row in (rows[0], rows[1]))
    if one == other:
        return 100
    return min(99, int(100 * Indel.normalized_similarity(one, other)))
