"""A fault of a bench: its code, how bad it is, where it is, what to do."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]

CODES: dict[str, Severity] = {
    # lines
    "unreadable_file": "error",
    "not_json": "error",
    "key_twice": "error",
    "bad_test": "error",
    "id_twice": "error",
    "id_automatic": "error",
    "exact_duplicate": "error",
    "no_tests": "error",
    # one test
    "constant": "error",
    "confusable": "error",
    "formula_error": "error",
    "formula_blank": "error",
    "contained": "warning",
    "max_diffs": "warning",
    "fuzzy_number": "warning",
    "rejected": "warning",
    "checked_unknown": "note",
    # tests together
    "contradiction": "error",
    "duplicate": "warning",
    "near_duplicate": "note",
    "language": "note",
    # pages
    "pdf_missing": "error",
    "pdf_unreadable": "error",
    "page_missing": "error",
    "pdf_ending": "warning",
    "page_untested": "warning",
    # candidates
    "candidate_missing": "error",
    "output_unreadable": "error",
    "output_large": "warning",
    "output_misnamed": "warning",
    "output_no_page": "warning",
    "sidecar": "warning",
    "folder_unmatched": "warning",
    "pages_missing": "warning",
    "judge_error": "error",
    "none_passes": "warning",
    "all_pass": "note",
    "null_passes": "note",
}
"""Every code. An error: a test cannot be scored, or its outcome means nothing. A warning: look at it."""

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """One fault. `file`: its path below the bench folder; `line` from 1, `id` of the test, where there is one."""

    code: str
    file: str
    line: int | None
    id: str | None
    message: str

    @property
    def severity(self) -> Severity:
        """How bad it is, by its code."""
        return CODES[self.code]

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.severity} {self.code}: {f'{self.id}: ' if self.id else ''}{self.message}"

    def to_json(self) -> dict[str, Any]:
        """The finding as a JSON object."""
        return {"severity": self.severity, **asdict(self)}


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """The findings by file, line and code, each once."""
    return sorted(set(findings), key=lambda f: (f.file, f.line or 0, f.code, f.id or "", f.message))


def counts(findings: Iterable[Finding]) -> dict[Severity, int]:
    """How many findings there are of each severity."""
    found = Counter(finding.severity for finding in findings)
    return {severity: found[severity] for severity in SEVERITIES}
