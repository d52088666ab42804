"""The types of test that olmOCR-bench has not: one judge for each, under both rule sets."""

from scriptorium.bench.judges.block_facts import code, heading_outline, link, list_
from scriptorium.bench.judges.occurrences import chain, count
from scriptorium.bench.judges.table_facts import numeric_cell, table_row, table_shape
from scriptorium.bench.verdict import Judge

FACTS: dict[str, Judge] = {
    "count": count,
    "chain": chain,
    "table_shape": table_shape,
    "table_row": table_row,
    "numeric_cell": numeric_cell,
    "list": list_,
    "code": code,
    "link": link,
    "heading_outline": heading_outline,
}
"""The judge of each of these types."""
