"""The first page of the viewer: what became of the pages, as tables that need no script."""

from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Any

from scriptorium.convert.viewer.data import NONE, Index
from scriptorium.pages.store import STATUSES
from scriptorium.pages.view import pages_link

FIRST = 4
"""Numbers of an index row before those of its runs, and..."""
EACH = 5
"""...how many a run has: status, language, score, reason, attempts."""

MOST_DOCUMENTS = 50
"""Documents with failed pages that are listed; the list of pages has all."""

LOST = ("gave_up", "unreadable", "pending")


def overview(index: Index) -> str:
    """The HTML: pages by status and language for each run, documents that lost pages, and the settings."""
    counts = _counts(index, "status", 0, index.statuses.words)
    counts += _counts(index, "language", 1, index.languages.words)
    return "\n".join([_opening(index), f'<div class="beside">{counts}{_lost(index)}</div>', _settings(index)])


def _numbers(index: Index, row: Sequence[int], run: int) -> Sequence[int]:
    return row[FIRST + EACH * run : FIRST + EACH * (run + 1)]


def _opening(index: Index) -> str:
    pages = sum(row[1] > 0 for row in index.rows)
    facts = [f"{len(index.documents):,} documents", f"{pages:,} pages"]
    if len(index.runs) > 1:
        both = [row[3] for row in index.rows if row[3] != NONE]
        same = sum(each == 100 for each in both)
        facts.append(f"{same:,} of {len(both):,} pages have the same words in both runs")
    return f'<p class="facts">{" · ".join(facts)}</p>'


def _counts(index: Index, name: str, at: int, words: Sequence[str]) -> str:
    """Pages by a word of theirs, a column for each run; a number leads to the pages."""
    counts = [Counter(_numbers(index, row, run)[at] for row in index.rows) for run in range(len(index.runs))]
    order = sorted(range(len(words)), key=lambda number: _order(words[number]))
    if not order:
        return ""
    heads = "".join(f'<th scope="col">{escape(run.name)}</th>' for run in index.runs)
    rows = []
    for number in order:
        cells = "".join(
            _cell(counts[run][number], name, words[number], run) for run in range(len(index.runs))
        )
        rows.append(f'<tr><th scope="row">{escape(words[number].replace("_", " "))}</th>{cells}</tr>')
    return (
        f'<section><h2>Pages by {name}</h2><div class="wide"><table class="numbers"><thead><tr>'
        f'<th scope="col">{name.title()}</th>{heads}</tr>'
        f"</thead><tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _order(word: str) -> tuple[int, str]:
    return (STATUSES.index(word) if word in STATUSES else len(STATUSES), word)


def _cell(count: int, name: str, word: str, run: int) -> str:
    said = {name: word} if run == 0 else {"swap": "1", name: word}
    return f"<td>{pages_link(f'{count:,}', **said) if count else '–'}</td>"


def _lost(index: Index) -> str:
    """Documents of which pages have no text in the first run, those with most of them first."""
    lost = {index.statuses.known[name] for name in LOST if name in index.statuses.known}
    found = Counter(row[0] for row in index.rows if _numbers(index, row, 0)[0] in lost)
    if not found:
        return ""
    names = [name for name, _ in index.documents]
    rows = [
        f"<tr><td>{pages_link(escape(names[number]), words=names[number])}</td><td>{count:,}</td></tr>"
        for number, count in found.most_common(MOST_DOCUMENTS)
    ]
    more = (
        f'<p class="soft">In {MOST_DOCUMENTS} of {len(found):,} documents.</p>'
        if len(found) > MOST_DOCUMENTS
        else ""
    )
    return (
        f"<section><h2>Pages without a text</h2>{more}"
        '<div class="wide"><table class="list"><thead><tr><th scope="col">Document</th><th scope="col">Pages</th>'
        f"</tr></thead><tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _settings(index: Index) -> str:
    """What each run was read with, as far as it is told in a line."""
    names = list(dict.fromkeys(name for run in index.runs for name, _ in _flat(run.settings)))
    told = [dict(_flat(run.settings)) for run in index.runs]
    heads = "".join(f'<th scope="col">{escape(run.name)}</th>' for run in index.runs)
    rows = "".join(
        f"<tr><td>{escape(name)}</td>{''.join(f'<td>{escape(each.get(name, chr(8211)))}</td>' for each in told)}</tr>"
        for name in names
    )
    return (
        '<section><h2>Settings</h2><div class="wide"><table class="list settings"><thead><tr>'
        f'<th scope="col">Setting</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div></section>'
    )


def _flat(values: dict[str, Any], head: str = "") -> list[tuple[str, str]]:
    told: list[tuple[str, str]] = []
    for key, value in values.items():
        if isinstance(value, dict):
            told += _flat(value, f"{head}{key} ")
        else:
            told.append((f"{head}{key}".replace("_", " "), str(value)))
    return told
