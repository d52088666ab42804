"""What a plan will take: pages and bytes by kind, and time and cost where the caller knows the rates."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from scriptorium.convert.display import duration
from scriptorium.convert.plan import label, plan_corpus
from scriptorium.errors import InputError

TOKENS_PER_PAGE = 2500.0
"""An A4 page with a longest side of 1,288 px is 46 x 33 patches of 28 px, 1,500 tokens; and 1,000 of text."""
SHOWN = 20
COLUMNS = ["document", "source", "member", "page", "kind", "bytes", "shard", "status", "reason"]


@dataclass
class Estimate:
    """Counts of a plan; `seconds` and `cost` are None where no rate was given."""

    files: int = 0
    pages: int = 0
    bytes: int = 0
    duplicates: int = 0
    unreadable: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    shards: Counter[int] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    seconds: float | None = None
    cost: float | None = None


def estimate(
    plan: Path,
    pages_per_second: float = 0.0,
    cost_per_million_tokens: float = 0.0,
    tokens_per_page: float = TOKENS_PER_PAGE,
) -> Estimate:
    """Count a plan. Rates of 0 are unknown; `bytes` are those of the documents with pages to convert."""
    rates = (pages_per_second, cost_per_million_tokens, tokens_per_page)
    if min(rates) < 0:
        raise InputError(f"rates: found {min(rates)}, must not be negative")
    found, last = Estimate(), ("", "", "")
    for batch in pq.ParquetFile(plan).iter_batches(columns=COLUMNS):
        for row in batch.to_pylist():
            place = (row["source"], row["member"], row["document"])
            if new := place != last or row["page"] == 0:
                found.files += 1
            last = place
            if row["status"] == "pending":
                found.pages += 1
                found.kinds[row["kind"]] += 1
                found.shards[row["shard"]] += 1
                found.bytes += row["bytes"] if new else 0
            elif row["status"] == "duplicate":
                found.duplicates += 1
            else:
                found.unreadable += 1
                found.reasons[row["reason"].partition(":")[0]] += 1
                if len(found.examples) < SHOWN:
                    found.examples.append(f"{label(row)}: {row['reason']}")
    found.seconds = found.pages / pages_per_second if pages_per_second else None
    if cost_per_million_tokens:
        found.cost = found.pages * tokens_per_page * cost_per_million_tokens / 1e6
    return found


def dry_run(
    sources: Sequence[str],
    lists: Sequence[str],
    pages: str,
    jobs: int,
    cache: Path,
    rates: tuple[float, float, float] = (0.0, 0.0, TOKENS_PER_PAGE),
) -> Estimate:
    """Plan into a folder that goes again, and count. `rates`: pages per second, cost, tokens per page."""
    with tempfile.TemporaryDirectory(prefix="scriptorium-") as folder:
        plan = Path(folder) / "plan.parquet"
        plan_corpus(sources, 1, plan, lists=lists, pages=pages, jobs=jobs, cache=cache)
        return estimate(plan, *rates)


def lines(found: Estimate) -> list[str]:
    """The estimate as lines for a person."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(found.kinds.items()))
    said = [f"{found.files} files, {found.pages} pages to convert ({kinds or 'none'}), {found.bytes} bytes"]
    said.append(f"{found.duplicates} duplicates, {found.unreadable} unreadable")
    said += [f"  {count} {reason}" for reason, count in sorted(found.reasons.items())]
    said += [f"  {example}" for example in found.examples]
    if found.unreadable > len(found.examples):
        said.append(f"  and {found.unreadable - len(found.examples)} more")
    if found.shards:
        least, most = min(found.shards.values()), max(found.shards.values())
        said.append(f"{len(found.shards)} shards of {least} to {most} pages")
    if found.seconds is not None:
        said.append(f"time: {duration(found.seconds)}")
    if found.cost is not None:
        said.append(f"cost: {found.cost:.2f}")
    return said
