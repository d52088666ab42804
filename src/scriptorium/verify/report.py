"""What a verification found: its JSON, how it compares with a recorded one, and the Markdown that people post."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz

from scriptorium.bench.scoring.scores import Scores
from scriptorium.errors import InputError

ALIKE = 98.0
"""Percent of equal characters of a page (rapidfuzz's ratio) from which on two texts of it count as alike.
Engines, GPUs and batches round differently: the same weights seldom give the same bytes."""


@dataclass(frozen=True)
class Verification:
    """The five pages and their tests, as one model read them.

    `pages`: status, attempts, tokens, seconds, text and ids of tests by PDF. `tests`: per test id and rule set,
    whether it counts. `scores`: percent by rule set. `model`, `adapter`, `prompt` (its hash) and `system` say
    whose they are.
    """

    model: str
    adapter: str
    prompt: str
    system: dict[str, str]
    pages: dict[str, dict[str, Any]]
    tests: dict[str, dict[str, bool]]
    scores: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """All of it as values of JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Match:
    """A verification beside a recorded one: percent of equal characters by page, and tests that changed."""

    recorded: str
    pages: dict[str, float]
    gained: list[str]
    lost: list[str]

    @property
    def alike(self) -> bool:
        """Whether every page is alike and no test was lost."""
        return not self.lost and all(ratio >= ALIKE for ratio in self.pages.values())


def found(
    model: str, adapter: str, prompt: str, system: dict[str, str], rows: list[dict[str, Any]], scores: Scores
) -> Verification:
    """What the rows of the pages and their scores amount to."""
    kept = ("status", "attempts", "tokens", "seconds", "text")
    ids = {row["pdf"]: [each["id"] for each in scores.rows if each["pdf"] == row["pdf"]] for row in rows}
    return Verification(
        model=model,
        adapter=adapter,
        prompt=prompt,
        system=system,
        pages={row["pdf"]: {key: row[key] for key in kept} | {"tests": ids[row["pdf"]]} for row in rows},
        tests={
            row["id"]: {rules: bool(cell["counts"]) for rules, cell in row["rules"].items()}
            for row in scores.rows
        },
        scores={rules: float(summary["overall"]) for rules, summary in scores.rules.items()},
    )


def read(path: Path) -> Verification:
    """A verification from its JSON. Raises InputError for another file."""
    try:
        return Verification(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path}: not the verify.json of `scriptorium verify`: {error!r}") from error


def match(this: Verification, recorded: Verification) -> Match:
    """How `this` compares with a recorded one; a page or test that only one of them has counts as different."""
    pages = {
        pdf: fuzz.ratio(_text(this, pdf), _text(recorded, pdf))
        if pdf in this.pages and pdf in recorded.pages
        else 0.0
        for pdf in sorted(this.pages | recorded.pages)
    }
    now, then = _passed(this), _passed(recorded)
    return Match(recorded.model, pages, sorted(now - then), sorted(then - now))


def _text(of: Verification, pdf: str) -> str:
    return str(of.pages[pdf]["text"])


def _passed(of: Verification) -> set[str]:
    return {
        f"{name} ({rules})" for name, cells in of.tests.items() for rules, passed in cells.items() if passed
    }


def as_markdown(this: Verification, match: Match | None) -> str:
    """The report: whose it is, the pages, the scores, the tests that failed, and the comparison if there is one."""
    lines = [f"## scriptorium verify: {this.model}", ""]
    lines += [f"- adapter {this.adapter}, prompt {this.prompt[:16]}"]
    lines += [f"- {name} {value}" for name, value in this.system.items()]
    lines += [
        "",
        *_table(["page", "status", "attempts", "tokens", "seconds", "tests"], _page_lines(this)),
        "",
    ]
    scores = ", ".join(f"{name} {value:.1f} %" for name, value in this.scores.items())
    lines += [f"Scores of {len(this.tests)} tests on {len(this.pages)} pages: {scores}.", ""]
    if failed := sorted(name for name, cells in this.tests.items() if not all(cells.values())):
        lines += [f"Failed: {', '.join(failed)}.", ""]
    if match is None:
        lines += ["No recorded result of this model to compare with.", ""]
    else:
        lines += _match_lines(match)
    return "\n".join(lines)


def _page_lines(this: Verification) -> list[list[str]]:
    lines = []
    for pdf, page in this.pages.items():
        mine = [this.tests[name] for name in page["tests"]]
        passed = sum(all(cells.values()) for cells in mine)
        numbers = [str(page[key]) for key in ("attempts", "tokens")]
        lines.append([pdf, str(page["status"]), *numbers, f"{page['seconds']:.1f}", f"{passed}/{len(mine)}"])
    return lines


def _match_lines(match: Match) -> list[str]:
    verdict = "as recorded" if match.alike else "NOT as recorded"
    lines = [f"Beside the recorded result of {match.recorded}: **{verdict}**.", ""]
    lines += _table(
        ["page", "equal characters"], [[pdf, f"{ratio:.1f} %"] for pdf, ratio in match.pages.items()]
    )
    for what, tests in (("Gained", match.gained), ("Lost", match.lost)):
        if tests:
            lines += ["", f"{what}: {', '.join(tests)}."]
    return [*lines, ""]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [heads, ["---"] * len(heads), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
