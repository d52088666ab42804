"""Reward benchmark: verdicts a second of `page_share` (scriptorium-1), as GRPO asks for them.

    python benchmarks/bench_reward.py

Pages of 3 to 4 KB with tests of all common types, formulas among them; each completion is a new misreading
of its page, so that no text is met twice. Measured in this process and in a forked pool of two, the first
batch apart from the rest: a reward must not stall a trainer when a fresh worker meets its first formula.
Target: 2,000 verdicts a second and core, that is for each second of processor time of all processes, those
that set formulas included; by the clock as well, so that waiting does not hide. Exit 4 where it is missed.
"""

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import full_set
import measure
import psutil

from scriptorium.bench.rules import STRICT, page_share

TARGET = 2000.0
MIX = ("math", "math", "math", "table", "table", "order", "order", "present", "present", "absent", "baseline")
"""The tests of a page: a quarter about formulas."""

Pair = tuple[list[full_set.Test], str]


@dataclass(frozen=True)
class Batch:
    """How long a batch took by the clock and of all processes' processor time, and its verdicts."""

    seconds: float
    processor: float
    verdicts: int


def pairs(pages: int, completions: int, seed: int) -> list[list[Pair]]:
    """Batches of tests and completions: `completions` batches, each with a misreading of every page."""
    writer = full_set.Writer(seed)
    made = []
    for _ in range(pages):
        page = writer.mixed_page()
        made.append((page, [writer.test(kind, page) for kind in MIX]))
    return [[(tests, writer.read(page)) for page, tests in made] for _ in range(completions)]


def reward(pair: Pair) -> float:
    """The share of a page's tests that a completion passes."""
    return page_share(pair[0], pair[1], STRICT)


def _processor_seconds() -> float:
    this = psutil.Process()
    times = [each.cpu_times() for each in (this, *this.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def timed(batches: list[list[Pair]], judge: Callable[[list[Pair]], object]) -> list[Batch]:
    """Each batch's time."""
    found = []
    for batch in batches:
        begun, used = time.perf_counter(), _processor_seconds()
        judge(batch)
        seconds = time.perf_counter() - begun
        found.append(Batch(seconds, _processor_seconds() - used, sum(len(tests) for tests, _ in batch)))
    return found


def tell(name: str, batches: list[Batch], workers: int) -> bool:
    """Print the first batch and the rest; whether the rest meet the target."""
    first, rest = batches[0], batches[1:]
    verdicts = sum(batch.verdicts for batch in rest)
    seconds, processor = sum(batch.seconds for batch in rest), sum(batch.processor for batch in rest)
    slowest = max(batch.seconds for batch in rest)
    print(
        f"{name}: first batch {first.seconds:.2f} s, later ones {seconds / len(rest):.2f} s, at most {slowest:.2f} s"
    )
    print(f"{name}: {verdicts / seconds / workers:,.0f} verdicts/s per core by the clock")
    unit = "verdicts per processor second"
    return measure.verdict(f"{name}, steady", verdicts / processor, TARGET, unit, at_least=True)


def main() -> int:
    """Measure in this process, then in a pool that is forked from it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=int, default=24, help="pages of a batch (prompts of a step)")
    parser.add_argument("--batches", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        os.environ["SCRIPTORIUM_CACHE"] = str(Path(cache))
        alone = pairs(options.pages, options.batches, options.seed)
        sizes = [len(text) for batch in alone for _, text in batch]
        print(f"pages of {sum(sizes) / len(sizes):,.0f} characters, {len(MIX)} tests each: {json.dumps(MIX)}")
        begun = time.perf_counter()
        reward(alone[0][0])
        print(f"the very first page: {time.perf_counter() - begun:.2f} s")
        met = [tell("one process", timed(alone, lambda batch: list(map(reward, batch))), 1)]
        again = pairs(options.pages, options.batches, options.seed + 1)
        with multiprocessing.get_context("fork").Pool(options.workers) as pool:
            shared = timed(again, lambda batch: pool.map(reward, batch, chunksize=1))
            met.append(tell(f"forked pool of {options.workers}", shared, options.workers))
    return 0 if all(met) else 4


if __name__ == "__main__":
    sys.exit(main())
