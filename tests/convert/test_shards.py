"""The rows of one shard: the same whether the plan is searched or has them by shard."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from scriptorium.convert import shards
from scriptorium.convert.inputs import state
from scriptorium.convert.plan import plan_corpus, read_plan
from scriptorium.convert.shards import by_shard

from ..faults.world import document

SHARDS = 5


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A document of 230 pages, some short ones, one that does not open."""
    folder = tmp_path / "corpus"
    (folder / "deep").mkdir(parents=True)
    for name, pages in (("long", 230), ("a", 3), ("deep/b", 1), ("deep/c", 60)):
        (folder / f"{name}.pdf").write_bytes(document(name, pages))
    (folder / "bad.pdf").write_bytes(b"bad")
    return folder


def of_shard(rows: list[dict[str, Any]], shard: int) -> list[dict[str, Any]]:
    return [row for row in rows if row["shard"] == shard]


@pytest.mark.parametrize("run", [7, 100, 10_000])
def test_rows_by_shard_are_those_of_the_plan_in_its_order(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: int
) -> None:
    monkeypatch.setattr(shards, "ROWS_SORTED", run)
    monkeypatch.setattr(shards, "ROWS_READ", 7)
    monkeypatch.setattr(shards, "ROWS_IN_GROUP", 3)
    plan = tmp_path / "plan.parquet"
    plan_corpus(corpus, SHARDS, plan)
    rows = read_plan(plan)
    assert len({row["shard"] for row in rows}) > 2
    assert [read_plan(plan, shard) for shard in range(SHARDS)] == [of_shard(rows, n) for n in range(SHARDS)]
    by_shard(plan).unlink()
    assert [read_plan(plan, shard) for shard in range(SHARDS)] == [of_shard(rows, n) for n in range(SHARDS)]


def test_a_shard_is_read_from_few_groups_of_rows(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "ROWS_IN_GROUP", 20)
    plan = tmp_path / "plan.parquet"
    plan_corpus(corpus, SHARDS, plan)
    file = pq.ParquetFile(by_shard(plan))
    column = file.schema_arrow.get_field_index("shard")
    spans = [file.metadata.row_group(n).column(column).statistics for n in range(file.num_row_groups)]
    assert len(spans) > 10
    for shard in range(SHARDS):
        groups = sum(span.min <= shard <= span.max for span in spans)
        assert groups <= -(-len(read_plan(plan, shard)) // 20) + 1


def test_rows_of_an_older_plan_are_not_taken(corpus: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.parquet"
    plan_corpus(corpus, 2, plan)
    old = by_shard(plan).read_bytes()
    (corpus / "new.pdf").write_bytes(document("new", 4))
    plan_corpus(corpus, 2, plan)
    by_shard(plan).write_bytes(old)
    rows = read_plan(plan)
    assert [read_plan(plan, shard) for shard in range(2)] == [of_shard(rows, n) for n in range(2)]


def test_long_documents_stay_where_they_are_when_others_come(corpus: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one.parquet", tmp_path / "two.parquet"
    plan_corpus(corpus, SHARDS, one)
    for name in ("0", "deep/0", "zz"):
        (corpus / f"{name}.pdf").write_bytes(document(f"new {name}", 70))
    plan_corpus(corpus, SHARDS, two)
    before = {(row["source"], row["page"]): row for row in read_plan(one)}
    after = {(row["source"], row["page"]): row for row in read_plan(two)}
    assert len({row["shard"] for row in before.values() if row["source"].endswith("long.pdf")}) > 1
    assert len(after) == len(before) + 210
    assert {place: after[place] for place in before} == before


def test_the_state_of_a_source_changes_with_its_files(corpus: Path, tmp_path: Path) -> None:
    seen = [state(str(corpus))]
    assert state(str(corpus)) == seen[0]
    (corpus / "deep" / "new.pdf").write_bytes(b"x")
    seen.append(state(str(corpus)))
    (corpus / "deep" / "new.pdf").write_bytes(b"longer")
    seen.append(state(str(corpus)))
    (corpus / "deep" / "new.pdf").rename(corpus / "deep" / "other.pdf")
    seen.append(state(str(corpus)))
    assert len(set(seen)) == 4
    (corpus / "deep" / "other.pdf").unlink()
    assert state(str(corpus)) == seen[0]
    (tmp_path / "empty").mkdir()
    assert state(str(tmp_path / "empty")) and not state("s3://bucket/x") and not state(str(tmp_path / "no"))
