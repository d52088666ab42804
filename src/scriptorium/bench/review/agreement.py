"""Who did how much of a review, and how far people agree, from the audit trail."""

import json
from collections import Counter, defaultdict
from itertools import combinations
from typing import Any

from scriptorium.bench.review.trail import Step

_SAID = {"approve": "verified", "reject": "rejected"}

Opinions = dict[tuple[str, Any], dict[str, str]]
"""(Category, test id) to what each person last said of the test."""


def agreement(steps: list[Step]) -> dict[str, Any]:
    """`people`: what each has done, in tests; `pairs`: for every two, the tests that both marked.

    A pair has `both` (tests), `same` (those on which they agree) and `kappa` (Cohen's; None where chance alone would
    make them agree always). What was undone does not count; an edit makes a test new, so that what was said of
    it before does not count either.
    """
    live = _live(steps)
    people: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for step in live:
        people[step["who"]][step["action"]] += len(step["changes"])
    opinions = _opinions(live)
    pairs = [_pair(one, other, opinions) for one, other in combinations(sorted(people), 2)]
    return {
        "people": [{"who": who, **counts} for who, counts in sorted(people.items())],
        "pairs": [pair for pair in pairs if pair["both"]],
    }


def _live(steps: list[Step]) -> list[Step]:
    """The steps that were not undone, or were done again."""
    live = {step["step"]: step for step in steps if "of" not in step}
    undone = set()
    for step in steps:
        if step["action"] == "undo":
            undone.add(step["of"])
        elif step["action"] == "redo":
            undone.discard(step["of"])
    return [step for number, step in live.items() if number not in undone]


def _opinions(live: list[Step]) -> Opinions:
    opinions: Opinions = defaultdict(dict)
    for step in live:
        for change in step["changes"]:
            test = (change["category"], _id(change["before"] or change["after"]))
            if step["action"] in _SAID:
                opinions[test][step["who"]] = _SAID[step["action"]]
            elif step["action"] == "uncheck":
                opinions[test].pop(step["who"], None)
            else:
                opinions.pop(test, None)
    return opinions


def _id(line: str) -> Any:
    try:
        return str(json.loads(line)["id"])
    except (ValueError, KeyError, TypeError, RecursionError):  # a line that is no test has no id
        return None


def _pair(one: str, other: str, opinions: Opinions) -> dict[str, Any]:
    said = [(each[one], each[other]) for each in opinions.values() if one in each and other in each]
    both, same = len(said), sum(first == second for first, second in said)
    chance = sum(
        sum(first == state for first, _ in said) * sum(second == state for _, second in said)
        for state in _SAID.values()
    )
    kappa = None if chance == both * both else (both * same - chance) / (both * both - chance)
    return {"who": [one, other], "both": both, "same": same, "kappa": kappa}
