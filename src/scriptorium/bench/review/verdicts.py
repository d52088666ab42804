"""What the rule sets say of a test on every candidate's text of its page."""

import json
import threading
from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import Any

from scriptorium.bench.folder import candidates
from scriptorium.bench.outputs import Output, page_id, page_names, read_output
from scriptorium.bench.rules import RULES, judge, judge_checked
from scriptorium.bench.tests import Test
from scriptorium.bench.text.page import Page

KEPT = 100_000
"""Verdicts kept in memory."""

_MOOT = ("pdf", "page", "id", "checked", "url", "category")
"""Fields that do not bear on a verdict."""


@dataclass(frozen=True)
class Text:
    """One output of a candidate for a page."""

    candidate: str
    repeat: int
    output: Output


class Verdicts:
    """The candidates of a bench folder, and verdicts on their texts; shared by threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: list[str] = []
        self._paths: dict[str, list[tuple[str, int, Path]]] = {}
        self._known: OrderedDict[tuple[str, str, str], Any] = OrderedDict()
        self._turn = threading.Lock()
        self.refresh()

    def refresh(self) -> None:
        """Look again which candidates there are."""
        names = candidates(self.folder)
        paths: dict[str, list[tuple[str, int, Path]]] = defaultdict(list)
        for name in names:
            for path, stem, page, repeat in page_names(self.folder / name):
                paths[page_id(stem, page)].append((name, repeat, path))
        self.names, self._paths = names, {page: sorted(found) for page, found in paths.items()}

    def texts(self, pdf: str, page: int) -> list[Text]:
        """Every candidate's outputs for a page, by candidate and repeat."""
        found = self._paths.get(page_id(pdf, page), [])
        return [Text(name, repeat, read_output(path)) for name, repeat, path in found]

    def explained(self, test: Test, texts: list[Text]) -> list[dict[str, Any]]:
        """The verdicts of every rule set on every text, with evidence, margin and what would help."""
        return [self._row(test, text, rules) for text in texts for rules in RULES]

    def split(self, test: Test, texts: list[Text]) -> dict[str, Any]:
        """How far candidates and rule sets part on a test: passes by rule set, and what they part on."""
        passed = {rules: [self._passed(test, text, rules) for text in texts] for rules in RULES}
        between = sum(len({*row}) > 1 for row in zip(*passed.values(), strict=True))
        among = [rules for rules, row in passed.items() if len({*row}) > 1]
        return {
            "texts": len(texts),
            "passed": {rules: sum(row) for rules, row in passed.items()},
            "rules_part": between,
            "candidates_part": among,
        }

    def _row(self, test: Test, text: Text, rules: str) -> dict[str, Any]:
        place = {"candidate": text.candidate, "repeat": text.repeat, "rules": rules}
        markdown = text.output.text
        if markdown is None:
            return place | {"passed": False, "code": text.output.state}
        verdict = self._cached("explained", test, markdown, rules, lambda: judge(test, markdown, rules))
        return place | {
            "passed": verdict.passed,
            "code": verdict.code,
            "evidence": verdict.evidence,
            "margin": verdict.margin if verdict.margin is None or isfinite(verdict.margin) else None,
            "would_pass_if": verdict.would_pass_if,
        }

    def _passed(self, test: Test, text: Text, rules: str) -> bool:
        markdown = text.output.text
        if markdown is None:
            return False
        verdict = self._cached(
            "plain", test, markdown, rules, lambda: judge_checked(test, _page(markdown), rules)
        )
        return verdict.passed is True

    def _cached(self, how: str, test: Test, text: str, rules: str, make: Any) -> Any:
        asked = json.dumps({name: value for name, value in test.items() if name not in _MOOT}, sort_keys=True)
        key = (how + rules, asked, sha256(text.encode()).hexdigest())
        with self._turn:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        verdict = make()
        with self._turn:
            self._known[key] = verdict
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        return verdict


@lru_cache(maxsize=16)
def _page(text: str) -> Page:
    return Page(text)
