"""Scoring a candidate's texts on a bench: every test's verdict, and what they come to under each rule set."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from scriptorium.bench.folder import Bench, load_bench
from scriptorium.bench.outputs import FAILED, STATES, Output, Outputs, read_candidate
from scriptorium.bench.revision import REVISION
from scriptorium.bench.rules import RULES, check_rules
from scriptorium.bench.scoring.judging import Judged, judge_outputs
from scriptorium.bench.scoring.nulls import null_scores
from scriptorium.bench.scoring.rows import PROFILES, Row, differs, make_rows, state_of
from scriptorium.bench.scoring.verdict_cache import VerdictCache
from scriptorium.errors import ConfigError, InputError


@dataclass(frozen=True)
class Scores:
    """What a candidate scored on a bench.

    `rules`: per rule set `overall`, `interval`, `categories`, `types`, `apart`, `repeats` (percentages).
    `states`: outputs by state. `incomplete`: page id to state, of pages with an output that is missing or
    could not be read. `differences`: ids of the tests that count under one rule set and not under another.
    `nulls`: what texts score that no tool read. `rejected`: tests left out, since a reviewer rejected them.
    """

    candidate: str
    rules: dict[str, dict[str, Any]]
    states: dict[str, int]
    incomplete: dict[str, str]
    rows: list[Row]
    differences: list[str]
    nulls: dict[str, dict[str, dict[str, Any]]]
    pages: int
    profile: str
    rejected: int = 0
    warnings: list[str] = field(default_factory=list)
    revision: int = REVISION

    @property
    def tests(self) -> int:
        """How many tests there are."""
        return len(self.rows)

    def to_json(self) -> dict[str, Any]:
        """All of it as values of JSON; `rows` last."""
        value = {**asdict(self), "tests": self.tests}
        return {**{key: each for key, each in value.items() if key != "rows"}, "rows": self.rows}


def read_scores(path: Path, candidate: str = "") -> Scores:
    """Scores from a file that `scriptorium bench score --json` wrote: the only ones, or `candidate`'s of several.

    Raises InputError for anything else.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["candidates"]
        named = [each for each in found if len(found) == 1 or each["candidate"] == candidate]
        if named:
            return Scores(**{key: value for key, value in named[0].items() if key != "tests"})
        names = ", ".join(each["candidate"] for each in found)
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: not the scores that `scriptorium bench score --json` writes: {error!r}"
        ) from error
    raise InputError(f"{path}: holds the scores of {names or 'nobody'}, not of {candidate or 'one'}")


def score(
    folder: Path | str,
    candidate: str,
    rules: str | Sequence[str] = RULES,
    *,
    profile: str = "drop-headers",
    categories: Sequence[str] = (),
    skip_baseline: bool = False,
    jobs: int = 1,
    nulls: bool = True,
    cache: VerdictCache | None = None,
    explain: bool = True,
) -> Scores:
    """The scores of a candidate of a bench folder (or of one of its `*.jsonl`) under one or more rule sets.

    `categories`: only these, all by default. `skip_baseline`: without any test of that type. `jobs`:
    processes. `nulls`: score the null candidates too. `cache`: where verdicts are kept, by default the usual
    place. `explain`: say of failed tests what would have passed. Raises InputError, TestError, ConfigError.
    """
    bench = only(load_bench(folder), categories, skip_baseline)
    return score_outputs(
        bench,
        read_candidate(bench.root, candidate),
        candidate,
        rules,
        profile=profile,
        jobs=jobs,
        nulls=nulls,
        cache=cache,
        explain=explain,
    )


def only(bench: Bench, categories: Sequence[str] = (), skip_baseline: bool = False) -> Bench:
    """The bench with the tests of some categories alone (all if none is named), or without baseline tests.

    Raises ConfigError for a category that is not there, or where no test is left.
    """
    known = sorted({category for tests in bench.pages.values() for category, _ in tests})
    for name in categories:
        if name not in known:
            raise ConfigError(f"{name!r} is no category of the bench; there are {', '.join(known)}")
    if not categories and not skip_baseline:
        return bench
    left = bench.only(set(categories or known), {"baseline"} if skip_baseline else set())
    if not left.pages:
        raise ConfigError(f"{bench.root}: no test is left to score")
    return left


def score_outputs(
    bench: Bench,
    outputs: Outputs,
    candidate: str,
    rules: str | Sequence[str] = RULES,
    *,
    profile: str = "drop-headers",
    jobs: int = 1,
    nulls: bool = True,
    cache: VerdictCache | None = None,
    explain: bool = True,
) -> Scores:
    """The scores of outputs at hand: see `score`."""
    names = (rules,) if isinstance(rules, str) else tuple(rules)
    check_rules(names)
    if profile not in PROFILES:
        raise ConfigError(f"{profile!r} is no profile; there are {', '.join(PROFILES)}")
    cache = cache or VerdictCache.usual()
    judged = judge_outputs(bench, outputs, names, cache=cache, jobs=jobs, explain=explain, what=candidate)
    rows = make_rows(bench, judged, candidate)
    counts = Counter(state_of(page, output, bench) for page, each in judged.items() for output, _ in each)
    return Scores(
        candidate=candidate,
        rules=_summaries(rows, names, profile, cache),
        states={state: counts[state] for state in STATES},
        incomplete=_incomplete(judged),
        rows=rows,
        differences=[row["id"] for row in rows if differs(row)],
        nulls=null_scores(bench, names, profile, cache, jobs) if nulls else {},
        pages=len(bench.pages),
        profile=profile,
        rejected=bench.rejected,
        warnings=_warnings(bench, outputs),
    )


def _summaries(
    rows: list[Row], names: tuple[str, ...], profile: str, cache: VerdictCache
) -> dict[str, dict[str, Any]]:
    """Rule set to what the rows come to, kept for rows that are the same."""
    key = cache.key(["summaries", names, profile, rows])
    if kept := cache.read([key]).get(key):
        return dict(kept)
    from scriptorium.bench.scoring.summary import summarise  # here: numpy is slow to load

    found = {name: summarise(rows, name, profile) for name in names}
    cache.write({key: found})
    return found


def _incomplete(judged: dict[str, list[tuple[Output, Judged]]]) -> dict[str, str]:
    return {
        page: next(output.state for output, _ in each if output.state in FAILED)
        for page, each in judged.items()
        if any(output.state in FAILED for output, _ in each)
    }


def _warnings(bench: Bench, outputs: Outputs) -> list[str]:
    """What is odd about outputs and is no reason to stop."""
    stems = {pdf.removesuffix(".pdf") for pdf in bench.pdfs}
    untested = [page for page in outputs if page not in bench.pages and page.partition("#")[0] in stems]
    unknown = [page for page in outputs if page not in bench.pages and page.partition("#")[0] not in stems]
    sidecars = [
        output.sidecar["sidecar_error"]
        for each in outputs.values()
        for output in each
        if "sidecar_error" in output.sidecar
    ]
    said = ((untested, "outputs of pages without a test"), (unknown, "outputs of no PDF of the bench"))
    lines = [f"{len(each)} {what}: {_first(each)}" for each, what in said if each]
    return lines + ([f"{len(sidecars)} sidecars that cannot be read: {_first(sidecars)}"] if sidecars else [])


def _first(names: list[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
