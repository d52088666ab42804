"""Unit tests of pages: what they are, how a text is judged by them, and how a candidate is scored."""

from scriptorium.bench.compare import Comparison, compare
from scriptorium.bench.folder import Bench, candidates, load_bench
from scriptorium.bench.rules import RULES, counted, judge, judge_page
from scriptorium.bench.scores import Scores, score
from scriptorium.bench.tests import TestError, load_tests
from scriptorium.bench.verdict import Verdict

__all__ = [
    "RULES",
    "Bench",
    "Comparison",
    "Scores",
    "TestError",
    "Verdict",
    "candidates",
    "compare",
    "counted",
    "judge",
    "judge_page",
    "load_bench",
    "load_tests",
    "score",
]
