"""Scores of whole benches: olmOCR-bench's scenarios, its sample, intervals and differences."""

import json
from pathlib import Path

import numpy as np
import pytest

from scriptorium.bench import Scores, TestError, load_bench, score
from scriptorium.bench.outputs import Output, page_id, read_outputs
from scriptorium.bench.rules import OLMOCR, STRICT
from scriptorium.bench.scoring.comparison import difference
from scriptorium.bench.scoring.run_scores import write_scores
from scriptorium.bench.scoring.scores import score_outputs
from scriptorium.bench.scoring.summary import per_page
from scriptorium.errors import ConfigError, InputError
from scriptorium.files import write_json, write_jsonl

from .benches import SCENARIOS, laid_out, present, scenario
from .shared import sample

AGREED = [name for name, row in SCENARIOS.items() if not row["peer_bug"] and row["peer"]["exit"] == 0]


needs_vectors = pytest.mark.skipif(not SCENARIOS, reason="shared/data/bench-vectors is missing")


def by_file(scored: Scores, rules: str) -> dict[str, list[int]]:
    found = scored.rules[rules]["categories"]
    return {name: [category["passed"], category["tests"]] for name, category in found.items()}


@needs_vectors
@pytest.mark.parametrize("name", AGREED)
def test_scenarios_score_as_the_peer_scores_them(tmp_path: Path, name: str) -> None:
    scored = score(scenario(tmp_path, name), "cand")
    peer = SCENARIOS[name]["peer"]["candidates"]["cand"]
    wanted = {file.removesuffix(".jsonl"): counts for file, counts in peer["by_file"].items()}
    assert by_file(scored, OLMOCR) == wanted
    assert f"{scored.rules[OLMOCR]['overall']:.1f}%" == peer["headline"].split()[0]
    types = {
        kind: [pytest.approx(share, abs=0.05), tests] for kind, (share, tests) in peer["by_type"].items()
    }
    found = scored.rules[OLMOCR]["types"]
    assert {kind: [each["score"], each["tests"]] for kind, each in found.items()} == types


def absent(pdf: str, number: int) -> dict:
    return {"pdf": pdf, "page": 1, "id": f"{pdf}-{number}", "type": "absent", "text": "ghost"}


def baseline(pdf: str, number: int, page: int = 1) -> dict:
    return {"pdf": pdf, "page": page, "id": f"{pdf}-{number}", "type": "baseline"}


PEER: dict[str, tuple[list[dict], dict[str, str], bool, dict[str, list[int]], float]] = {
    "no baseline tests, not even explicit ones": (
        [present("a.pdf", 1), baseline("a.pdf", 2)],
        {"a_pg1_repeat1": "alpha"},
        True,
        {"x": [1, 1]},
        100.0,
    ),
    "explicit ones stay in their category": (
        [present("a.pdf", 1), baseline("a.pdf", 2), present("b.pdf", 1)],
        {"a_pg1_repeat1": "alpha", "b_pg1_repeat1": ""},
        False,
        {"baseline": [0, 1], "x": [2, 3]},
        100 / 3,
    ),
    "an automatic one is for page 1": (
        [present("a.pdf", 1), present("a.pdf", 2, page=2)],
        {"a_pg1_repeat1": "alpha", "a_pg2_repeat1": ""},
        False,
        {"baseline": [1, 1], "x": [1, 2]},
        75.0,
    ),
    "an empty text passes absent": (
        [present("a.pdf", 1), absent("a.pdf", 2)],
        {"a_pg1_repeat1": ""},
        False,
        {"baseline": [0, 1], "x": [1, 2]},
        25.0,
    ),
    "repeats need not be consecutive": (
        [present("a.pdf", 1)],
        {"a_pg1_repeat3": "alpha", "a_pg1_repeat7": "alpha", "a_pg1_repeat10": ""},
        False,
        {"baseline": [1, 1], "x": [1, 1]},
        100.0,
    ),
    "pages may have other numbers of repeats": (
        [present("a.pdf", 1), present("b.pdf", 1)],
        {"a_pg1_repeat1": "alpha", "a_pg1_repeat2": "beta", "b_pg1_repeat1": "alpha"},
        False,
        {"baseline": [2, 2], "x": [1, 2]},
        75.0,
    ),
    "a name may hold a page of its own": (
        [present("a.pdf", 1), present("a_pg1.pdf", 1, "beta")],
        {"a_pg1_repeat1": "alpha", "a_pg1_pg1_repeat1": "beta"},
        False,
        {"baseline": [2, 2], "x": [2, 2]},
        100.0,
    ),
}
"""Tests, outputs, whether to skip baseline tests; olmOCR-bench's counts and overall score of them (observed)."""


