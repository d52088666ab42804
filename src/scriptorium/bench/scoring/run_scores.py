"""bench.json: a run's scores beside those of its relatives."""

import json
from pathlib import Path
from typing import Any

from scriptorium.bench.folder import load_bench
from scriptorium.bench.outputs import read_outputs
from scriptorium.bench.revision import REVISION
from scriptorium.bench.scoring.comparison import difference
from scriptorium.bench.scoring.scores import Scores, score_outputs
from scriptorium.bench.scoring.summary import per_page
from scriptorium.errors import ConfigError, InputError
from scriptorium.files import write_json


def write_scores(
    pages: Path, outputs: Path, run: str, receipt: Path | None, relatives: list[str], out: Path
) -> None:
    """Score the outputs (a pages.jsonl) of `run` on the bench folder `pages` and write bench.json to `out`.

    `receipt` is the model's model.json; `relatives` are texts `RELATION=RUN=path/to/bench.json`. Raises
    InputError for files that do not fit together, ConfigError for a relative that is not written so.
    """
    scored = bench_json(score_outputs(load_bench(pages), read_outputs(outputs), run))
    kin = dict(_relative(text, scored) for text in relatives)
    write_json(out, {"run": run, **scored, "model": _model(receipt), "relatives": kin})


def bench_json(scores: Scores) -> dict[str, Any]:
    """What bench.json says of the run itself: docs/reference/files.md."""
    return {
        "revision": scores.revision,
        "pages": scores.pages,
        "tests": scores.tests,
        "states": scores.states,
        "scores": scores.rules,
        "nulls": scores.nulls,
        "differences": scores.differences,
        "per_page": {rules: per_page(scores.rows, rules) for rules in scores.rules},
    }


def _relative(text: str, scored: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    relation, _, rest = text.partition("=")
    name, _, path = rest.partition("=")
    if not path:
        raise ConfigError(f"--relative {text}: write RELATION=RUN=path/to/bench.json")
    other = _read(Path(path))
    if other.get("revision") != REVISION:
        found = other.get("revision")
        raise InputError(
            f"{path}: scored by revision {found} of the scorer, this is {REVISION}; score it again"
        )
    try:
        differences = {
            rules: difference(counts, other["per_page"][rules])
            for rules, counts in scored["per_page"].items()
        }
        return name, {"relation": relation, "scores": other["scores"], "difference": differences}
    except KeyError as error:
        raise InputError(f"{path}: not a bench.json: it has no {error}") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _model(receipt: Path | None) -> dict[str, Any] | None:
    if receipt is None:
        return None
    model = _read(receipt)
    return {key: model.get(key) for key in ("run", "weights_sha256")}


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(value, dict):
        raise InputError(f"{path}: expected a JSON object, found {type(value).__name__}")
    return value
