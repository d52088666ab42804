"""The table of an ablation: what each variant scores, and how far it is from the run that it varies, page by page."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scriptorium.bench.revision import REVISION
from scriptorium.bench.scoring.comparison import difference
from scriptorium.errors import InputError
from scriptorium.files import write_text

HEAD = "| variant | of | score | its base | difference | 95 % interval | p |\n|---|---|---|---|---|---|---|\n"


def write_table(pairs: Sequence[tuple[str, ...]], results: Path, out: Path) -> None:
    """Write `out` (Markdown): a table for each rule set, a row for each pair (variant, base) of runs.

    Differences are of the overall score, in points, paired by page. Raises InputError for scores that are missing,
    of another revision or of other tests.
    """
    read = {name: _scores(results / name / "bench.json") for pair in pairs for name in pair}
    rules = list(read[pairs[0][0]]["scores"])
    text = "# Ablation\n"
    for each in rules:
        text += f"\n## {each}\n\n{HEAD}"
        text += "".join(_row(variant, base, each, read) for variant, base in pairs)
    write_text(out, text)


def _row(variant: str, base: str, rules: str, read: dict[str, dict[str, Any]]) -> str:
    try:
        found = difference(read[variant]["per_page"][rules], read[base]["per_page"][rules])
        scores = [read[name]["scores"][rules]["overall"] for name in (variant, base)]
    except KeyError as error:
        raise InputError(f"scores of {variant} and {base}: no {error}; score both again") from error
    low, high = found["interval"]
    return (
        f"| {variant} | {base} | {scores[0]:.1f} | {scores[1]:.1f} | {found['mean']:+.1f} | "
        f"{low:+.1f} to {high:+.1f} | {found['p']:.3f} |\n"
    )


def _scores(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON: {error}") from error
    if value.get("revision") != REVISION:
        raise InputError(
            f"{path}: scored by revision {value.get('revision')} of the scorer, this is {REVISION}; score it again"
        )
    return value
