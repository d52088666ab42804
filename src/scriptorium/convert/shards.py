"""A plan in the order of its shards, beside it: a job of one shard reads that one, not the whole plan.

A shard's pages come from all over the corpus, so in the plan itself they lie in every block of rows.
"""

from pathlib import Path
from typing import Any

from scriptorium.files import whole

ROWS_READ = 50_000
"""Rows that are read at a time."""
ROWS_SORTED = 500_000
"""Rows that are sorted in memory at a time, 0.3 GB; each such run of the plan has its own part of a shard."""
ROWS_IN_GROUP = 10_000
"""Rows that are read at least to have one shard's of a run."""
DIGEST = b"digest"


def by_shard(plan: Path) -> Path:
    """Where the rows of `plan` lie by shard."""
    return plan.with_name(f"{plan.stem}-by-shard.parquet")


def write_by_shard(plan: Path, out: Path, digest: str) -> None:
    """Write the rows of the Parquet file `plan` by shard, each shard's in the plan's order, in runs.

    `digest`: of the plan, by which a reader knows that both files are of the same.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with whole(out) as part, pq.ParquetFile(plan) as source:
        facts = {DIGEST: digest.encode()}
        with pq.ParquetWriter(
            part, source.schema_arrow.with_metadata(facts), compression="zstd", write_statistics=["shard"]
        ) as writer:
            run: list[Any] = []
            rows = 0
            for batch in source.iter_batches(ROWS_READ):
                run.append(batch)
                rows += len(batch)
                if rows >= ROWS_SORTED:
                    writer.write_table(_sorted(pa.Table.from_batches(run)), ROWS_IN_GROUP)
                    run, rows = [], 0
            if run:
                writer.write_table(_sorted(pa.Table.from_batches(run)), ROWS_IN_GROUP)


def _sorted(table: Any) -> Any:
    import pyarrow.compute as pc

    return table.take(pc.sort_indices(table["shard"]))  # stable


def digest_of(path: Path) -> str:
    """The digest in a file of either kind; empty if it has none."""
    import pyarrow.parquet as pq

    return (pq.read_metadata(path).metadata or {}).get(DIGEST, b"").decode()


def read_shard(plan: Path, shard: int, columns: Any) -> list[dict[str, Any]]:
    """The rows of one shard in the plan's order, from the rows by shard if they are this plan's."""
    import pyarrow.parquet as pq

    beside, digest = by_shard(plan), digest_of(plan)
    source = beside if digest and beside.is_file() and digest_of(beside) == digest else plan
    return pq.read_table(source, schema=columns, filters=[("shard", "=", shard)]).to_pylist()