@pytest.mark.parametrize("name", PEER)
def test_counts_of_the_peer(tmp_path: Path, name: str) -> None:
    tests, outputs, skip, counts, overall = PEER[name]
    pdfs = sorted({test["pdf"] for test in tests})
    laid_out(tmp_path, {"x.jsonl": tests}, {f"c/{file}.md": text for file, text in outputs.items()}, pdfs)
    scored = score(tmp_path, "c", skip_baseline=skip, nulls=False)
    assert by_file(scored, OLMOCR) == counts
    assert scored.rules[OLMOCR]["overall"] == pytest.approx(overall, abs=1e-3)


RIGHT = {
    "missing": {"baseline": [1, 2], "x": [1, 2]},
    "missing_force": {"baseline": [1, 2], "x": [1, 2]},
    "run_error": {"baseline": [1, 1], "x": [1, 2]},
    "page_without_tests": {"baseline": [1, 1], "x": [1, 1]},
}


@needs_vectors
@pytest.mark.parametrize("name", RIGHT)
def test_one_fault_costs_one_test(tmp_path: Path, name: str) -> None:
    scored = score(scenario(tmp_path, name), "cand")
    assert by_file(scored, OLMOCR) == RIGHT[name]
    assert by_file(scored, STRICT) == RIGHT[name]


@needs_vectors
@pytest.mark.parametrize("name", ["dup_across", "dup_within", "ghost_pdf"])
def test_benches_at_odds_with_themselves_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(TestError) as caught:
        load_bench(scenario(tmp_path, name))
    assert caught.value.file and caught.value.line and caught.value.field


def test_the_sample_scores_as_published() -> None:
    """Dataset 87 of 99, blanks 1 of 1, baseline 19 of 20: 94.3 %."""
    scored = score(sample(), "olmocr_pipeline")
    assert by_file(scored, OLMOCR) == {"baseline": [19, 20], "blanks": [1, 1], "dataset": [87, 99]}
    assert f"{scored.rules[OLMOCR]['overall']:.1f}" == "94.3"
    assert scored.states == {"ok": 22, "empty": 1, "truncated": 0, "missing": 0, "error": 0}
    assert not scored.incomplete
    low, high = scored.rules[OLMOCR]["interval"]
    assert low == pytest.approx(89.9, abs=1)
    assert high == pytest.approx(97.4, abs=1)


def test_differences_between_the_rule_sets_are_listed(tmp_path: Path) -> None:
    absent = {"pdf": "a.pdf", "page": 1, "id": "ghost", "type": "absent", "text": "Page 3"}
    laid_out(tmp_path, {"x.jsonl": [present("a.pdf", 1, "alpha beta"), absent]}, {}, ["a.pdf"])
    scored = score_outputs(load_bench(tmp_path), {"a": [Output("\n", "ok")]}, "cand")
    assert scored.differences == ["a.pdf-1"]
    assert per_page(scored.rows, STRICT) == {"a": {"x": [0, 2], "baseline": [0, 1]}}


def test_a_failed_page_fails_every_test(tmp_path: Path) -> None:
    absent = {"pdf": "a.pdf", "page": 1, "id": "t", "type": "absent", "text": "Page 3"}
    laid_out(tmp_path, {"x.jsonl": [absent]}, {}, ["a.pdf"])
    rows = [{"id": "a", "pdf": "a.pdf", "page": 1, "status": "gave_up", "text": ""}]
    write_jsonl(tmp_path / "out" / "pages.jsonl", rows)
    scored = score_outputs(load_bench(tmp_path), read_outputs(tmp_path / "out" / "pages.jsonl"), "cand")
    assert by_file(scored, OLMOCR) == {"baseline": [0, 1], "x": [0, 1]}


