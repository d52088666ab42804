"""One line of the doctor's table."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "missing"]
CONFIG, HOST = 2, 6
"""Exit codes for what is missing: something that was asked for on the command line; something of this machine."""


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it stands, what was found, and what mends it.

    `missing` is for what the work asked for cannot do without, and ends the command with `code`.
    """

    what: str
    state: State
    found: str
    mend: str = ""
    code: int = HOST


def exit_code(findings: list[Finding]) -> int:
    """0 if nothing is missing; else HOST if the machine lacks something, CONFIG if only what was asked for does."""
    return max((finding.code for finding in findings if finding.state == "missing"), default=0)
