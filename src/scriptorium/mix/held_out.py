"""One folder of pairs as two: documents to learn from in `train/`, documents that are held out in `eval/`."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from scriptorium.errors import ConfigError, InputError
from scriptorium.files import whole
from scriptorium.mix.audit import close, read_index
from scriptorium.mix.sieve import link, rows_of
from scriptorium.mix.splits import held_out
from scriptorium.pages import front_matter
from scriptorium.pages.front_matter import FrontMatter, FrontMatterError

STRATA = ("language", "kind", "both", "none")
TRAIN, EVAL = "train", "eval"


def split_pairs(folder: Path, out: Path, share: float, least: int, by: str, salt: str = "") -> dict[str, int]:
    """Write `out/train` and `out/eval` of the kept pages of `folder`; their pages are returned.

    `share` of the documents of each stratum is held out, and at least `least` pages (`splits.held_out`). `by`: one of
    STRATA. Raises ConfigError for another, InputError where nothing could be held out or learnt from.
    """
    if by not in STRATA:
        raise ConfigError(f"--by {by}: expected one of {', '.join(STRATA)}")
    table = read_index(folder)
    kept = [
        (row["document"], _stratum(folder, row, by)) for row in rows_of(table) if row["verdict"] == "kept"
    ]
    apart = held_out(kept, share, least, salt)
    counts = {
        TRAIN: sum(document not in apart for document, _ in kept),
        EVAL: sum(document in apart for document, _ in kept),
    }
    if not all(counts.values()):
        raise InputError(
            f"{folder}: {len(kept)} pages give {counts}; choose another --share or --least, or add documents"
        )
    for name in (TRAIN, EVAL):
        _write(folder, out / name, table, apart, name)
    return counts


def _stratum(folder: Path, row: dict[str, Any], by: str) -> str:
    """Language and kind of a page, as far as they are asked for."""
    front, text = FrontMatter(None), None
    if row["md"] and by != "none":
        try:
            front, text = front_matter.decode((folder / row["md"]).read_text("utf-8"))
        except (OSError, UnicodeDecodeError, FrontMatterError) as error:
            raise InputError(
                f"{folder / row['md']}: {error}; see `scriptorium data validate {folder}`"
            ) from error
    language = front.primary_language or "none"
    return {
        "language": language,
        "kind": kind(front, text),
        "both": f"{language} {kind(front, text)}",
        "none": "",
    }[by]


def kind(front: FrontMatter, text: str | None) -> str:
    """What a page mostly is: blank, table, diagram, formulas or text."""
    if not text:
        return "blank"
    if front.is_table or front.is_diagram:
        return "table" if front.is_table else "diagram"
    return "formulas" if text.count("\\[") + text.count("\\(") >= FORMULAS else "text"


FORMULAS = 5
"""Formulas that make a page one of formulas."""


def _write(folder: Path, out: Path, table: pa.Table, apart: set[str], name: str) -> None:
    reasons = []
    with whole(out) as part:
        part.mkdir()
        for row in rows_of(table):
            other = (row["document"] in apart) != (name == EVAL)
            if row["verdict"] == "kept" and not other:
                for path in filter(None, (row["pdf"], row["md"])):
                    (part / path).parent.mkdir(parents=True, exist_ok=True)
                    link(folder / path, part / path)
            reasons.append(row["reason"] or ("split: in the other one" if other else ""))
        close(folder, part, table, reasons)
