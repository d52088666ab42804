"""Progress bars on a terminal, quiet lines in a log."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
LOG_EVERY_SECONDS = 20.0


def track(items: Iterable[Item], total: int, what: str, start: int = 0) -> Iterator[Item]:
    """Yield `items`, showing how many of `total` are done: a bar on a terminal, a line now and then in a log."""
    if sys.stderr.isatty():
        # Imported here: most commands show no bar, and this is slow to load.
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns) as bar:
            task = bar.add_task(what, total=total, completed=start)
            for item in items:
                yield item
                bar.advance(task)
        return
    begun = said = time.monotonic()
    for done, item in enumerate(items, start + 1):
        yield item
        now = time.monotonic()
        if now - said > LOG_EVERY_SECONDS or done == total:
            rate = (done - start) / max(now - begun, 1e-9)
            print(f"{what}: {done}/{total}, {rate:.1f}/s", file=sys.stderr, flush=True)
            said = now


def counted(items: Iterable[Item], what: str) -> Iterator[Item]:
    """Yield `items`, of which nobody knows how many there will be, with a line now and then in the log."""
    begun = said = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - said > LOG_EVERY_SECONDS:
            print(f"{what}: {done}, {done / (now - begun):.1f}/s", file=sys.stderr, flush=True)
            said = now
