"""Generated pages a second, gate and tests included: typst, Chromium many sheets at a time, a browser a page.

    python benchmarks/data_synth.py --pages 200 --processes 2 --browsers 6

Each engine makes the same mixed pages (all families) in as many processes as said, one thread each, the start of
process and browser included. The last way starts a browser for every page and draws it, without gate and tests,
as olmOCR's renderer does. Exits 4 below 15 (typst) or 8 (Chromium) pages/s.
"""

import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Annotated

import typer

TARGETS = {"typst": 15.0, "chromium": 8.0, "a browser a page": 0.0}
KEY = "benchmark"


def typst(indices: range) -> Counter[str]:
    """The pages of `indices` by typst; what was rejected."""
    from scriptorium.synth.sheets import MIXED, make_sample
    from scriptorium.synth.typst import Typesetter

    typesetter, rejects = Typesetter(), Counter[str]()
    for index in indices:
        make_sample(MIXED, "sft", KEY, index, typesetter, rejects)
    return rejects


def chromium(indices: range) -> Counter[str]:
    """The pages of `indices` by one browser, in batches."""
    from scriptorium.synth.batches import make_samples
    from scriptorium.synth.chromium import Chromium
    from scriptorium.synth.sheets import MIXED

    rejects = Counter[str]()
    with Chromium() as browser:
        make_samples(MIXED, "sft", KEY, indices, browser, rejects)
    return rejects


def browser_a_page(indices: range) -> Counter[str]:
    """The pages of `indices`, a browser started for each: drawn only."""
    from scriptorium.synth.chromium import Chromium
    from scriptorium.synth.families import FAMILIES, draw

    for index in indices:
        family = list(FAMILIES)[index % len(FAMILIES)]
        with Chromium() as browser:
            browser.draw([draw(family, "sft", random.Random(f"{KEY} sheet {index} attempt 0"))])
    return Counter()


def timed(
    work: Callable[[range], Counter[str]], pages: int, processes: int
) -> tuple[float, float, Counter[str]]:
    """Seconds by the clock and of processor time that `pages` pages take, and what was rejected."""
    shares = [range(number, pages, processes) for number in range(processes)]
    start, before = time.perf_counter(), processor()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        rejects = sum(pool.map(work, shares), Counter[str]())
    return time.perf_counter() - start, processor() - before, rejects


def processor() -> float:
    """Processor time of all children that have ended, browsers included."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main(
    pages: Annotated[int, typer.Option(min=1)] = 200,
    processes: Annotated[int, typer.Option(min=1)] = 2,
    browsers: Annotated[int, typer.Option(min=1, help="Pages of the way with a browser a page.")] = 6,
) -> None:
    """Time the three ways and print pages a second."""
    ways = {
        "typst": (typst, pages),
        "chromium": (chromium, pages),
        "a browser a page": (browser_a_page, browsers),
    }
    rates = {}
    for name, (work, count) in ways.items():
        seconds, busy, rejects = timed(work, count, processes)
        rates[name] = count / seconds
        print(
            f"{name:16} {count} pages in {seconds:.1f} s: {rates[name]:.2f} pages/s by the clock;"
            f" {1000 * busy / count:.0f} ms of processor time a page; rejected {rejects.total()}"
        )
        for reason, times in sorted(rejects.items()):
            print(f"{'':16} {times} x {reason}")
    print(
        f"Chromium in batches against a browser a page: {rates['chromium'] / rates['a browser a page']:.1f} times"
    )
    sys.exit(0 if all(rates[name] >= target for name, target in TARGETS.items()) else 4)


if __name__ == "__main__":
    typer.run(main)
