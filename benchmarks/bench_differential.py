"""Differential benchmark: mutated tests and candidates through the peer and through us, every disagreement shown.

    python benchmarks/bench_differential.py --cases 20000 --math 1500 --data ../shared/data \
        --peer build/peer-git --out build/differential

`--data` holds bench-sample and bench-vectors. Rules: olmocr-2026.03. Each disagreement is shrunk to a small
case and grouped; the known kinds are in explanations.py. Exit 4 where a disagreement is unexplained.
"""

import argparse
import itertools
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import peer as peers
from cases import WEIGHTS, Case, make_case, seed_pairs
from explanations import explanation
from peer import Outcome

from scriptorium.bench.rules import OLMOCR, judge
from scriptorium.bench.tests import TestError
from scriptorium.files import write_jsonl
from scriptorium.progress import track

UNEXPLAINED = "unexplained"
SHRINKS = 12
"""Disagreements of one group that are shrunk; the rest are counted."""

CALLS = 250
"""Calls of the peer that shrinking one case may take."""


@dataclass(frozen=True)
class Disagreement:
    """A case on which the scorers differ, and the kind it is of."""

    case: Case
    theirs: Outcome
    ours: Outcome
    kind: str

    @property
    def group(self) -> str:
        """What is counted together."""
        why = self.ours.why if self.ours.word != "load error" else ""
        return f"{self.kind}: {self.case.kind}: theirs {self.theirs.word}, ours {self.ours.word} ({why})"

    def to_json(self) -> dict[str, Any]:
        """One row of disagreements.jsonl."""
        return {
            "group": self.group,
            "test": self.case.test,
            "text": self.case.text,
            "theirs": [self.theirs.word, self.theirs.why],
            "ours": [self.ours.word, self.ours.why],
        }


def our_outcome(case: Case) -> Outcome:
    """Our verdict under olmocr-2026.03, with its reason code."""
    try:
        verdict = judge(case.test, case.text, OLMOCR)
    except TestError as error:
        return Outcome(None, f"load: {error}")
    return Outcome(verdict.passed, verdict.code)


def compare(case: Case, judge_theirs: peers.Judge) -> Disagreement | None:
    """The disagreement on a case, if there is one."""
    theirs, ours = judge_theirs.judge(case.test, case.text), our_outcome(case)
    if theirs.word == ours.word:
        return None
    kind = explanation(case, theirs, ours)
    return Disagreement(case, theirs, ours, kind.name if kind else UNEXPLAINED)


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Stretches to leave out, long ones first."""
    size = len(text) // 2
    while size >= 1:
        yield from ((start, start + size) for start in range(0, len(text), size))
        size //= 2


def _shorter(text: str, still: Callable[[str], bool]) -> str:
    """A text without the stretches that do not matter."""
    again = True
    while again:
        again = False
        for start, end in _pieces(text):
            cut = text[:start] + text[end:]
            if cut != text and still(cut):
                text, again = cut, True
                break
    return text


def _still_with(still: Callable[[Case], bool], best: Callable[[], Case], name: str, text: str) -> bool:
    case = best()
    return still(replace(case, test={**case.test, name: text}))


def shrink(found: Disagreement, judge_theirs: peers.Judge) -> Disagreement:
    """The smallest case near by on which the scorers differ in the same way."""
    calls = itertools.count(1)
    best = found

    def still(case: Case) -> bool:
        nonlocal best
        if next(calls) > CALLS:
            return False
        other = compare(case, judge_theirs)
        if other is None or other.group != found.group:
            return False
        best = other
        return True

    for name in list(found.case.test):
        if name not in ("type", "pdf", "page", "id"):
            still(replace(best.case, test={k: v for k, v in best.case.test.items() if k != name}))
    _shorter(best.case.text, lambda text: still(replace(best.case, text=text)))
    for name, value in list(best.case.test.items()):
        if isinstance(value, str) and name not in ("type", "pdf", "id", "format"):
            _shorter(value, partial(_still_with, still, lambda: best.case, name))
    return best


def run(options: argparse.Namespace, judge_theirs: peers.Judge) -> tuple[Counter[str], list[Disagreement]]:
    """All cases: how many of each type, and the disagreements, some of each group shrunk."""
    known = set(judge_theirs.types())
    kinds = tuple(kind for kind in WEIGHTS if kind in known and kind in options.types)
    pairs = seed_pairs(options.data)
    counts: Counter[str] = Counter()
    found: list[Disagreement] = []
    shrunk: Counter[str] = Counter()
    for number in track(range(options.first, options.first + options.cases), options.cases, "cases"):
        math = "math" in options.types and (number * options.math) % options.cases < options.math
        case = make_case(number, options.seed, pairs, ("math",) if math or not kinds else kinds)
        counts[case.kind] += 1
        difference = compare(case, judge_theirs)
        if difference is None:
            continue
        shrunk[difference.group] += 1
        most = SHRINKS if difference.kind == UNEXPLAINED else 1
        if shrunk[difference.group] <= most and difference.theirs.why != peers.HANG:
            difference = shrink(difference, judge_theirs)
        found.append(difference)
    return counts, found


def show(found: list[Disagreement], examples: int = 3) -> None:
    """Print the groups with their smallest cases."""
    groups: dict[str, list[Disagreement]] = defaultdict(list)
    for each in found:
        groups[each.group].append(each)
    for name, members in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        print(f"\n{len(members)} x {name}")
        for each in sorted(members, key=lambda one: len(one.case.text) + len(str(one.case.test)))[:examples]:
            test = {k: v for k, v in each.case.test.items() if k not in ("pdf", "page", "id", "type")}
            print(f"    test {json.dumps(test, ensure_ascii=False)}\n    text {each.case.text[:300]!r}")
            print(f"    theirs {each.theirs.why[:120]!r}; ours {each.ours.why[:120]!r}")


def main() -> int:
    """Run, report, and say by the exit code whether everything is explained."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    peers.add_options(parser)
    parser.add_argument("--data", type=Path, required=True, help="folder of bench-sample and bench-vectors")
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--math", type=int, default=1_500, help="how many of the cases are formulas")
    parser.add_argument("--types", nargs="+", default=[*WEIGHTS, "math"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=peers.ROOT / "build" / "differential")
    options = parser.parse_args()
    peer = peers.from_options(options)
    options.out.mkdir(parents=True, exist_ok=True)
    with peers.Judge(peer, options.out / "home") as judge_theirs:
        counts, found = run(options, judge_theirs)
    show(found)
    write_jsonl(options.out / "disagreements.jsonl", [each.to_json() for each in found])
    kinds = Counter(each.kind for each in found)
    explained = ", ".join(f"{name} {count}" for name, count in sorted(kinds.items()))
    print(f"\ncases: {', '.join(f'{kind} {count}' for kind, count in sorted(counts.items()))}")
    print(f"{sum(counts.values())} cases, {len(found)} disagreements" + (f": {explained}" if found else ""))
    return 4 if kinds[UNEXPLAINED] else 0


if __name__ == "__main__":
    sys.exit(main())
