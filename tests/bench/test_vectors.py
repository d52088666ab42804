"""Every verdict of the vectors: olmOCR-bench's to the letter, and the right ones."""

import pytest

from scriptorium.bench.judges.facts import FACTS
from scriptorium.bench.rules import OLMOCR, STRICT, judge
from scriptorium.bench.tests import FIELDS, TestError, check_test

from .shared import vectors

ROWS = vectors("verdicts")
KNOWN = [row for row in ROWS if row["test"]["type"] in FIELDS]
VERDICTS = [row for row in KNOWN if row["kind"] == "verdict"]
ERRORS = [row for row in KNOWN if row["kind"] == "load_error"]

pytestmark = pytest.mark.skipif(not ROWS, reason="shared/data/bench-vectors is missing")


def names(rows: list[dict]) -> list[str]:
    """The names of vectors, as test ids."""
    return [row["name"] for row in rows]


@pytest.mark.parametrize("row", VERDICTS, ids=names(VERDICTS))
def test_olmocr_rules_give_the_peers_verdict(row: dict) -> None:
    assert judge(row["test"], row["candidate_md"], OLMOCR).passed is row["expected"], row["why"]


@pytest.mark.parametrize("row", VERDICTS, ids=names(VERDICTS))
def test_strict_rules_give_the_right_verdict(row: dict) -> None:
    right = row["right"] if row["peer_bug"] else row["expected"]
    assert judge(row["test"], row["candidate_md"], STRICT).passed is right, row["why"]


@pytest.mark.parametrize("row", ERRORS, ids=names(ERRORS))
def test_bad_tests_are_refused(row: dict) -> None:
    with pytest.raises(TestError):
        check_test(row["test"])


def test_every_supported_type_has_vectors() -> None:
    assert {row["test"]["type"] for row in VERDICTS} == set(FIELDS) - set(FACTS)
