"""What the viewer's scripts are told: an index of all pages, and texts and facts of pages in chunks."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from scriptorium.convert.outputs.documents import READ, page_text
from scriptorium.convert.plan import corpus_of
from scriptorium.convert.viewer.runs import Row, Run, likeness, score, short_name
from scriptorium.convert.viewer.texts import rendered, shown
from scriptorium.pages.targets import why_not_right

CHUNK = 16
"""Pages in a script of texts: some 100 kB."""

SEARCHED = 512
"""Pages in a script that is read only to search in the texts."""

HIDDEN = {
    *(
        "key",
        "document",
        "source",
        "page",
        "pages",
        "shard",
        "status",
        "reason",
        "member",
        "id",
        "kind",
        "bytes",
    ),
    *("metadata", "text", "raw", "front", "signals", "quality"),
}
"""Of a record, what is not among its facts: it is shown elsewhere, or says nothing of the reading."""

NONE = -1
"""Where the index has no number to give. store.js reads the same."""


class Numbers:
    """Words by number, in the order in which they were first met."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    def __call__(self, word: str) -> int:
        return self.known.setdefault(word, len(self.known))

    @property
    def words(self) -> list[str]:
        """All words, by number."""
        return list(self.known)


class Index:
    """The index, a short row of numbers for each page."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs, self.corpus = runs, corpus_of(runs[0].plan)
        self.statuses, self.languages, self.reasons = Numbers(), Numbers(), Numbers()
        self.documents: dict[tuple[str, str], int] = {}
        self.rows: list[list[int]] = []

    def add(self, rows: Sequence[Row | None]) -> list[int]:
        """The row of a page, which is also kept; its third number, of the picture, is to be filled in."""
        first = next(row for row in rows if row is not None)
        document = self.documents.setdefault(
            (short_name(first, self.corpus), first["document"]), len(self.documents)
        )
        alike = likeness(rows)
        row = [document, first["page"], NONE, NONE if alike is None else alike]
        for each in rows:
            row += [NONE] * 5 if each is None else self._numbers(each)
        self.rows.append(row)
        return row

    def _numbers(self, row: Row) -> list[int]:
        found, language = score(row), (row.get("front") or {}).get("primary_language")
        return [
            self.statuses(row["status"]),
            self.languages(language) if language else NONE,
            NONE if found is None else round(1000 * found),
            self.reasons(row["reason"]) if row.get("reason") else NONE,
            int(row.get("attempts") or 0),
        ]

    def value(self, name: str, faults: list[str], side: int) -> dict[str, Any]:
        """The value that `window.__index` gets. `faults`: why pages were not drawn."""
        return {
            "name": name,
            "runs": [{"name": run.name, "id": run.id} for run in self.runs],
            "statuses": self.statuses.words,
            "languages": self.languages.words,
            "reasons": self.reasons.words,
            "faults": faults,
            "side": side,
            "chunk": CHUNK,
            "searched": SEARCHED,
            "documents": [list(each) for each in self.documents],
            "rows": self.rows,
        }


def page_value(rows: Sequence[Row | None]) -> list[dict[str, Any] | None]:
    """What a chunk says of a page: an object for each run, None where the run has no such page."""
    return [None if row is None else _told(row) for row in rows]


def _told(row: Row) -> dict[str, Any]:
    text = page_text(row)
    answer = "" if row["status"] in READ else shown(str(row.get("raw") or ""))
    return {
        "text": shown(text),
        "html": rendered(text),
        "sha256": text_sha256(text),
        "answer": answer,
        "reason": row.get("reason") or "",
        "rotation": int(row.get("rotation") or 0),
        "front": row.get("front"),
        "refused": why_not_right(row),
        "doubts": list(row["quality"].reasons) if row.get("quality") and row["status"] in READ else [],
        "facts": facts({key: value for key, value in row.items() if key not in HIDDEN}),
        "signals": facts(row.get("signals") or {}),
    }


def text_sha256(text: str) -> str:
    """What a mark says of the text that it was made on."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def facts(values: dict[str, Any], head: str = "") -> list[tuple[str, str]]:
    """Names and values to show, whatever they are; what is inside an object has its name before it."""
    told: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{head}{key}".replace("_", " ")
        if isinstance(value, dict):
            told += facts(value, f"{name}: ")
        elif value not in (None, "", []):
            told.append((name, _value(value)))
    return told


def _value(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list) and all(isinstance(each, str | int) for each in value):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False)


def searched(rows: Sequence[Row | None]) -> str:
    """The words of a page as a search in the texts sees them: those of all its runs, without capitals."""
    return "\n".join(dict.fromkeys(shown(page_text(row)).lower() for row in rows if row is not None))
