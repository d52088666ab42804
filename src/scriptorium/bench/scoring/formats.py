"""Scores as files that others read: JSON, JSONL, CSV, JUnit XML, Markdown, the hub's .eval_results YAML.

Every function gives the whole text; equal scores give equal bytes.
"""

import csv
import io
import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from scriptorium import __version__
from scriptorium.bench.rules import OLMOCR
from scriptorium.bench.scoring.rows import Row, document_of, reason
from scriptorium.bench.scoring.scores import Scores
from scriptorium.errors import ConfigError

if TYPE_CHECKING:
    from scriptorium.bench.scoring.comparison import Comparison

HUB = "allenai/olmOCR-bench"
TASKS = (
    "arxiv_math",
    "headers_footers",
    "long_tiny_text",
    "multi_column",
    "old_scans",
    "old_scans_math",
    "table_tests",
    "baseline",
)
"""The data set of olmOCR-bench on the hub, and its tasks (its eval.yaml) besides `overall`."""

_NOT_XML = "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""Characters that no XML document may hold (XML 1.0, section 2.2). Compiled when used: it takes milliseconds."""

FEW = 10
"""Documents below which a bootstrap over documents has too little to draw from."""

CELL_COLUMNS = ("passed", "counts", "share", "code", "margin", "would_pass_if", "error")


def as_json(scores: Sequence[Scores], comparisons: "Sequence[Comparison]" = ()) -> str:
    """`{"candidates": [scores], "comparisons": [...]}`: what `read_scores` reads."""
    value = {
        "candidates": [each.to_json() for each in scores],
        "comparisons": [each.to_json() for each in comparisons],
    }
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def as_jsonl(scores: Sequence[Scores]) -> str:
    """One line a test and candidate: the rows of the scores."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for each in scores for row in each.rows)


def as_csv(scores: Sequence[Scores]) -> str:
    """One line a test and candidate, with columns `<rule set> passed` and so on; empty where unknown."""
    names = _rule_sets(scores)
    place = ("candidate", "category", "pdf", "page", "id", "type", "state")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*place, *(f"{name} {column}" for name in names for column in CELL_COLUMNS)])
    for each in scores:
        for row in each.rows:
            cells = [row["rules"].get(name, {}).get(column) for name in names for column in CELL_COLUMNS]
            writer.writerow([*(row[key] for key in place), *cells])
    return text.getvalue()


def _rule_sets(scores: Sequence[Scores]) -> list[str]:
    return list(dict.fromkeys(name for each in scores for name in each.rules))


def as_junit(scores: Sequence[Scores]) -> str:
    """JUnit XML: a suite per candidate and rule set, a case per test.

    A test that does not count is a failure; one whose page has no output, or whose judge raised, an error.
    """
    root = ElementTree.Element("testsuites", name="scriptorium bench")
    for each in scores:
        for name in each.rules:
            rows = [row for row in each.rows if name in row["rules"]]
            suite = ElementTree.SubElement(root, "testsuite", name=_xml(f"{each.candidate} ({name})"))
            kinds = [_junit_case(suite, row, name) for row in rows]
            suite.set("tests", str(len(rows)))
            suite.set("failures", str(kinds.count("failure")))
            suite.set("errors", str(kinds.count("error")))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _junit_case(suite: ElementTree.Element, row: Row, rules: str) -> str:
    """Add a test's case; `passed`, `failure` or `error`."""
    cell = row["rules"][rules]
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=_xml(f"{row['candidate']}.{row['category']}.{row['type']}"),
        name=_xml(row["id"]),
        file=_xml(row["pdf"]),
    )
    if cell["counts"]:
        return "passed"
    kind = "error" if "error" in cell or row["state"] in ("missing", "error") else "failure"
    fault = ElementTree.SubElement(case, kind, type=reason(cell), message=_xml(reason(cell)))
    hint = cell.get("error") or (f"would pass if {cell['would_pass_if']}" if cell["would_pass_if"] else "")
    fault.text = _xml(f"{row['pdf']}, page {row['page']}: {reason(cell)}" + (f"; {hint}" if hint else ""))
    return kind


def _xml(text: str) -> str:
    return re.sub(_NOT_XML, "\ufffd", text)


def as_markdown(scores: Sequence[Scores], comparisons: "Sequence[Comparison]" = ()) -> str:
    """A summary for people: overall scores with nulls, coverage, categories, comparisons."""
    names = _rule_sets(scores)
    lines = ["# Bench scores", "", "Percent, with 95 % intervals.", ""]
    lines += _markdown_table(["candidate", *names, "pages", "outputs"], _overall_lines(scores, names))
    for name in names:
        lines += [f"## {name}", ""]
        heads = ["category", "tests", *(each.candidate for each in scores)]
        lines += _markdown_table(heads, category_lines(scores, name))
    for each in scores:
        lines += [f"- {_markdown(line)}" for line in remarks(each)]
    lines += [f"- {_markdown(line)}" for each in comparisons for line in comparison_lines(each)]
    return "\n".join(lines).rstrip() + "\n"


def _overall_lines(scores: Sequence[Scores], names: list[str]) -> list[list[str]]:
    lines = [
        [each.candidate, *(scored(each.rules[name]) for name in names), str(each.pages), coverage(each)]
        for each in scores
    ]
    nulls = scores[0].nulls
    return lines + [
        [f"({null})", *(f"{found[name]['overall']:.1f}" for name in names), "", ""]
        for null, found in nulls.items()
    ]