def test_outputs_with_odd_line_breaks(tmp_path: Path) -> None:
    rows = [{"pdf": "d/a.pdf", "page": 2, "status": "ok", "text": "one\u2028two\x85three"}]
    write_jsonl(tmp_path / "pages.jsonl", rows)
    read = read_outputs(tmp_path / "pages.jsonl")
    assert read[page_id("d/a.pdf", 2)][0].text == "one\u2028two\x85three"
    (tmp_path / "pages.jsonl").write_text("[1]\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"pages\.jsonl"):
        read_outputs(tmp_path / "pages.jsonl")


def counts(rates: list[float], tests: int = 10) -> dict:
    return {f"p{i:02d}": {"x": [round(rate * tests), tests]} for i, rate in enumerate(rates)}


def test_a_paired_difference_is_narrower_than_the_scores() -> None:
    base = counts([0.0, 0.2, 0.4, 0.6, 0.8] * 8)
    better = counts([0.1, 0.3, 0.5, 0.7, 0.9] * 8)
    found = difference(better, base)
    assert found == {"mean": 10.0, "interval": [10.0, 10.0], "p": pytest.approx(1 / 10_001, rel=1e-3)}
    assert difference(base, better)["mean"] == -10.0
    assert difference(base, dict(reversed(base.items()))) == {
        "mean": 0.0,
        "interval": [0.0, 0.0],
        "p": 1.0,
    }


def test_a_difference_covers_the_truth() -> None:
    rng = np.random.default_rng(1)
    base = counts(list(rng.random(200)))
    other = counts([min(1.0, row["x"][0] / 10 + 0.1 * (rng.random() < 0.5)) for row in base.values()])
    low, high = difference(other, base)["interval"]
    assert low < difference(other, base)["mean"] < high
    assert 0 < low < high < 10


def test_only_equal_tests_can_be_compared() -> None:
    with pytest.raises(InputError, match="'p02' first"):
        difference(counts([0.1, 0.2]), counts([0.1, 0.2, 0.3]))


def test_bench_json(tmp_path: Path) -> None:
    laid_out(tmp_path, {"x.jsonl": [present("a.pdf", 1), present("b.pdf", 2)]}, {}, ["a.pdf", "b.pdf"])
    receipt = tmp_path / "model.json"
    write_json(receipt, {"run": "soup", "weights_sha256": "ab", "stage": "soup"})
    for run, texts in (("base", ["no", "no"]), ("soup", ["alpha", "no"])):
        rows = [
            {"id": page, "pdf": f"{page}.pdf", "page": 1, "status": "ok", "text": text}
            for page, text in zip("ab", texts, strict=True)
        ]
        write_jsonl(tmp_path / f"{run}.pages", rows)
        kin = [] if run == "base" else [f"parent=base={tmp_path / 'base.json'}"]
        write_scores(tmp_path, tmp_path / f"{run}.pages", run, receipt, kin, tmp_path / f"{run}.json")
    written = json.loads((tmp_path / "soup.json").read_text())
    assert written["run"] == "soup"
    assert written["model"] == {"run": "soup", "weights_sha256": "ab"}
    assert (written["pages"], written["tests"]) == (2, 4)
    assert written["states"]["ok"] == 2
    assert written["nulls"]["empty"][OLMOCR]["overall"] == 0.0
    base = written["relatives"]["base"]
    assert base["relation"] == "parent"
    assert base["scores"][STRICT]["overall"] == 0.0
    assert base["difference"][STRICT]["mean"] == 50.0
    assert base["difference"][OLMOCR]["mean"] == 25.0

    (tmp_path / "old.json").write_text('{"revision": 0}')
    for relative, error in (
        ("parent=base", ConfigError),
        (f"parent=old={tmp_path / 'old.json'}", InputError),
    ):
        with pytest.raises(error):
            write_scores(tmp_path, tmp_path / "soup.pages", "soup", None, [relative], tmp_path / "x.json")
    assert not (tmp_path / "x.json").exists()
