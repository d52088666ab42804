"""Judging whole candidates: faults cost one test, hostile texts end, the cache changes nothing."""

import json
import sqlite3
from pathlib import Path

import pytest

from scriptorium.bench import Scores, load_bench, score
from scriptorium.bench.outputs import Output
from scriptorium.bench.rules import OLMOCR, RULES, STRICT
from scriptorium.bench.scoring.nulls import NULLS, null_texts
from scriptorium.bench.scoring.scores import score_outputs
from scriptorium.bench.scoring.text_layers import text_layers
from scriptorium.bench.scoring.verdict_cache import VerdictCache

from .benches import laid_out, present
from .shared import sample

TESTS = [
    present("a.pdf", 1, "alpha beta gamma", max_diffs=2),
    {"pdf": "a.pdf", "page": 1, "id": "absent", "type": "absent", "text": "Page 3", "first_n": 50},
    {"pdf": "a.pdf", "page": 1, "id": "order", "type": "order", "before": "alpha", "after": "gamma delta"},
    {"pdf": "a.pdf", "page": 1, "id": "table", "type": "table", "cell": "1", "top_heading": "b"},
    {"pdf": "a.pdf", "page": 1, "id": "format", "type": "format", "text": "alpha", "format": "heading"},
    {"pdf": "a.pdf", "page": 1, "id": "math", "type": "math", "math": "x^2"},
]


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    return laid_out(tmp_path / "bench", {"x.jsonl": TESTS}, {}, ["a.pdf"])


def judged(bench: Path, *texts: str, **more: object) -> Scores:
    outputs = {"a": [Output(text, "ok") for text in texts]}
    return score_outputs(load_bench(bench), outputs, "c", nulls=False, cache=VerdictCache(None), **more)