def scored(summary: dict[str, Any]) -> str:
    """A score with its interval, as people read it."""
    low, high = summary["interval"]
    return f"{summary.get('overall', summary.get('score')):.1f} [{low:.1f}, {high:.1f}]"


def coverage(scores: Scores) -> str:
    """Outputs by state: `1400 ok, 3 missing`."""
    return ", ".join(f"{count} {state}" for state, count in scores.states.items() if count)


def category_lines(scores: Sequence[Scores], rules: str) -> list[list[str]]:
    """Category, tests, and the score of each candidate in it; those set apart last, and said to be so."""
    lines = []
    for part, note in (("categories", ""), ("apart", " (apart)")):
        for category, cell in scores[0].rules[rules][part].items():
            row = [each.rules[rules][part].get(category) for each in scores]
            found = [scored(each) if each else "" for each in row]
            lines.append([category + note, str(cell["tests"]), *found])
    return lines


def remarks(scores: Scores) -> list[str]:
    """What else is to be said of a candidate's scores, one sentence each."""
    lines = []
    if scores.incomplete:
        listed = ", ".join(f"{page} ({state})" for page, state in list(scores.incomplete.items())[:10])
        more = ", ..." if len(scores.incomplete) > 10 else ""
        lines.append(
            f"{len(scores.incomplete)} of {scores.pages} pages have no output; their tests fail: {listed}{more}"
        )
    if scores.differences:
        lines.append(f"the rule sets differ on {len(scores.differences)} of {scores.tests} tests")
    for name, summary in scores.rules.items():
        if repeats := summary["repeats"]:
            k = str(repeats["least"])
            lines.append(
                f"repeats, {name}: mean {repeats['mean']:.1f}, majority {repeats['majority']:.1f},"
                f" pass@{k} {repeats['pass_at'][k]:.1f}, all {k} {repeats['all_of'][k]:.1f},"
                f" flaky {repeats['flaky']:.1f}"
            )
    documents = len({document_of(row["pdf"]) for row in scores.rows})
    if documents < FEW:
        lines.append(f"{documents} documents are too few for intervals and p to mean much")
    if scores.rejected:
        lines.append(f"{scores.rejected} tests that reviewers rejected are left out")
    return [f"{scores.candidate}: {line}" for line in [*lines, *scores.warnings]]


def comparison_lines(comparison: "Comparison") -> list[str]:
    """One sentence a rule set: the difference, its interval and p, tests gained and lost by reason."""
    return [
        f"{comparison.a} less {comparison.b}, {name}: {_difference(found)}; gained {_by_reason(found['gained'])};"
        f" lost {_by_reason(found['lost'])}; differences from {found['detectable']:.1f} on would mostly be found"
        for name, found in comparison.rules.items()
    ]


def _difference(found: dict[str, Any]) -> str:
    overall = found["overall"]
    low, high = overall["interval"]
    adjusted = f", {overall['p_holm']:.4f} by Holm" if "p_holm" in overall else ""
    return f"{overall['difference']:+.1f} [{low:+.1f}, {high:+.1f}], p = {overall['p']:.4f}{adjusted}"


def _by_reason(tests: dict[str, list[str]]) -> str:
    total = sum(len(ids) for ids in tests.values())
    parts = ", ".join(f"{code} {len(ids)}" for code, ids in tests.items())
    return f"{total} tests ({parts})" if total else "none"


def _markdown_table(heads: list[str], lines: list[list[str]]) -> list[str]:
    rows = [heads, ["---"] * len(heads), *lines]
    return [f"| {' | '.join(_markdown(cell) for cell in row)} |" for row in rows] + [""]


def _markdown(text: str) -> str:
    return re.sub(r"([|\\<*_`])", r"\\\1", text.replace("\n", " "))


def as_eval_results(scores: Sequence[Scores]) -> str:
    """The hub's `.eval_results/*.yaml` of one candidate under olmocr-2026.03.

    Raises ConfigError for several candidates, or scores under other rules alone.
    """
    import yaml

    if len(scores) != 1 or OLMOCR not in scores[0].rules:
        raise ConfigError(f"--eval-results: it holds one candidate's scores under {OLMOCR}; name them")
    found = scores[0].rules[OLMOCR]
    if others := [task for task in found["categories"] if task not in TASKS]:
        raise ConfigError(f"--eval-results: it is for {HUB}, which has no category {', '.join(others)}")
    lacking = [task for task in TASKS if task not in found["categories"]]
    part = f"; without {', '.join(lacking)}" if lacking else ""
    values = {
        name: (each["score"], each["interval"], each["tests"]) for name, each in found["categories"].items()
    }
    total = sum(tests for _, _, tests in values.values())
    values = {"overall": (found["overall"], found["interval"], total)} | values
    rows = [
        {
            "dataset": {"id": HUB, "task_id": task},
            "value": value,
            "notes": f"scriptorium {__version__}, rules {OLMOCR}, revision {scores[0].revision}; {tests} tests,"
            f" 95 % interval {low} to {high}" + (part if task == "overall" else ""),
        }
        for task, (value, (low, high), tests) in values.items()
    ]
    return yaml.safe_dump(rows, sort_keys=False, allow_unicode=True, width=1000)
