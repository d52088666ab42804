"""What the report's scripts are told: an index of all tests, and each page's texts and verdicts."""

from typing import Any

from scriptorium.bench.folder import Bench
from scriptorium.bench.html_report.pictures import Pictures
from scriptorium.bench.outputs import MISSING, Output, Outputs
from scriptorium.bench.rendered import Evidence, drawn_formula, raw, rendered
from scriptorium.bench.scoring.rows import Row
from scriptorium.bench.scoring.scores import Scores
from scriptorium.bench.tests import COMMON, FIELDS, Test
from scriptorium.pages.pdf import PdfError

OUTCOMES: dict[bool | None, int] = {False: 0, True: 1, None: 2}
UNKNOWN = 3
"""The number of an outcome; UNKNOWN where a rule set does not know the test. store.js reads the same."""

SUMMARY = 70
"""Characters of a test that the lists show."""


class Results:
    """Several candidates' scores and outputs on one bench, rows by test id."""

    def __init__(self, bench: Bench, scores: list[Scores], outputs: list[Outputs], rules: tuple[str, ...]):
        self.bench, self.scores, self.outputs, self.rules = bench, scores, outputs, rules
        self.rows: list[dict[str, Row]] = [{row["id"]: row for row in each.rows} for each in scores]

    def cells(self, test: Test) -> list[list[dict[str, Any] | None]]:
        """For each candidate, for each rule set, the cell of a test."""
        rows = [each.get(test["id"]) for each in self.rows]
        return [[row["rules"].get(name) if row else None for name in self.rules] for row in rows]


def index(results: Results, pictures: Pictures) -> dict[str, Any]:
    """The value that `window.__index` gets: names, pages, and one short row a test (see store.js)."""
    pages = results.bench.pages
    tests = [(number, category, test) for number, page in enumerate(pages) for category, test in pages[page]]
    categories = sorted({category for _, category, _ in tests})
    types = sorted({test["type"] for _, _, test in tests})
    cells = [[cell for row in results.cells(test) for cell in row] for _, _, test in tests]
    codes = sorted({cell["code"] if cell else "not_in_this_rule_set" for row in cells for cell in row})
    code = {name: number for number, name in enumerate(codes)}
    return {
        "rules": results.rules,
        "candidates": [each.candidate for each in results.scores],
        "categories": categories,
        "types": types,
        "codes": codes,
        "pages": [
            [page, rows[0][1]["pdf"], rows[0][1]["page"], _picture(pictures[page])]
            for page, rows in pages.items()
        ],
        "tests": [
            [number, test["id"], categories.index(category), types.index(test["type"]), summary(test)]
            + [_packed(cell, code) for cell in row]
            for (number, category, test), row in zip(tests, cells, strict=True)
        ],
    }


def _picture(found: str | PdfError) -> str | None:
    return f"pictures/{found}" if isinstance(found, str) else None


def _packed(cell: dict[str, Any] | None, code: dict[str, int]) -> int:
    if cell is None:
        return (code["not_in_this_rule_set"] * 2) * 4 + UNKNOWN
    return (code[cell["code"]] * 2 + bool(cell["counts"])) * 4 + OUTCOMES[cell["passed"]]


def summary(test: Test) -> str:
    """A test in a few words: the fields that it cannot be without."""
    fields = FIELDS[test["type"]]
    said = [test[name] for name, field in fields.items() if field.required and test[name] not in (None, "")]
    text = " · ".join(value if isinstance(value, str) else str(value) for value in said)
    text = " ".join(text.split())
    return text if len(text) <= SUMMARY else text[: SUMMARY - 1] + "…"


def page_data(results: Results, page: str, picture: str | PdfError) -> dict[str, Any]:
    """The value that `window.__page` gets: outputs of each candidate, and the page's tests by id."""
    tests = [test for _, test in results.bench.pages[page]]
    return {
        "outputs": [_output(results, number, page, tests) for number in range(len(results.scores))],
        "tests": {test["id"]: _test(results, test) for test in tests},
        "no_picture": None
        if isinstance(picture, str)
        else f"No picture: {picture.reason.replace('_', ' ')}.",
    }


def _output(results: Results, candidate: int, page: str, tests: list[Test]) -> dict[str, Any]:
    repeats = results.outputs[candidate].get(page) or [MISSING]
    first: Output = repeats[0]
    state = next((row["state"] for test in tests if (row := results.rows[candidate].get(test["id"]))), "ok")
    marks = _marks(results, candidate, tests)
    return {
        "state": state,
        "detail": str(first.sidecar.get("error") or ""),
        "repeats": len(repeats),
        "raw": raw(first.text or "", marks),
        "rendered": rendered(first.text or "", marks),
    }


def _marks(results: Results, candidate: int, tests: list[Test]) -> list[Evidence]:
    """The evidence in the first repeat. A mark's class names the rule sets whose evidence it is."""
    spans: dict[tuple[int, int, str], list[str]] = {}
    for test in tests:
        cells = results.cells(test)[candidate]
        for number, cell in enumerate(cells):
            if cell and (evidence := _evidence(cell, cells)):
                spans.setdefault((*evidence, test["id"]), []).append(f"rules{number}")
    return [(start, end, " ".join(names), test) for (start, end, test), names in spans.items()]


def _evidence(cell: dict[str, Any], cells: list[dict[str, Any] | None]) -> tuple[int, int] | None:
    """A cell's evidence in the first repeat, or that of a rule set whose verdict is the same."""
    for each in (cell, *cells):
        same = each and each["passed"] is cell["passed"] and each.get("repeat", 0) == 0
        if each and same and each["evidence"]:
            return each["evidence"][0], each["evidence"][1]
    return None


def _test(results: Results, test: Test) -> dict[str, Any]:
    fields = FIELDS[test["type"]] | COMMON
    told = {
        name: test[name]
        for name, field in fields.items()
        if test[name] not in (None, "") and test[name] != field.default
    }
    latex = test.get("math")
    drawn = {"drawn": drawn_formula(latex)} if isinstance(latex, str) else {}
    return {
        "fields": told,
        "verdicts": [[_told(cell) for cell in row] for row in results.cells(test)],
        **drawn,
    }


def _told(cell: dict[str, Any] | None) -> dict[str, Any]:
    if cell is None:
        return {}
    names = ("margin", "would_pass_if", "share", "repeat", "error", "evidence")
    return {name: cell[name] for name in names if cell.get(name) is not None}
