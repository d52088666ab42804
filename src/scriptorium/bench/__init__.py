"""Unit tests of pages: what they are, how a text is judged by them, and how a candidate is scored."""

from scriptorium.bench.rules import RULES, judge, judge_page
from scriptorium.bench.scores import score_folder as score
from scriptorium.bench.tests import TestError, load_tests
from scriptorium.bench.verdict import Verdict

__all__ = ["RULES", "TestError", "Verdict", "judge", "judge_page", "load_tests", "score"]
