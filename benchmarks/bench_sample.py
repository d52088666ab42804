"""Sample benchmark: a real bench folder, the peer's command against ours, and that both say the same.

    python benchmarks/bench_sample.py --folder ../shared/data/bench-sample --peer build/peer --out build/sample

Whole commands, process start included, alternating; medians. Cold: empty formula and verdict caches; warm:
the same again. Ours does all of its usual work (both rule sets, null candidates). Then every verdict under
olmocr-2026.03 is compared with that of the peer's test class, and every score with what its command printed.
Exit 4 where one differs or a target is missed (10 times faster cold, 5 times warm).
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import measure
import peer as peers

RULES = "olmocr-2026.03"
COLD, WARM = 10.0, 5.0


def compare_verdicts(folder: Path, rows: list[dict[str, Any]], judge: peers.Judge) -> list[str]:
    """The tests on which the peer's class and we differ, as lines; every repeat of a page is one text."""
    tests: dict[str, dict[str, Any]] = {}
    for file in sorted(folder.glob("*.jsonl")):
        lines = filter(str.strip, file.read_text(encoding="utf-8").split("\n"))
        tests |= {test["id"]: test for test in map(json.loads, lines)}
    wrong = []
    for row in rows:
        if RULES not in row["rules"]:
            continue
        place = {"pdf": row["pdf"], "page": row["page"], "id": row["id"], "type": row["type"]}
        stem = f"{row['pdf'].removesuffix('.pdf')}_pg{row['page']}_repeat"
        files = sorted((folder / row["candidate"]).glob(f"{stem}*.md"))
        texts = [file.read_text(encoding="utf-8") for file in files]
        outcomes = [judge.judge(tests.get(row["id"], place), text) for text in texts]
        theirs = sum(outcome.passed is True for outcome in outcomes) / len(outcomes)
        ours = row["rules"][RULES]["share"]
        if theirs != ours:
            wrong.append(f"{row['id']}: theirs {theirs:g} {outcomes[0].why[:80]}, ours {ours:g}")
    return wrong


def compare_scores(ours: dict[str, Any], theirs: peers.Scores) -> list[str]:
    """The scores that differ, as lines: overall, per type, per file."""
    mine = ours["rules"][RULES]
    wrong = []
    if theirs.overall is None or f"{mine['overall']:.1f}" != f"{theirs.overall:.1f}":
        wrong.append(f"overall: theirs {theirs.overall}, ours {mine['overall']}")
    files = {name: (each["passed"], each["tests"]) for name, each in mine["categories"].items()}
    if files != theirs.by_file:
        wrong.append(f"files: theirs {theirs.by_file}, ours {files}")
    shares: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for row in ours["rows"]:
        if RULES in row["rules"]:
            counts[row["type"]] += 1
            shares[row["type"]] += row["rules"][RULES]["share"]
    types = {kind: (round(100 * shares[kind] / counts[kind], 1), counts[kind]) for kind in counts}
    if types != theirs.by_type:
        wrong.append(f"types: theirs {theirs.by_type}, ours {types}")
    return wrong


class Sides:
    """The two commands on one folder, each with a cache of its own."""

    def __init__(self, options: argparse.Namespace, peer: peers.Peer) -> None:
        self._peer, self._core = peer, options.core
        self._folder, self._out = options.folder.resolve(), options.out
        self.printed = ""

    def ours(self, cold: bool) -> measure.Run:
        """One run of our command."""
        cache = self._out / "cache"
        if cold:
            measure.emptied(cache)
        command: list[str | Path] = [measure.OURS, "bench", "score", self._folder]
        return measure.run(command, measure.environment(cache), self._core)

    def theirs(self, cold: bool) -> measure.Run:
        """One run of the peer's command."""
        home = self._out / "home"
        if cold:
            measure.emptied(home)
        command: list[str | Path] = [self._peer.python, "-m", "olmocr.bench.benchmark", "--dir", self._folder]
        run = measure.run(command, self._peer.environment(home), self._core)
        self.printed = run.output
        return run


def timed(sides: Sides, runs: int) -> list[bool]:
    """Cold and warm runs of both; whether the targets are met."""
    met = []
    for name, cold, target in (("cold", True, COLD), ("warm", False, WARM)):
        ours, theirs = measure.alternating(runs, lambda c=cold: sides.ours(c), lambda c=cold: sides.theirs(c))  # type: ignore[misc]
        mine, other = measure.median(ours), measure.median(theirs)
        print(f"{name}: ours {mine:.2f} s, theirs {other:.2f} s (medians of {runs})")
        print(
            f"    seconds (of the processor): ours {measure.all_seconds(ours)}; theirs {measure.all_seconds(theirs)}"
        )
        met.append(measure.verdict(f"{name}, times faster", other / mine, target, "x", at_least=True))
    return met


def main() -> int:
    """Time both commands, then compare verdicts and scores."""
    from scriptorium.bench import score

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    peers.add_options(parser)
    parser.add_argument("--folder", type=Path, required=True, help="bench folder with one candidate or more")
    parser.add_argument(
        "--candidate", default="olmocr_pipeline", help="the candidate whose verdicts are compared"
    )
    parser.add_argument("--out", type=Path, default=peers.ROOT / "build" / "sample")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--core", type=int, help="pin both to one core; by default they use them all")
    options = parser.parse_args()
    options.out = options.out.resolve()
    peer = peers.from_options(options)
    sides = Sides(options, peer)
    met = timed(sides, options.runs)
    mine = score(options.folder, options.candidate, RULES, nulls=False).to_json()
    with peers.Judge(peer, options.out / "home", seconds=60.0) as judge:
        wrong = compare_verdicts(options.folder, mine["rows"], judge)
    wrong += compare_scores(mine, peers.printed_scores(sides.printed)[options.candidate])
    print(f"{len(mine['rows'])} verdicts and the scores compared: {len(wrong)} differ", *wrong, sep="\n    ")
    return 0 if all(met) and not wrong else 4


if __name__ == "__main__":
    sys.exit(main())
