"""Null candidates: what texts score that no tool read off the pages. A score means little below them."""

import random
from typing import Any

from scriptorium.bench.folder import Bench
from scriptorium.bench.outputs import Output
from scriptorium.bench.scoring.judging import judge_outputs
from scriptorium.bench.scoring.rows import document_of, make_rows
from scriptorium.bench.scoring.text_layers import stamps, text_layers
from scriptorium.bench.scoring.verdict_cache import VerdictCache

NULLS = ("empty", "another page", "text layer", "shuffled lines")
"""Nothing; the text layer of a page of another document; the page's own; its lines in random order."""

Texts = dict[str, str]
"""Page id to text."""


def null_scores(
    bench: Bench, rules: tuple[str, ...], profile: str, cache: VerdictCache, jobs: int
) -> dict[str, dict[str, dict[str, Any]]]:
    """Null candidate to rule set to `overall` and `categories` in percent.

    They are the same for every candidate of a bench, and kept: only the first scoring pays for them.
    """
    key = cache.key(["nulls", rules, profile, bench.pages, stamps(bench)])
    if kept := cache.read([key]).get(key):
        return dict(kept)
    from scriptorium.bench.scoring.summary import summarise  # here: numpy is slow to load

    texts = null_texts(bench, text_layers(bench, cache))
    outputs = {page: [Output(texts[name][page], "ok") for name in NULLS] for page in bench.pages}
    judged = judge_outputs(
        bench, outputs, rules, cache=cache, jobs=jobs, explain=False, what="null candidates"
    )
    found = {}
    for index, name in enumerate(NULLS):
        rows = make_rows(bench, {page: [each[index]] for page, each in judged.items()}, name)
        found[name] = {each: _brief(summarise(rows, each, profile)) for each in rules}
    cache.write({key: found})
    return found


def null_texts(bench: Bench, layers: Texts) -> dict[str, Texts]:
    """The texts of each null candidate, out of the pages' text layers."""
    return {
        "empty": dict.fromkeys(bench.pages, ""),
        "another page": _of_another(bench, layers),
        "text layer": layers,
        "shuffled lines": {page: _shuffled(page, text) for page, text in layers.items()},
    }


def _of_another(bench: Bench, layers: Texts) -> Texts:
    """For each page the text of the next page, in order, that has words and is of another document."""
    document = {page: document_of(tests[0][1]["pdf"]) for page, tests in bench.pages.items()}
    givers = [page for page in bench.pages if layers[page].strip()]
    found = {}
    after = 0
    for page in bench.pages:
        after += bool(after < len(givers) and givers[after] == page)
        circle = givers[after:] + givers[:after]
        giver = next((each for each in circle if document[each] != document[page]), None)
        found[page] = layers[giver] if giver else ""
    return found


def _shuffled(page: str, text: str) -> str:
    lines = text.split("\n")
    random.Random(page).shuffle(lines)
    return "\n".join(lines)


def _brief(summary: dict[str, Any]) -> dict[str, Any]:
    return {
        "overall": summary["overall"],
        "categories": {name: each["score"] for name, each in summary["categories"].items()},
    }
