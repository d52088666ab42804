"""The report as one HTML file: everything inline, nothing fetched, no script."""

from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from scriptorium.files import write_text
from scriptorium.report.charts import Interval, interval_chart
from scriptorium.report.corpus import read_corpus
from scriptorium.report.curves import curves
from scriptorium.report.lineage import NAMES, draw
from scriptorium.report.results import RunRecord, read_costs, read_json, read_runs, read_splits
from scriptorium.report.samples import choose_pages, choose_readers, sample

OURS = "scriptorium-1"
"""The rule set that the drawings and sample pages go by, where a run was measured by it."""

PAGES, READERS, CORPUS_PAGES = 4, 4, 4
"""Sample pages of the bench, the runs shown on each, and sample pages of the corpus."""

TEMPLATE = Path(__file__).with_name("template.html")


def write_report(results: Path, names: list[str], pages: Path | None, corpus: str | None, out: Path) -> None:
    """Write the report of the runs `names` in the folder `results`, and of what they descend from, to `out`.

    `pages` is the folder of the bench (for sample pages), `corpus` the name of a converted corpus. Equal results
    give equal bytes. Raises InputError for a run that is not there or a file that is damaged.
    """
    runs = read_runs(results, names)
    measured = [run for run in runs.values() if run.bench]
    rule_sets = list(dict.fromkeys(rules for run in measured for rules in run.bench["scores"]))
    rules = OURS if OURS in rule_sets or not rule_sets else rule_sets[0]
    splits = read_splits(results, runs)
    context = {
        "recipe": read_json(results / "recipe.json").get("recipe") or _recipe(runs),
        "rules": rules,
        "rule_sets": rule_sets,
        "names": NAMES,
        "runs": list(runs.values()),
        "measured": measured,
        "best": max(measured, key=lambda run: run.bench["scores"][rules]["overall"], default=None),
        "lineage": draw(splits, runs, rules),
        "splits": list(splits.values()),
        "score_chart": score_chart(measured, rule_sets),
        "categories": {one: categories(measured, one) for one in rule_sets},
        "kin": kin(measured, rule_sets),
        "curves": curves(list(runs.values())),
        "samples": samples(measured, pages, rules),
        "corpus": read_corpus(results, corpus, CORPUS_PAGES) if corpus else None,
        "costs": read_costs(results),
    }
    write_text(out, environment().from_string(TEMPLATE.read_text(encoding="utf-8")).render(context))


def environment() -> jinja2.Environment:
    """Jinja with everything escaped that is not markup of ours, and the report's number formats."""
    made = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters |= {
        "duration": duration,
        "size": size,
        "signed": signed,
        "count": lambda value: f"{value:,}",
    }
    return made


def _recipe(runs: dict[str, RunRecord]) -> str:
    return next((run.stage["recipe"] for run in runs.values() if run.stage.get("recipe")), "unknown")


def score_chart(measured: list[RunRecord], rule_sets: list[str]) -> Markup:
    """Overall scores with intervals, a row for each run, a dot for each rule set."""
    rows = [(run.name, [_interval(run.score(rules)) for rules in rule_sets]) for run in measured]
    return interval_chart(rows, 0, 100)


def _interval(scores: dict[str, Any] | None) -> Interval | None:
    return Interval(scores["overall"], *scores["interval"]) if scores else None


def categories(measured: list[RunRecord], rules: str) -> dict[str, Any]:
    """The table of one rule set: its categories, and a row for each run with a cell for each of them."""
    scored = [(run.name, run.score(rules)) for run in measured]
    rows = [(name, scores) for name, scores in scored if scores]
    known = dict.fromkeys(category for _, scores in rows for category in scores["categories"])
    return {"names": list(known), "rows": rows}


def kin(measured: list[RunRecord], rule_sets: list[str]) -> list[dict[str, Any]]:
    """For each run that was compared with others: a chart, and a row for each relative."""
    found = []
    for run in measured:
        relatives = run.bench.get("relatives") or {}
        if not relatives:
            continue
        rows = [
            {"name": name, "relation": one["relation"], "differences": one["difference"]}
            for name, one in relatives.items()
        ]
        ends = [abs(end) for row in rows for each in row["differences"].values() for end in each["interval"]]
        reach = max([*ends, 1.0]) * 1.05
        drawn = [
            (row["name"], [_difference(row["differences"].get(one)) for one in rule_sets]) for row in rows
        ]
        chart = interval_chart(drawn, -reach, reach, zero=True)
        found.append({"run": run.name, "rows": rows, "chart": chart})
    return found


def _difference(found: dict[str, Any] | None) -> Interval | None:
    return Interval(found["mean"], *found["interval"]) if found else None


def samples(measured: list[RunRecord], pages: Path | None, rules: str) -> list[Any]:
    """Sample pages of the bench, by what the last run made of them; none without the bench's folder."""
    readers = choose_readers(measured, READERS)
    if pages is None or not readers:
        return []
    chosen = choose_pages(readers[-1], rules, PAGES)
    found = [sample(pages, page, readers, rules) for page in chosen]
    return [one for one in found if one]


def duration(seconds: float) -> str:
    """Seconds in words: 0.4 s, 12 s, 3 min 20 s, 5 h 7 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def signed(points: float) -> str:
    """A difference with its sign: +1.2, −0.4."""
    return f"{points:+.1f}".replace("-", "−")


def size(count: float) -> str:
    """Bytes in words, in powers of a thousand."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
