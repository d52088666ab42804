"""The first page of the report: the scores as tables that need no script and can be printed."""

from html import escape
from typing import Any

from scriptorium.bench.html_report.page_data import Results
from scriptorium.bench.outputs import STATES, page_id
from scriptorium.bench.revision import REVISION
from scriptorium.bench.rules import OLMOCR, STRICT
from scriptorium.bench.scoring.rows import Row
from scriptorium.bench.scoring.scores import Scores
from scriptorium.pages.view import pages_link

ABOUT = {
    OLMOCR: "The verdicts of olmOCR-bench to the letter, its faults included: for comparison with published scores",
    STRICT: "The verdicts that a reader of the page would give: for development and rewards",
}

LISTED = 100
"""Tests on which the rule sets differ that are listed for each candidate; the pages have all of them."""

WHISKER = 150
"""Width in pixels of the line from 0 to 100 %."""


def scores_page(results: Results) -> str:
    """The HTML of the scores: per rule set, states, types, repeats, and where the rule sets differ."""
    parts = [_opening(results), *(_rules_section(results, name) for name in results.rules)]
    parts += [_states(results), _types(results), _repeats(results), _differences(results), _warnings(results)]
    return "\n".join(part for part in parts if part)


def _opening(results: Results) -> str:
    first = results.scores[0]
    facts = [
        _many(len(results.scores), "candidate"),
        _many(first.pages, "page"),
        _many(first.tests, "test"),
        f"profile {escape(first.profile)}",
        f"revision {REVISION} of the scorer",
    ]
    if first.rejected:
        facts.append(f"{_many(first.rejected, 'test')} left out that reviewers rejected")
    return f'<p class="facts">{" · ".join(facts)}</p>'


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _rules_section(results: Results, name: str) -> str:
    apart = {category for each in results.scores for category in each.rules[name]["apart"]}
    inside = {category for each in results.scores for category in each.rules[name]["categories"]}
    categories = [*sorted(inside), *sorted(apart)]
    heads = "".join(
        f'<th scope="col">{escape(category.replace("_", " "))}{" (apart)" if category in apart else ""}</th>'
        for category in categories
    )
    rows = [_candidate_row(each, name, categories) for each in results.scores]
    rows += _null_rows(results.scores[0], name, categories)
    return (
        f'<section><h2>{escape(name)}</h2><p class="soft">{escape(ABOUT.get(name, ""))}.'
        " Percent of tests passed; intervals hold 95 %.</p>"
        '<div class="wide"><table class="numbers"><thead><tr><th scope="col">Candidate</th>'
        f'<th scope="col">Overall</th><th scope="col" class="scale">0 to 100</th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _candidate_row(scores: Scores, name: str, categories: list[str]) -> str:
    summary = scores.rules[name]
    each = summary["apart"] | summary["categories"]
    said = {"rules": name, "a": scores.candidate}
    cells = "".join(
        f"<td>{pages_link(_number(each[category]), **said, category=category, outcome='failed')}</td>"
        if category in each
        else '<td class="soft">–</td>'
        for category in categories
    )
    return (
        f'<tr><th scope="row">{pages_link(escape(scores.candidate), **said)}</th>'
        f"<td>{_number({'score': summary['overall'], 'interval': summary['interval']}, strong=True)}</td>"
        f'<td class="scale">{_whisker(summary["overall"], summary["interval"])}</td>{cells}</tr>'
    )


def _number(each: dict[str, Any], strong: bool = False) -> str:
    low, high = each["interval"]
    title = f"{each['passed']} of {each['tests']} tests" if "tests" in each else "mean of the categories"
    shown = f"{each['score']:.1f}"
    return (
        f'<span class="score" title="{title}">{f"<strong>{shown}</strong>" if strong else shown}</span>'
        f'<span class="interval">{low:.1f}–{high:.1f}</span>'
    )


def _whisker(score: float, interval: list[float] | None = None) -> str:
    """A dot on a line from 0 to 100, with the interval as a bar."""
    at = [4 + (WHISKER - 8) * value / 100 for value in (score, *(interval or ()))]
    bar = f'<line class="bar" x1="{at[1]:.1f}" x2="{at[2]:.1f}" y1="8" y2="8"/>' if interval else ""
    return (
        f'<svg width="{WHISKER}" height="16" role="img" aria-label="{score:.1f} of 100">'
        f'<line class="base" x1="4" x2="{WHISKER - 4}" y1="8" y2="8"/>{bar}'
        f'<circle cx="{at[0]:.1f}" cy="8" r="4"/></svg>'
    )


def _null_rows(scores: Scores, name: str, categories: list[str]) -> list[str]:
    rows = []
    for null, found in scores.nulls.items():
        each = found[name]
        cells = "".join(
            f"<td>{each['categories'][category]:.1f}</td>" if category in each["categories"] else "<td>–</td>"
            for category in categories
        )
        rows.append(
            f'<tr class="null"><th scope="row" title="no tool read this">no reading: {escape(null)}</th>'
            f'<td>{each["overall"]:.1f}</td><td class="scale">{_whisker(each["overall"])}</td>{cells}</tr>'
        )
    return rows


def _states(results: Results) -> str:
    heads = "".join(f'<th scope="col">{state}</th>' for state in STATES)
    rows = "".join(
        f'<tr><th scope="row">{escape(each.candidate)}</th>'
        + "".join(f"<td>{each.states.get(state, 0):,}</td>" for state in STATES)
        + "</tr>"
        for each in results.scores
    )
    return (
        '<section><h2>Outputs</h2><p class="soft">Pages without an output, or with one that could not be '
        "read, fail all their tests.</p>"
        f'<table class="numbers"><thead><tr><th scope="col">Candidate</th>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></section>"
    )


def _types(results: Results) -> str:
    kinds = sorted(
        {kind for each in results.scores for name in results.rules for kind in each.rules[name]["types"]}
    )
    columns = [(each, name) for each in results.scores for name in results.rules]
    tops = "".join(
        f'<th scope="colgroup" colspan="{len(results.rules)}">{escape(each.candidate)}</th>'
        for each in results.scores
    )
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for _, name in columns)
    rows = []
    for kind in kinds:
        found = [each.rules[name]["types"].get(kind) for each, name in columns]
        tests = max(each["tests"] for each in found if each)
        cells = "".join(
            f"<td>{pages_link(format(each['score'], '.1f'), rules=name, a=scores.candidate, type=kind)}</td>"
            if each
            else "<td>–</td>"
            for each, (scores, name) in zip(found, columns, strict=True)
        )
        rows.append(
            f'<tr><th scope="row">{escape(kind.replace("_", " "))}</th><td>{tests:,}</td>{cells}</tr>'
        )
    return (
        '<section><h2>Types of test</h2><div class="wide"><table class="numbers"><thead>'
        f'<tr><th></th><th></th>{tops}</tr><tr><th scope="col">Type</th><th scope="col">Tests</th>{heads}</tr>'
        f"</thead><tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _repeats(results: Results) -> str:
    rows = []
    for each in results.scores:
        for name in results.rules:
            found = each.rules[name]["repeats"]
            if found:
                k = max(found["pass_at"], key=int)
                values = (
                    found["mean"],
                    found["majority"],
                    found["pass_at"][k],
                    found["all_of"][k],
                    found["flaky"],
                )
                cells = "".join(f"<td>{value:.1f}</td>" for value in values)
                rows.append(
                    f'<tr><th scope="row">{escape(each.candidate)}</th><td>{escape(name)}</td><td>{k}</td>{cells}</tr>'
                )
    if not rows:
        return ""
    heads = ("Candidate", "Rules", "k", "mean", "majority", "pass@k", "all of k", "flaky tests")
    return (
        '<section><h2>Repeats</h2><table class="numbers"><thead><tr>'
        + "".join(f'<th scope="col">{head}</th>' for head in heads)
        + f"</tr></thead><tbody>{''.join(rows)}</tbody></table></section>"
    )


def _differences(results: Results) -> str:
    if len(results.rules) < 2:
        return ""
    parts = [
        '<section><h2>Where the rule sets differ</h2><p class="soft">Tests that count as passed under one '
        "rule set and not under another.</p>"
    ]
    for scores, rows in zip(results.scores, results.rows, strict=True):
        found = [rows[test] for test in scores.differences]
        link = pages_link("all on their pages", a=scores.candidate, outcome="differ") if found else ""
        parts.append(f"<h3>{escape(scores.candidate)}: {_many(len(found), 'test')} {link}</h3>")
        if found:
            parts.append(_difference_table(results, scores, found[:LISTED]))
        if len(found) > LISTED:
            parts.append(f'<p class="soft">{len(found) - LISTED:,} more are not listed here.</p>')
    return "".join(parts) + "</section>"


def _difference_table(results: Results, scores: Scores, rows: list[Row]) -> str:
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in results.rules)
    lines = []
    for row in rows:
        page = page_id(row["pdf"], row["page"])
        said = {"a": scores.candidate, "page": page, "test": row["id"]}
        cells = "".join(_outcome(row["rules"].get(name)) for name in results.rules)
        lines.append(
            f"<tr><td>{pages_link(escape(row['id']), **said)}</td><td>{escape(row['type'])}</td>{cells}</tr>"
        )
    return (
        f'<div class="wide"><table class="list"><thead><tr><th scope="col">Test</th><th scope="col">Type</th>{heads}'
        f"</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _outcome(cell: dict[str, Any] | None) -> str:
    if cell is None:
        return '<td class="soft">–</td>'
    word, glyph = {True: ("passed", "✓"), False: ("failed", "✗"), None: ("undecided", "?")}[cell["passed"]]
    kind = "uncounted" if cell["passed"] and not cell["counts"] else word
    reason = "passed, not counted" if kind == "uncounted" else cell["code"].replace("_", " ")
    return f'<td><span class="glyph {kind}">{glyph}</span> {escape(reason)}</td>'


def _warnings(results: Results) -> str:
    lines = "".join(
        f"<li>{escape(each.candidate)}: {escape(line)}</li>"
        for each in results.scores
        for line in each.warnings
    )
    return f"<section><h2>Warnings</h2><ul>{lines}</ul></section>" if lines else ""
