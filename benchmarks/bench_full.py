"""Full-size benchmark: a synthetic set like olmOCR-bench (1,403 pages, 8,413 tests), scored on one core.

    python benchmarks/bench_full.py --out build/full
    python benchmarks/bench_full.py --out build/full --against --peer build/peer     the peer too, without formulas

Cold: empty caches. Warm: the same command again. Memory is the peak of the process tree (PSS). Targets:
20 s cold, 3 s warm, 500 MiB. The peer is timed on the same set without its formula tests (with them it
needs about a second for each of some 15,000 formulas). Exit 4 where a target is missed.
"""

import argparse
import sys
from pathlib import Path

import full_set
import measure
import peer as peers
from bench_sample import compare_scores

from scriptorium.bench.rules import OLMOCR
from scriptorium.bench.scoring import scores


def score(folder: Path, cache: Path, core: int, *more: str) -> measure.Run:
    """One run of our command on a set."""
    command: list[str | Path] = [
        measure.OURS,
        "bench",
        "score",
        folder,
        "--candidate",
        full_set.CANDIDATE,
        *more,
    ]
    return measure.run(command, measure.environment(cache), core)


def made(folder: Path, formulas: bool, seed: int) -> Path:
    """The set, made where it is missing."""
    if not folder.exists():
        half = folder.with_name(folder.name + ".part")
        measure.emptied(half)
        counts = full_set.make(half, seed, formulas)
        print(f"{folder}: {sum(counts.values())} tests: {counts}", file=sys.stderr)
        half.rename(folder)
    return folder


def against(options: argparse.Namespace) -> None:
    """Time the peer and us, cold, on the set without formulas."""
    folder = made(options.out / "plain", False, options.seed)
    peer = peers.from_options(options)
    home = measure.emptied(options.out / "home")
    command: list[str | Path] = [peer.python, "-m", "olmocr.bench.benchmark", "--dir", folder]
    theirs = measure.run(command, peer.environment(home), options.core)
    ours = score(folder, measure.emptied(options.out / "cache"), options.core, *options.more)
    ratio = theirs.seconds / ours.seconds
    print(f"without formulas, cold: ours {ours.seconds:.2f} s, theirs {theirs.seconds:.1f} s: {ratio:.1f} x")
    mine = scores.score(folder, full_set.CANDIDATE, OLMOCR, nulls=False).to_json()
    printed = peers.printed_scores(theirs.output)[full_set.CANDIDATE]
    wrong = compare_scores(mine, printed)
    print(f"the scores of {printed.overall} %: {'equal' if not wrong else 'differ'}", *wrong, sep="\n    ")


def main() -> int:
    """Make the set, time cold and warm runs, compare with the targets."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    peers.add_options(parser)
    parser.add_argument("--out", type=Path, default=peers.ROOT / "build" / "full")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--core", type=int, default=measure.last_core())
    parser.add_argument("--against", action="store_true", help="time the peer on the tests without formulas")
    parser.add_argument("more", nargs="*", help="further options of `scriptorium bench score`, after --")
    options = parser.parse_args()
    folder = made(options.out / "set", True, options.seed)
    cold, warm = [], []
    for _ in range(options.runs):
        cache = measure.emptied(options.out / "cache")
        cold.append(score(folder, cache, options.core, *options.more))
        warm.append(score(folder, cache, options.core, *options.more))
    met = [
        measure.verdict("cold", measure.median(cold), 20.0, "s"),
        measure.verdict("warm", measure.median(warm), 3.0, "s"),
        measure.verdict("memory", max(run.memory for run in cold + warm) / measure.MIB, 500.0, "MiB"),
    ]
    print(f"seconds (of the processor): cold {measure.all_seconds(cold)}; warm {measure.all_seconds(warm)}")
    if options.against:
        against(options)
    return 0 if all(met) else 4


if __name__ == "__main__":
    sys.exit(main())
