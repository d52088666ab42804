"""`scriptorium bench score` and `compare`: what a person runs on candidates."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scriptorium.errors import ConfigError, PartialError, ThresholdError

if TYPE_CHECKING:
    from scriptorium.bench.scoring.comparison import Comparison
    from scriptorium.bench.scoring.scores import Scores

Folder = Annotated[Path, typer.Argument(help="Bench folder (*.jsonl, pdfs/, CANDIDATE/) or a *.jsonl of it.")]
Rules = Annotated[list[str] | None, typer.Option(help="Rule set, may be repeated; all by default.")]
Profile = Annotated[str, typer.Option(help="drop-headers, or keep-headers: their tests are reported apart.")]
Category = Annotated[list[str] | None, typer.Option(help="Only this category, may be repeated.")]
NoBaseline = Annotated[bool, typer.Option("--skip-baseline", help="Leave out tests of the type baseline.")]
Jobs = Annotated[int, typer.Option(min=1, help="Processes.")]
Nulls = Annotated[bool, typer.Option("--nulls/--no-nulls", help="Score the null candidates too.")]
Cached = Annotated[bool, typer.Option("--cache/--no-cache", help="Use verdicts found before.")]
Json = Annotated[Path | None, typer.Option("--json", help="Write everything as JSON.")]
Markdown = Annotated[Path | None, typer.Option(help="Write a summary in Markdown.")]


def score(
    folder: Folder,
    candidate: Annotated[
        list[str] | None, typer.Option(help="A folder in FOLDER, may be repeated; all by default.")
    ] = None,
    rules: Rules = None,
    profile: Profile = "drop-headers",
    category: Category = None,
    skip_baseline: NoBaseline = False,
    json: Json = None,
    jsonl: Annotated[Path | None, typer.Option(help="Write one line a test.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write one line a test.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML.")] = None,
    markdown: Markdown = None,
    eval_results: Annotated[Path | None, typer.Option(help="Write the hub's .eval_results YAML.")] = None,
    fail_under: Annotated[float | None, typer.Option(help="Exit 4 if an overall score is below.")] = None,
    against: Annotated[
        str, typer.Option(help="A candidate, or a file of --json (of one, or of the same name).")
    ] = "",
    max_drop: Annotated[
        float, typer.Option(min=0, help="Exit 4 if worse than --against by more than this.")
    ] = 0.0,
    strict_coverage: Annotated[
        bool, typer.Option("--strict-coverage", help="Refuse candidates with a page that is not ok.")
    ] = False,
    nulls: Nulls = True,
    jobs: Jobs = 1,
    cache: Cached = True,
) -> None:
    """Score candidates' Markdown against a bench's tests.

    Exit code 3: a candidate lacks pages (their tests count as failed). Exit code 4: under --fail-under, or
    worse than --against by more than --max-drop, by scriptorium-1 (or by the one rule set that is named).
    """
    from scriptorium.bench.scoring import formats
    from scriptorium.bench.scoring.terminal import show
    from scriptorium.files import write_text

    if fail_under is not None and not (fail_under == 0 or 1 <= fail_under <= 100):
        raise ConfigError(f"--fail-under {fail_under}: must be a percentage: 80, not 0.8")
    if max_drop and not against:
        raise ConfigError(
            f"--max-drop {max_drop:g}: give --against too, the candidate or file to compare with"
        )
    scorer = Scorer.of(folder, rules, profile, category, skip_baseline, nulls, jobs, cache)
    scores = [scorer.score(name) for name in candidate or scorer.candidates()]
    if strict_coverage:
        refuse_uncovered(scores)
    comparisons = compared(scorer, scores, against)
    writers: dict[Path | None, Callable[[], str]] = {
        json: lambda: formats.as_json(scores, comparisons),
        jsonl: lambda: formats.as_jsonl(scores),
        csv: lambda: formats.as_csv(scores),
        junit: lambda: formats.as_junit(scores),
        markdown: lambda: formats.as_markdown(scores, comparisons),
        eval_results: lambda: formats.as_eval_results(scores),
    }
    for path, text in writers.items():
        if path is not None:
            write_text(path, text())
    show(scores, comparisons)
    hold_to(scores, comparisons if against else [], fail_under, max_drop)


def compare(
    folder: Folder,
    names: Annotated[
        list[str] | None, typer.Argument(help="Candidates in FOLDER, or files of --json; all by default.")
    ] = None,
    rules: Rules = None,
    profile: Profile = "drop-headers",
    category: Category = None,
    skip_baseline: NoBaseline = False,
    json: Json = None,
    markdown: Markdown = None,
    jobs: Jobs = 1,
    cache: Cached = True,
) -> None:
    """Compare candidates pair by pair on the same tests: difference, interval, p, tests gained and lost.

    Exit code 3: a candidate lacks pages (their tests count as failed).
    """
    from scriptorium.bench.scoring import formats
    from scriptorium.bench.scoring.comparison import compare_all
    from scriptorium.bench.scoring.terminal import show
    from scriptorium.files import write_text

    scorer = Scorer.of(folder, rules, profile, category, skip_baseline, False, jobs, cache)
    names = names or scorer.candidates()
    if len(names) < 2:
        raise ConfigError(f"{folder}: a comparison needs two candidates; found {', '.join(names) or 'none'}")
    scores = [scorer.other(name) for name in names]
    comparisons = compare_all(scores)
    if json:
        write_text(json, formats.as_json(scores, comparisons))
    if markdown:
        write_text(markdown, formats.as_markdown(scores, comparisons))
    show(scores, comparisons)
    hold_to(scores, [], None, 0.0)


@dataclass(frozen=True)
class Scorer:
    """Scores candidates of one bench, which is loaded once, all in the same way."""

    folder: Path
    score: "Callable[[str], Scores]"

    @classmethod
    def of(
        cls,
        folder: Path,
        rules: list[str] | None,
        profile: str,
        category: list[str] | None,
        skip_baseline: bool,
        nulls: bool,
        jobs: int,
        cache: bool,
    ) -> "Scorer":
        """Load the bench. Raises InputError, TestError, ConfigError."""
        from scriptorium.bench.folder import load_bench
        from scriptorium.bench.outputs import read_candidate
        from scriptorium.bench.rules import RULES
        from scriptorium.bench.scoring.scores import only, score_outputs
        from scriptorium.bench.scoring.verdict_cache import VerdictCache

        bench = only(load_bench(folder), category or (), skip_baseline)
        kept = VerdictCache.usual() if cache else VerdictCache(None)

        def score_one(name: str) -> "Scores":
            outputs = read_candidate(bench.root, name)
            return score_outputs(
                bench, outputs, name, rules or RULES, profile=profile, jobs=jobs, nulls=nulls, cache=kept
            )

        return cls(bench.root, score_one)

    def candidates(self) -> list[str]:
        """The candidates of the folder. Raises ConfigError if there is none."""
        from scriptorium.bench.folder import candidates

        found = candidates(self.folder)
        if not found:
            raise ConfigError(
                f"{self.folder}: no candidate in it: a folder with <pdf>_pg<page>_repeat<n>.md files"
            )
        return found

    def other(self, name: str, candidate: str = "") -> "Scores":
        """The scores of a candidate, or those in a file of --json: the only ones, or those of `candidate`."""
        from scriptorium.bench.scoring.scores import read_scores

        return read_scores(Path(name), candidate) if name.endswith(".json") else self.score(name)


def compared(scorer: Scorer, scores: "list[Scores]", against: str) -> "list[Comparison]":
    """Each of the scores with those of `against`, or every pair of them if it is empty."""
    if len(scores) < 2 and not against:
        return []
    from scriptorium.bench.scoring.comparison import compare, compare_all  # here: numpy is slow to load

    if not against:
        return compare_all(scores)
    return [compare(each, scorer.other(against, each.candidate)) for each in scores]


def refuse_uncovered(scores: "list[Scores]") -> None:
    """Raises PartialError if a candidate has an output that is not ok."""
    from scriptorium.bench.scoring.formats import coverage

    bad = [each for each in scores if each.states["ok"] < sum(each.states.values())]
    if bad:
        said = "; ".join(f"{each.candidate}: {coverage(each)}" for each in bad)
        raise PartialError(f"--strict-coverage: not every page is ok: {said}")


def hold_to(
    scores: "list[Scores]", comparisons: "list[Comparison]", fail_under: float | None, max_drop: float
) -> None:
    """Raises PartialError for candidates that lack pages, ThresholdError for scores that are too low."""
    from scriptorium.bench.rules import STRICT

    lacking = [each for each in scores if each.incomplete]
    if lacking:
        said = ", ".join(f"{each.candidate} ({len(each.incomplete)} of {each.pages})" for each in lacking)
        raise PartialError(f"pages without output count as failed: {said}")
    for each in scores:
        name = STRICT if STRICT in each.rules else next(iter(each.rules))
        overall = each.rules[name]["overall"]
        if fail_under is not None and overall < fail_under:
            raise ThresholdError(f"{each.candidate}: {overall:.2f} by {name} is below {fail_under:g}")
    for comparison in comparisons:
        name = STRICT if STRICT in comparison.rules else next(iter(comparison.rules))
        drop = -comparison.rules[name]["overall"]["difference"]
        if drop > max_drop:
            raise ThresholdError(
                f"{comparison.a}: {drop:.2f} worse than {comparison.b} by {name}, more than {max_drop:g}"
            )
