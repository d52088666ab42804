"""The whole folder at a glance: its pages, how far the review is, and the tests on which judges part."""

import threading
from collections import Counter
from typing import Any

from scriptorium.bench.review.store import Item, Store
from scriptorium.bench.review.verdicts import Verdicts

Place = tuple[str, int]


def place(item: Item) -> Place:
    """The page an item belongs to; ("", 0) for a line from which that cannot be read."""
    record = item.record or {}
    pdf, page = record.get("pdf"), record.get("page")
    if isinstance(pdf, str) and pdf and isinstance(page, int) and not isinstance(page, bool) and page >= 1:
        return pdf, page
    return "", 0


def pages(store: Store) -> list[dict[str, Any]]:
    """Every page with tests, and page 1 of every PDF without, in the order of names.

    `tests` counts the page's tests by (category, type, state); a line that is no test has the state `broken`.
    """
    found: dict[Place, Counter[tuple[str, str, str]]] = {}
    for item in store.all():
        kind, state = (item.test["type"], item.state) if item.test else ("", "broken")
        found.setdefault(place(item), Counter())[item.category, kind, state] += 1
    tested = {pdf for pdf, _ in found}
    base = store.folder / "pdfs"
    for path in base.rglob("*.pdf"):
        name = path.relative_to(base).as_posix()
        if name not in tested:
            found[name, 1] = Counter()
    return [
        {"pdf": pdf, "page": page, "tests": [[*key, count] for key, count in counts.items()]}
        for (pdf, page), counts in sorted(found.items(), key=lambda each: each[0])
    ]


class Disagreements:
    """The tests on which candidates or rule sets part, found in the background, page by page."""

    def __init__(self, store: Store, verdicts: Verdicts) -> None:
        self._store, self._verdicts = store, verdicts
        self._found: dict[tuple[str, str], dict[str, Any]] = {}
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._failure = ""

    def rows(self) -> dict[str, Any]:
        """The tests that are parted on, most divided first; `left`: how many tests are still to be judged."""
        items = [item for item in self._store.all() if item.test is not None]
        left = [item for item in items if (item.category, item.digest) not in self._found]
        if left and not (self._thread and self._thread.is_alive()):
            self._thread = threading.Thread(target=self._judge, args=(left,), daemon=True)
            self._thread.start()
        rows = [
            {
                **split,
                "category": item.category,
                "digest": item.digest,
                "state": item.state,
                "test": item.test,
            }
            for item in items
            if (split := self._found.get((item.category, item.digest)))
            and (split["rules_part"] or split["candidates_part"])
        ]
        rows.sort(key=lambda row: (row["state"] != "unchecked", -row["rules_part"], -_divided(row)))
        return {"left": len(left), "failure": self._failure, "rows": rows}

    def stop(self) -> None:
        """End the work in the background."""
        self._stop.set()

    def _judge(self, items: list[Item]) -> None:
        try:
            for item in sorted(items, key=place):
                if self._stop.is_set():
                    return
                texts = self._verdicts.texts(*place(item))
                assert item.test is not None
                self._found[item.category, item.digest] = self._verdicts.split(item.test, texts)
        except Exception as error:
            self._failure = f"{type(error).__name__}: {error}"
            raise


def _divided(row: dict[str, Any]) -> int:
    """How many candidates are in the minority, over the rule sets."""
    return sum(min(passed, row["texts"] - passed) for passed in row["passed"].values())
