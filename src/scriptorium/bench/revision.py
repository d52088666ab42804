"""The revision of the scoring code, and which code that is."""

from pathlib import Path

from scriptorium.pages.view import KATEX

REVISION = 2
"""Raised with every change that can alter a score: the workflow then scores again. A test watches over it."""

SHOWING = {"formats.py", "run_scores.py", "terminal.py", "verdict_cache.py"}
"""Modules of scoring/ that write scores down and alter none."""


def scoring_code() -> list[Path]:
    """The files that can alter a score, in order."""
    here = Path(__file__).parent
    roots = [here / name for name in ("folder.py", "outputs.py", "rules.py", "tests.py", "verdict.py")]
    rooms = [each for room in ("formulas", "judges", "scoring", "text") for each in (here / room).glob("*.*")]
    roots.append(KATEX)
    return sorted([*roots, *(each for each in rooms if each.name not in SHOWING)])
