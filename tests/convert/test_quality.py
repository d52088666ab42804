"""Scores of pages, what they are made of, and the queue of the worst."""

import json
from pathlib import Path

from typer.testing import CliRunner

from scriptorium.cli import app
from scriptorium.convert.quality import TERMS, quality
from scriptorium.convert.review import review_queue
from scriptorium.files import read_jsonl
from scriptorium.pages.signals import measure

from ..pages.speech import ARTICLE, shifted
from .outputs.corpus import make

LONG = "\n\n".join(ARTICLE[code] for code in ("en", "de", "fr", "es", "pl"))


def page(text: str, layer: str = "", ink: tuple[float, int] | None = None, **more: object) -> dict:
    signals = measure(text, layer) | ({"marked": ink[0], "marks": ink[1]} if ink else {})
    return {"status": "ok", "text": text, "signals": signals, "attempts": 1, **more}


def score(*args: object, **more: object) -> float:
    found = quality(page(*args, **more))
    assert found is not None and bool(found.reasons) == (found.score < 1)
    return found.score


def test_a_text_that_agrees_with_its_page_is_trusted() -> None:
    assert score(LONG) == score(LONG, LONG) == score(LONG, LONG, (0.08, 30 * len(LONG))) == 1


def test_each_fault_costs() -> None:
    assert score(LONG[: len(LONG) // 2], LONG) < 0.7
    assert score(LONG + ARTICLE["fi"] * 6, LONG) < score(LONG + ARTICLE["fi"], LONG)
    assert score(ARTICLE["fi"], LONG) < 0.1
    assert score(shifted(LONG, 1)) < 0.5
    assert score(LONG + ARTICLE["en"] * 12) < 0.7
    assert score(LONG, "", (0.0001, 150)) < 0.5, "more letters than ink"
    assert score("Page 3", "", (0.1, 90_000)) < 1, "a full page, and next to no text"
    assert score("Page 3", "", (0.1, 90_000), front={"is_diagram": True}) == 1
    assert score(LONG + "<table><tr><td>") < 1
    assert score(ARTICLE["fr"], front={"primary_language": "de"}) < 1
    assert score(ARTICLE["fr"], front={"primary_language": "fr"}) == 1
    assert score(LONG, mean_logprob=-0.5) < score(LONG, mean_logprob=-0.05) == 1
    assert score(LONG, attempts=4) < 1 == score(LONG, attempts=2, rotation=90)
    assert score(LONG, status="salvaged") == 0.5


def test_statuses_without_a_text() -> None:
    assert quality({"status": "gave_up", "reason": "no text"}) == (0.0, ("no text",))
    assert quality({"status": "filtered"}) is None and quality({"status": "duplicate"}) is None
    assert all(0 < term.weight < 1 and term.least < term.most for term in TERMS.values())


def test_signals_of_an_older_store_are_measured() -> None:
    found = quality({"status": "ok", "text": shifted(LONG, 1)})
    assert found is not None and found.score < 0.5


def test_the_queue_has_the_worst_first(tmp_path: Path) -> None:
    pages = [("ok", LONG), ("gave_up", ""), ("ok", shifted(LONG, 1)), ("salvaged", LONG), ("blank", "")]
    folder = make(tmp_path / "o", [("b.pdf", pages), ("a.pdf", [("ok", LONG + ARTICLE["en"] * 12)])])
    args = (folder / "plan.parquet", folder / "store", [folder / "shards" / "00000.json"])
    rows = review_queue(*args, tmp_path / "review.jsonl")
    assert rows == read_jsonl(tmp_path / "review.jsonl")
    assert [(row["source"], row["page"]) for row in rows][:2] == [("b.pdf", 2), ("b.pdf", 3)]
    assert len(rows) == 4 and rows == sorted(rows, key=lambda row: row["score"])
    assert len(review_queue(*args, tmp_path / "one.jsonl", most=1)) == 1
    done = CliRunner().invoke(app, ["review-queue", str(folder), "--below", "0.3"])
    assert done.exit_code == 0 and "b.pdf, page 3" in done.output and (folder / "review.jsonl").is_file()
    assert all(json.loads(line)["score"] < 0.3 for line in (folder / "review.jsonl").read_text().splitlines())