HOSTILE = {
    "ten megabytes": "lorem ipsum dolor sit amet " * 400_000,
    "one line": "x" * 500_000,
    "cells": "<table><tr>" + "<td>1</td>" * 100_000 + "</tr></table>",
    "markdown cells": "|" + " 1 |" * 100_000 + "\n|" + "---|" * 100_000 + "\n",
    "formulas": "$x^{2}$ " * 20_000,
    "nested formula": "$" + "{" * 5_000 + "x" + "}" * 5_000 + "$",
    "nul": "\x00" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_outputs_end(bench: Path, name: str) -> None:
    scored = judged(bench, HOSTILE[name])
    assert len(scored.rows) == len(TESTS) + 1
    assert all("error" not in cell for row in scored.rows for cell in row["rules"].values())


def test_a_judge_that_raises_costs_its_test(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault is put in by hand: no text is known that makes a judge raise."""
    from scriptorium.bench.judges import strict

    def torn(*_: object) -> None:
        raise RuntimeError("torn")

    monkeypatch.setitem(strict.TYPES, "format", torn)
    scored = judged(bench, "# alpha\n\nalpha beta gamma delta")
    cells = {row["id"]: row["rules"][STRICT] for row in scored.rows}
    assert (
        cells["format"] | {"passed": False, "code": "error", "error": "RuntimeError: torn"} == cells["format"]
    )
    assert cells["a.pdf-1"]["counts"] and cells["order"]["counts"]


def test_repeats_are_a_majority(bench: Path) -> None:
    scored = judged(bench, "alpha beta gamma", "nothing", "alpha beta gamma")
    cell = scored.rows[0]["rules"][OLMOCR]
    assert (cell["passed"], cell["share"], cell["repeats"], cell["repeat"]) == (True, 2 / 3, 3, 0)
    cell = judged(bench, "nothing", "alpha beta gamma").rows[0]["rules"][OLMOCR]
    assert (cell["passed"], cell["counts"], cell["share"], cell["code"]) == (False, False, 0.5, "missing")


def test_gated_tests_keep_their_verdict(bench: Path) -> None:
    scored = judged(bench, "other words")
    cell = next(row for row in scored.rows if row["id"] == "absent")["rules"]
    assert (cell[STRICT]["passed"], cell[STRICT]["counts"]) == (True, False)
    assert (cell[OLMOCR]["passed"], cell[OLMOCR]["counts"]) == (True, True)
    assert "absent" in scored.differences


def test_many_processes_find_the_same(tmp_path: Path) -> None:
    names = [f"p{i}" for i in range(40)]
    tests = [present(f"{name}.pdf", i, f"word {i}") for i, name in enumerate(names)]
    bench = load_bench(laid_out(tmp_path, {"x.jsonl": tests}, {}, [f"{name}.pdf" for name in names]))
    outputs = {name: [Output(f"word {i % 25}", "ok")] for i, name in enumerate(names)}
    one, two = (
        score_outputs(bench, outputs, "c", nulls=False, cache=VerdictCache(None), jobs=jobs)
        for jobs in (1, 3)
    )
    assert one == two
    assert one.rules[STRICT]["categories"]["x"]["passed"] == 25


def test_the_cache_changes_nothing_but_the_time(tmp_path: Path) -> None:
    cache = VerdictCache(tmp_path / "verdicts.sqlite")
    first = score(sample(), "olmocr_pipeline", cache=cache)
    with sqlite3.connect(cache.path) as database:
        kept = database.execute("SELECT count(*) FROM verdicts").fetchone()[0]
    assert kept > first.pages
    assert score(sample(), "olmocr_pipeline", cache=cache) == first
    assert score(sample(), "olmocr_pipeline", cache=VerdictCache(None)) == first


def test_what_is_kept_is_used(bench: Path, tmp_path: Path) -> None:
    """A verdict changed by hand in the cache comes back: so it was read from there."""
    cache = VerdictCache(tmp_path / "v.sqlite")
    outputs = {"a": [Output("alpha beta gamma", "ok")]}
    first = score_outputs(load_bench(bench), outputs, "c", nulls=False, cache=cache)
    with sqlite3.connect(cache.path) as database:
        kept = dict(database.execute("SELECT key, value FROM verdicts"))
        key, cells = next((key, json.loads(value)) for key, value in kept.items() if value.startswith("["))
        assert len(kept) == 2  # the verdicts, and the summary of the rows
        cells[0][OLMOCR]["code"] = "by hand"
        database.execute("UPDATE verdicts SET value = ? WHERE key = ?", [json.dumps(cells), key])
    again = score_outputs(load_bench(bench), outputs, "c", nulls=False, cache=cache)
    assert again.rows[0]["rules"][OLMOCR]["code"] == "by hand"
    assert first.rows[0]["rules"][OLMOCR]["code"] == "found"
    changed = {"a": [Output("alpha beta gamma.", "ok")]}
    fresh = score_outputs(load_bench(bench), changed, "c", nulls=False, cache=cache)
    assert fresh.rows[0]["rules"][OLMOCR]["code"] == "found"


@pytest.mark.parametrize("damage", ["garbage", "other tables", "folder", "unwritable"])
def test_a_cache_that_cannot_be_used_is_left_out(bench: Path, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "v.sqlite"
    if damage == "garbage":
        path.write_bytes(b"not a database" * 1000)
    elif damage == "other tables":
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE verdicts (colour TEXT)")
    elif damage == "folder":
        path.mkdir()
    else:
        path = Path("/proc/nowhere/v.sqlite")
    outputs = {"a": [Output("alpha beta gamma", "ok")]}
    found = score_outputs(load_bench(bench), outputs, "c", nulls=False, cache=VerdictCache(path))
    assert found.rows == judged(bench, "alpha beta gamma").rows


def test_null_candidates_of_the_sample(tmp_path: Path) -> None:
    bench = load_bench(sample())
    cache = VerdictCache(tmp_path / "v.sqlite")
    layers = text_layers(bench, cache)
    assert text_layers(bench, cache) == layers
    texts = null_texts(bench, layers)
    assert tuple(texts) == NULLS
    for page, text in texts["shuffled lines"].items():
        assert sorted(text.split("\n")) == sorted(layers[page].split("\n"))
    assert texts["shuffled lines"] != layers
    others = texts["another page"]
    assert all(others[page].strip() and others[page] != layers[page] for page in bench.pages)
    found = score(sample(), "olmocr_pipeline", cache=cache).nulls
    assert set(found) == set(NULLS)
    for rules in RULES:
        assert found["text layer"][rules]["overall"] > found["another page"][rules]["overall"]
    assert found["empty"][STRICT]["categories"] == {"baseline": 0.0, "blanks": 100.0, "dataset": 0.0}
