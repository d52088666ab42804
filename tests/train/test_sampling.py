"""Answers of a served model, sampled once and kept; rows by difficulty, by best answer, in pairs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scriptorium.errors import InputError
from scriptorium.pages.front_matter import FrontMatter, encode
from scriptorium.recipe.plan import Run
from scriptorium.train.difficulty import difficulty
from scriptorium.train.rejection import best, pairs
from scriptorium.train.sampling import Sampled, SampleFiles, histogram
from tests.train.conftest import PRIMER, run

Write = Callable[[dict[str, list[tuple[str, float, bool]]]], None]


def stage(method: str, **sampling: Any) -> Run:
    """Two answers to each page, of no more than eight tokens."""
    given = {"samples": 2, "temperature": 1.0, "max_tokens": 8} | sampling
    return run("hard", method, parents=["base"], data=[PRIMER], seed=1, sampling=given)


def files(folder: Path, base: Path, rows: Path) -> SampleFiles:
    return SampleFiles(base, [rows], folder / "state", folder / "rows.parquet", folder / "rows.json")


@pytest.fixture(scope="module")
def few(rows: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pages, and one without tests."""
    table = pq.read_table(rows).slice(0, 4).to_pylist()
    table[3]["tests"] = "[]"
    path = tmp_path_factory.mktemp("few") / "rl.parquet"
    pq.write_table(pa.Table.from_pylist(table), path)
    return path


@pytest.fixture(scope="module")
def sampled(base: Path, few: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a real server's answers to the pages were kept."""
    folder = tmp_path_factory.mktemp("sampled")
    difficulty(stage("filter", above=-1.0), files(folder, base, few))
    return folder


def answers(folder: Path) -> tuple[str, list[dict[str, Any]]]:
    """The stamp and the pages of a folder's answers."""
    stamp, *lines = (folder / "state" / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    return stamp, [json.loads(line) for line in lines]


def test_every_page_with_tests_is_read_as_often_as_asked(sampled: Path, few: Path) -> None:
    _, pages = answers(sampled)
    wanted = pq.read_table(few)["id"].to_pylist()[:3]
    assert sorted(page["id"] for page in pages) == sorted(wanted)
    assert all(len(page["texts"]) == len(page["scores"]) == len(page["ended"]) == 2 for page in pages)
    kept = pq.read_table(sampled / "rows.parquet")
    assert kept["id"].to_pylist() == wanted  # in the order of the rows, whatever the order of the answers
    assert kept.schema.equals(pq.read_schema(few))
    receipt = json.loads((sampled / "rows.json").read_text())
    assert receipt["rows"]["kept"] == receipt["rows"]["read"] == 3
    assert sum(receipt["rows"]["histogram"].values()) == 3
    assert receipt["rows"]["pass_rates"].keys() == {*wanted}


@pytest.fixture
def told(sampled: Path, tmp_path: Path) -> Write:
    """Puts answers into a fresh folder's journal, as if the model had given them."""

    def write(given: dict[str, list[tuple[str, float, bool]]]) -> None:
        stamp, _ = answers(sampled)
        lines = [
            {"id": page, "texts": list(t), "scores": list(s), "ended": list(e)}
            for page, (t, s, e) in ((page, zip(*each, strict=True)) for page, each in given.items())
        ]
        (tmp_path / "state").mkdir()
        text = "\n".join([stamp, *map(json.dumps, lines)]) + "\n"
        (tmp_path / "state" / "answers.jsonl").write_text(text, encoding="utf-8")

    return write


GOOD, SHORT, BAD = (encode(FrontMatter(), text) for text in ("all of the page", "all of it", "none"))


def test_pages_always_or_never_right_teach_nothing(
    told: Write, base: Path, few: Path, tmp_path: Path
) -> None:
    a, b, c = pq.read_table(few)["id"].to_pylist()[:3]
    told(
        {
            a: [(GOOD, 1.0, True), (GOOD, 1.0, True)],
            b: [(GOOD, 1.0, True), (BAD, 0.5, True)],
            c: [(BAD, 0.0, True), (BAD, 0.0, True)],
        }
    )
    difficulty(stage("filter"), files(tmp_path, base, few))
    assert pq.read_table(tmp_path / "rows.parquet")["id"].to_pylist() == [b]
    receipt = json.loads((tmp_path / "rows.json").read_text())
    assert receipt["rows"]["pass_rates"] == {a: 1.0, b: 0.75, c: 0.0}
    with pytest.raises(InputError, match="no page is left"):
        difficulty(stage("filter", above=0.9), files(tmp_path, base, few))


def test_the_best_answer_that_ended_is_learnt(told: Write, base: Path, few: Path, tmp_path: Path) -> None:
    a, b, c = pq.read_table(few)["id"].to_pylist()[:3]
    told(
        {
            a: [(GOOD, 1.0, True), (SHORT, 1.0, True)],
            b: [(GOOD, 1.0, False), (BAD, 0.0, True)],
            c: [("no header", 1.0, True), (BAD, 0.5, True)],
        }
    )
    best(stage("rejection"), files(tmp_path, base, few))
    table = pq.read_table(tmp_path / "rows.parquet").to_pylist()
    assert [(row["id"], row["text"]) for row in table] == [(a, SHORT)]
    best(stage("rejection", least=0.5), files(tmp_path, base, few))
    table = pq.read_table(tmp_path / "rows.parquet").to_pylist()
    assert [(row["id"], row["text"]) for row in table] == [(a, SHORT), (c, BAD)]


def test_the_best_is_set_against_the_worst(told: Write, base: Path, few: Path, tmp_path: Path) -> None:
    a, b, c = pq.read_table(few)["id"].to_pylist()[:3]
    told(
        {
            a: [(BAD, 0.0, False), (GOOD, 1.0, True)],
            b: [(GOOD, 1.0, True), (SHORT, 0.9, True)],
            c: [(BAD, 0.5, True), (BAD, 0.0, True)],
        }
    )
    pairs(stage("pairs"), files(tmp_path, base, few))
    table = pq.read_table(tmp_path / "rows.parquet").to_pylist()
    assert [(row["id"], row["chosen"], row["rejected"]) for row in table] == [(a, GOOD, BAD)]


def test_pass_rates_are_counted_in_tenths() -> None:
    means = [0.0, 0.05, 0.1, 0.99, 1.0]
    counts = histogram({str(mean): Sampled([""], [mean], [True]) for mean in means})
    assert counts["0"] == counts["1"] == counts["(0.0, 0.1)"] == counts["(0.9, 1.0)"] == 1
    assert sum(counts.values()) == len(means)
