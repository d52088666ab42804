"""Unit tests of pages: what they are, how a text is judged by them, and how a candidate is scored.

The names are loaded when first used: commands that score nothing need not wait for what scoring needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scriptorium.bench.folder import Bench, load_bench
    from scriptorium.bench.rules import RULES, counted, judge, judge_page
    from scriptorium.bench.scoring.comparison import Comparison, compare
    from scriptorium.bench.scoring.scores import Scores, score
    from scriptorium.bench.tests import TestError, load_tests
    from scriptorium.bench.verdict import Verdict

_HOMES = {
    "Bench": "folder",
    "Comparison": "scoring.comparison",
    "RULES": "rules",
    "Scores": "scoring.scores",
    "TestError": "tests",
    "Verdict": "verdict",
    "compare": "scoring.comparison",
    "counted": "rules",
    "judge": "rules",
    "judge_page": "rules",
    "load_bench": "folder",
    "load_tests": "tests",
    "score": "scoring.scores",
}
"""Each name, and the module that it is from."""

__all__ = [
    "RULES",
    "Bench",
    "Comparison",
    "Scores",
    "TestError",
    "Verdict",
    "compare",
    "counted",
    "judge",
    "judge_page",
    "load_bench",
    "load_tests",
    "score",
]


def __getattr__(name: str) -> Any:
    """One of the names above, from its module (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """The names above too."""
    return sorted({*globals(), *__all__})
